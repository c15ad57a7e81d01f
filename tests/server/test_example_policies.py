"""The example policies for a European and an American shop, in the situations they are written for."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from worlds import NOW, SeededMinter, TestClock, World, customer, stranger

from tillgate.guards.desk import Caller
from tillgate.guards.gate import Gate
from tillgate.guards.model import Assurance
from tillgate.guards.outcome import Outcome
from tillgate.guards.policy.load import load_policy_file
from tillgate.guards.policy.types import Policy
from tillgate.server.app import surfaces, tool_map
from tillgate.server.store.sqlite import SqliteStore
from tillgate.tools.shops.embedded.seed import seed

EXAMPLES = Path(__file__).parents[2] / "examples"
ADDRESSES = {
    "DE": {"line1": "Hauptstr. 1", "line2": None, "city": "Berlin", "region": None, "postal_code": "10115"},
    "GB": {"line1": "1 High Street", "line2": None, "city": "LONDON", "region": None, "postal_code": "SW1A 1AA"},
    "US": {"line1": "1 Main St", "line2": None, "city": "Denver", "region": "CO", "postal_code": "80279"},
}


def text(policy: str) -> Policy:
    return load_policy_file(EXAMPLES / f"{policy}_shop" / "policy.yaml", surfaces(tool_map()))


def _at(days: float) -> str:
    return f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def _order(name: str, country: str, days: float | None, total: str = "20.00", **other: Any) -> dict[str, Any]:
    placed, owner = other.pop("placed", (days or 0) + 4), other.pop("customer", "cus_1")
    return {
        "id": name, "customer_id": owner, "placed_at": _at(placed),
        "status": "pending" if days is None else "delivered", "delivered_at": None if days is None else _at(days),
        "disputed": False, "shipping_address": {**ADDRESSES[country], "country": country},
        "lines": [{"id": f"{name}-1", "variant_id": "v_1", "quantity": 1, "unit_price": total}],
        "payments": [{"id": f"{name}-p", "method_id": "pm_1", "amount": total}], "refunds": [], "shipments": [],
        "note": None, **other,
    }  # fmt: skip


def _customer(n: int, country: str, days: float, moved: float | None) -> dict[str, Any]:
    methods = [
        ("pm", "card", None),
        ("pp", "paypal", None),
        ("sc", "store_credit", "0.00"),
        ("gc", "gift_card", "0.00"),
    ]
    return {
        "id": f"cus_{n}", "email": f"person{n}@example.com", "first_name": "Ada", "last_name": "Example", "phone": None,
        "created_at": _at(days), "address": {**ADDRESSES[country], "country": country},
        "address_changed_at": None if moved is None else _at(moved), "tags": [],
        "payment_methods": [{"id": f"{m}_{n}", "kind": kind, "brand": None, "last4": None, "balance": balance}
                            for m, kind, balance in methods],
    }  # fmt: skip


def _shop(policy: str) -> dict[str, Any]:
    home = "DE" if policy == "eu" else "US"
    offer: dict[str, Any] = {"kind": "percent", "value": "10", "minimum": "0.00", "starts_at": None, "ends_at": None,
             "stackable": True, "max_uses_per_customer": 5, "tags": []}  # fmt: skip
    line = {"variant_id": "v_1", "quantity": 1}
    paid = [{"id": "theirs-p", "method_id": "pm_2", "amount": "20.00"}]
    back = {"method_id": "pm_3", "amount": "20.00"}
    thirds = [{"id": f"third{n}-p", "method_id": "pm_3", "amount": "20.00"} for n in range(4)]
    return {
        "currency": "EUR" if policy == "eu" else "USD",
        "customers": [_customer(1, home, 400, None), _customer(2, home, 400, 2), _customer(3, home, 400, None)],
        "products": [{"id": "p_1", "title": "Shirt", "category": None, "variants": [
            {"id": "v_1", "options": {"size": "M"}, "price": "20.00", "cost": "5.00", "stock": 99},
            {"id": "v_2", "options": {"size": "L"}, "price": "20.00", "cost": "18.00", "stock": 99}]}],
        "offers": [{"code": code, **offer} for code in ("ONE", "TWO", "THREE")],
        "carts": [{"id": "cart_1", "customer_id": "cus_1", "lines": [line], "offers": []},
                  {"id": "cart_2", "customer_id": "cus_1", "lines": [{**line, "variant_id": "v_2"}], "offers": []},
                  {"id": "cart_3", "customer_id": "cus_1", "lines": [line], "offers": ["ONE", "TWO"]}],
        "orders": [
            _order("day14", home, 14), _order("day15", home, 15), _order("gb", "GB", 3), _order("waiting", home, None),
            _order("disputed", home, 3, disputed=True), _order("disputed_waiting", home, None, disputed=True),
            _order("large", home, 3, "480.00"), _order("day31", home, 31), _order("old", home, None, placed=200),
            *(_order(f"small{n}", home, 3) for n in range(4)),
            _order("mid", home, 3, "60.00"), _order("mid2", home, 3, "60.00"), _order("mid3", home, 3, "60.00"),
            _order("theirs", home, None, customer="cus_2", payments=paid), _order("overseas", "US", 3),
            _order("arrived", home, 3, customer="cus_2", payments=[paid[0] | {"id": "arrived-p"}]),
            _order("gift", home, 3, payments=[{"id": "gift-p", "method_id": "gc_1", "amount": "20.00"}]),
            _order("slow", home, 10, placed=190),
            *(_order(f"third{n}", home, 3, customer="cus_3", payments=[thirds[n]],
                     refunds=[back | {"id": f"third{n}-r", "payment_id": f"third{n}-p"}] if n >= 2 else [])
              for n in range(4)),
        ],
    }  # fmt: skip


def world_of(policy: str, path: Path) -> World:
    clock, minter = TestClock(), SeededMinter()
    store = SqliteStore(path / "t.db", clock, minter)
    with store.transaction() as desk:
        seed(desk.sql, json.dumps(_shop(policy)), now=NOW)
    return World(Gate(tool_map(), text(policy), store, minter), store, clock, customer())


def _agreed(world: World, caller: Caller | None, tool: str, arguments: dict[str, Any]) -> Outcome:
    """The call, with the customer's yes where a model may relay it."""
    asked = world.call(tool, caller, **arguments)
    if asked.confirmation is None or asked.confirmation.token is None:
        return asked
    return world.call(tool, caller, **arguments, confirmation_token=asked.confirmation.token)


