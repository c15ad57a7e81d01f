"""For any act: applied and taken back, the shop is what it was, or the question said beforehand why not."""

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from worlds import OPEN, SHOP, SeededMinter, TestClock, World, customer, make_world, policy

from tillgate.guards.gate import Gate
from tillgate.guards.outcome import Outcome
from tillgate.server.app import tool_map
from tillgate.server.store.sqlite import SqliteStore
from tillgate.tools.shops.embedded.apply import read_entity
from tillgate.tools.shops.embedded.records import SHOP_TABLES

ASK = """
  - {id: all, tools: "*", permit: true}
  - id: ask
    tools: [edit_cart, apply_discount, remove_discount, update_address, cancel_order, change_order_items,
            change_payment_method, return_items, exchange_items, issue_refund]
    confirm: agent
"""
HERE = {"line1": "1 Planted Street", "city": "Springfield", "region": "CO", "postal_code": "80279", "country": "US"}
THERE = {"line1": "9 Elm Road", "city": "Denver", "region": "CO", "postal_code": "80203", "country": "US"}
KINDS = ("customer", "payment_method", "cart", "cart_line", "cart_offer", "orders", "order_line", "transfer",
         "amendment", "stock_move", "variant")  # fmt: skip

Act = tuple[str, dict[str, Any]]
orders = st.sampled_from(["ord_1", "ord_2", "ord_4", "ord_5"])
waiting, arrived = st.sampled_from(["ord_2", "ord_5"]), st.sampled_from(["ord_1", "ord_4"])
variants = st.sampled_from(["v_1", "v_3", "v_4"])
methods = st.sampled_from(["pm_1", "gift_1"])
targets = methods | st.sampled_from(["store_credit", "original"])
amounts = st.sampled_from(["0.01", "33.33", "50.00", "99.99"])
quantities = st.integers(0, 3)


def _lines(order: str, variant: str | None, quantity: int) -> list[dict[str, Any]]:
    number = 1 + (order == "ord_5" and quantity % 2)
    other = {"new_variant_id": variant} if variant else {"quantity": max(1, quantity)}
    return [{"line_id": f"{order}-{number}", **other}]


def _swap(tool: str, orders: st.SearchStrategy[str]) -> st.SearchStrategy[Act]:
    def act(order: str, variant: str, quantity: int, method: str) -> Act:
        named = {"order_id": order, "lines": _lines(order, variant, quantity), "payment_method_id": method}
        return tool, named

    return st.builds(act, orders, variants, quantities, methods)


def _back(tool: str, where: str) -> st.SearchStrategy[Act]:
    def act(order: str, quantity: int, method: str, amount: str | None) -> Act:
        named = {"order_id": order, "lines": _lines(order, None, quantity), "reason": "too small", where: method}
        return tool, named | ({"amount": amount} if amount and tool == "issue_refund" else {})

    return st.builds(act, orders, quantities, targets, amounts | st.none())


def _cart(lines: Mapping[str, int], cart: str | None) -> Act:
    wanted = [{"variant_id": variant, "quantity": count} for variant, count in lines.items()]
    return "edit_cart", {"lines": wanted} | ({"cart_id": cart} if cart else {})


def _offer(tool: str) -> st.SearchStrategy[Act]:
    return st.builds(lambda code: (tool, {"cart_id": "cart_1", "offer_code": code}), st.sampled_from(["TEN", "ALSO"]))


BY_TOOL: Mapping[str, st.SearchStrategy[Act]] = {
    "edit_cart": st.builds(_cart, st.dictionaries(variants, quantities, min_size=1), st.sampled_from(["cart_1", None])),
    "apply_discount": _offer("apply_discount"),
    "remove_discount": _offer("remove_discount"),
    "update_address": st.builds(
        lambda order, address: ("update_address", {"address": address} | ({"order_id": order} if order else {})),
        orders | st.none(),
        st.sampled_from([HERE, THERE]),
    ),
    "cancel_order": st.builds(lambda order: ("cancel_order", {"order_id": order, "reason": "other"}), orders),
    "change_payment_method": st.builds(
        lambda order, method: ("change_payment_method", {"order_id": order, "payment_method_id": method}),
        orders,
        methods,
    ),
    "change_order_items": _swap("change_order_items", waiting),
    "exchange_items": _swap("exchange_items", arrived),
    "return_items": _back("return_items", "refund_method"),
    "issue_refund": _back("issue_refund", "method"),
}
acts = st.one_of(*BY_TOOL.values())


def _shop() -> dict[str, Any]:
    shop: dict[str, Any] = copy.deepcopy(SHOP)
    shop["products"][0]["variants"] += [
        {"id": "v_3", "options": {"size": "XL"}, "price": "53.00", "cost": None, "stock": 9},
        {"id": "v_4", "options": {"size": "XXL"}, "price": "45.01", "cost": None, "stock": 2},
    ]
    shop["customers"][0]["payment_methods"][1]["balance"] = "320.00"
    shop["offers"] = [{**offer, "stackable": True} for offer in shop["offers"][:1]]
    shop["offers"] += [{**shop["offers"][0], "code": "ALSO", "value": "33"}]
    odd = copy.deepcopy(shop["orders"][1])
    odd |= {"id": "ord_5", "payments": [{"id": "pay_5", "method_id": "gift_1", "amount": "20.00"},
                                        {"id": "pay_6", "method_id": "pm_1", "amount": "90.00"}],
            "lines": [{"id": "ord_5-1", "variant_id": "v_1", "quantity": 1, "unit_price": "50.00"},
                      {"id": "ord_5-2", "variant_id": "v_1", "quantity": 1, "unit_price": "60.00"}]}  # fmt: skip
    shop["orders"].append(odd)
    return shop


def _rows(world: World) -> dict[str, list[Any]]:
    """Every row of the shop, without how often it was written."""
    with world.store.reading() as desk:
        found = {kind: desk.sql.rows(f"SELECT * FROM {kind} ORDER BY id") for kind in KINDS}
    return {kind: [{**dict(row), "version": 0} for row in rows] for kind, rows in found.items()}


def _act(world: World, act: Act) -> tuple[str, Outcome]:
    """Ask, read the question, say yes: the question and the outcome."""
    tool, arguments = act
    asked = world.call(tool, **arguments)
    if asked.confirmation is None:
        return "", asked
    return str(asked.confirmation), world.call(tool, **arguments, confirmation_token=asked.confirmation.token)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded")
    make_world(folder, shop=_shop()).store.close()
    return folder / "tillgate.db"


def _copy(seeded: Path, folder: Path) -> World:
    """The seeded shop again, under a policy that asks before anything changes."""
    for left in folder.glob("copy.db*"):
        left.unlink()
    shutil.copy(seeded, folder / "copy.db")
    clock, minter = TestClock(), SeededMinter()
    store = SqliteStore(folder / "copy.db", clock, minter)
    return World(Gate(tool_map(), policy(OPEN), store, minter), store, clock, customer()).under(ASK)


def check(seeded: Path, folder: Path, before: list[Act], act: Act) -> None:
    """The property itself: some acts first, then the one that is taken back."""
    world = _copy(seeded, folder)
    try:
        for earlier in before:
            _act(world, earlier)
        shop = _rows(world)
        question, done = _act(world, act)
        event(f"{act[0]} {done.status}")
        if _rows(world) == shop:
            assert not done.executed or done.replayed or "there is nothing to take back" in question
            return
        assert done.status == "completed"
        undone = world.call("undo_action", call_id=done.call_id, reason="a mistake")
        if "This cannot be taken back" in question:
            assert undone.status == "denied"
        else:
            assert "This can be taken back" in question
            assert undone.status == "completed", (question, undone.reasons)
            assert _rows(world) == shop
            again = world.call("undo_action", call_id=done.call_id, reason="once more")
            assert (again.status, again.executed) == ("denied", False)
            assert _rows(world) == shop
    finally:
        world.store.close()


CALM = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@pytest.mark.parametrize("count", [150, pytest.param(5_000, marks=pytest.mark.long)])
def test_what_was_applied_is_taken_back_to_the_byte_or_was_said_not_to_be(
    seeded: Path, tmp_path: Path, count: int
) -> None:
    @settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=CALM)
    @given(st.lists(acts, max_size=2), acts)
    def run(before: list[Act], act: Act) -> None:
        check(seeded, tmp_path, before, act)

    run()


def _as_before(world: World, call_id: str) -> bool:
    """Whether every field that a call changed is what it was before."""
    (plan,) = world.rows("SELECT plan FROM action WHERE call_id = ?", call_id)[0]
    with world.store.reading() as desk:
        found = {
            change["entity"]: read_entity(desk.sql, SHOP_TABLES, change["entity"]) or {}
            for change in json.loads(plan)["changes"]
        }
    return all(
        found[change["entity"]].get(change["field"]) == change["before"] for change in json.loads(plan)["changes"]
    )


def check_later(seeded: Path, folder: Path, act: Act, later: Act) -> None:
    """An act, another one after it, and the first taken back: whole, or not at all and with a reason."""
    world = _copy(seeded, folder)
    try:
        _, done = _act(world, act)
        if done.status != "completed":
            return
        _act(world, later)
        shop = _rows(world)
        undone = world.call("undo_action", call_id=done.call_id, reason="a mistake")
        event(f"{act[0]} {undone.status}")
        if undone.status != "completed":
            assert undone.status == "denied"
            assert undone.reasons[0].code not in ("", "unavailable")
            assert _rows(world) == shop
            return
        assert _as_before(world, done.call_id)
        after = _rows(world)
        again = world.call("undo_action", call_id=done.call_id, reason="once more")
        assert (again.status, _rows(world)) == ("denied", after)
    finally:
        world.store.close()


@pytest.mark.parametrize("tool", BY_TOOL)
@pytest.mark.parametrize("count", [8, pytest.param(200, marks=pytest.mark.long)])
def test_each_tool_is_taken_back_once_and_after_a_later_act_whole_or_not_at_all(
    seeded: Path, tmp_path: Path, tool: str, count: int
) -> None:
    @settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=CALM)
    @given(BY_TOOL[tool], acts)
    def run(act: Act, later: Act) -> None:
        check(seeded, tmp_path, [], act)
        check_later(seeded, tmp_path, act, later)

    run()