Situation = Mapping[str, Any]
SITUATIONS: list[Situation] = yaml.safe_load((Path(__file__).parent / "example_shops.yaml").read_text("utf-8"))

WHO = {
    "sure": customer(),
    "second": customer(2),
    "third": customer(3),
    "known": customer(assurance=Assurance.IDENTIFIED),
    "nobody": stranger(),
}


def play(situation: Situation, path: Path) -> tuple[Outcome, World]:
    """The calls in their order; `$before` stands for the call before."""
    world, outcome = world_of(situation["policy"], path), None
    for call in situation["calls"]:
        for tool, arguments in call.items():
            named = {k: outcome.call_id if outcome and v == "$before" else v for k, v in arguments.items()}
            outcome = _agreed(world, WHO[situation["who"]], tool, named)
    assert outcome is not None
    return outcome, world


@pytest.mark.parametrize("situation", SITUATIONS, ids=[f"{each['policy']}: {each['what']}" for each in SITUATIONS])
def test_each_situation_ends_as_the_policy_means_it(situation: Situation, tmp_path: Path) -> None:
    outcome, world = play(situation, tmp_path)
    world.store.close()
    assert outcome.status == situation["ends"]
    rules = [reason.rule for reason in outcome.reasons if reason.rule]
    assert rules[:1] == ([situation["by"]] if "by" in situation else [])


@pytest.mark.parametrize("policy", ["eu", "us"])
def test_every_rule_speaks_in_some_situation(policy: str, tmp_path: Path) -> None:
    spoken: set[str] = set()
    for number, situation in enumerate(each for each in SITUATIONS if each["policy"] == policy):
        folder = tmp_path / str(number)
        folder.mkdir()
        _, world = play(situation, folder)
        for record in world.records():
            decision: dict[str, Any] = record.get("decision") or {}
            spoken |= {hit["rule"] for hit in decision.get("hits", ())}
        world.store.close()
    assert {rule.id for rule in text(policy).rules} - spoken == set()


@pytest.mark.parametrize("policy", ["eu", "us"])
def test_nothing_is_warned_of(policy: str) -> None:
    assert text(policy).warnings == ()
