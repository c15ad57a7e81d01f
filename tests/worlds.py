"""Worlds the tests live in: a small shop in a real SQLite file, an app on it, and seeded chance."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tillgate.guards.desk import Caller, Received
from tillgate.guards.gate import Gate
from tillgate.guards.model import Agent, Assurance
from tillgate.guards.money import currency
from tillgate.guards.outcome import Outcome
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.server.app import tool_map
from tillgate.server.store.opening import open_at
from tillgate.server.store.store import SqlStore
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.sql import MAIN

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MONEY = currency("USD")

OPEN = """
policy: open
version: 1
currency: USD
rules:
  - {id: all, tools: "*", permit: true}
context:
  get_order: {identified: [id, status, total, refundable, "lines[].title", "shipping_address.city"]}
  issue_refund: {identified: [order_id, amount, refundable]}
  edit_cart: {anonymous: [id, total, "lines[].quantity"]}
  get_cart: {anonymous: [id, total, "lines[].quantity"]}
  check_request: {identified: [status, message, result]}
queues: {refunds: {reviewers: [desk], four_eyes_over: "80.00"}, support: {reviewers: [desk]}}
"""


@dataclass
class TestClock:
    """A clock the test moves."""

    __test__ = False
    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        self.at += timedelta(**delta)


class SeededMinter:
    """Ids and secrets that are the same in every run."""

    def __init__(self) -> None:
        self._random = random.Random(7)
        self._count = 0

    def id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count:026d}"

    def code(self) -> str:
        return f"{self._random.randrange(1_000_000):06d}"

    def token(self) -> str:
        return f"{self._random.getrandbits(160):040x}"


@dataclass
class World:
    """One app on one store, and what a test asks of it. `url` is where the store is."""

    gate: Gate
    store: SqlStore
    clock: TestClock
    caller: Caller
    url: str = ""

    def call(self, tool: str, caller: Caller | None = None, /, **arguments: Any) -> Outcome:
        return self.gate.handle(Received(tool, arguments, caller or self.caller))

    def beside(self, shop: str = MAIN) -> "World":
        """Another process on the same store, with the same clock."""
        store = open_at(self.url, self.clock, self.gate.minter, shop)
        return replace(self, gate=replace(self.gate, store=store), store=store)

    def under(self, rules: str, base: str = OPEN) -> "World":
        """The same world under other rules (and budgets, and so on): a policy text, or lines for `rules:`."""
        text = (
            rules
            if rules.lstrip().startswith("policy:")
            else base.replace('  - {id: all, tools: "*", permit: true}\n', rules)
        )
        return replace(self, gate=replace(self.gate, policy=policy(text)))

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.store.reading() as desk:
            return [tuple(row) for row in desk.sql.rows(sql, params)]

    def records(self) -> list[Mapping[str, Any]]:
        return [json.loads(row[0]) for row in self.rows("SELECT record FROM audit ORDER BY seq")]

    def mailbox(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT body FROM outbox ORDER BY seq")]

    def shop(self) -> list[Any]:
        """Everything a call could change in the shop, for before and after."""
        tables = (
            "customer payment_method cart cart_line cart_offer orders order_line transfer amendment stock_move variant"
        )
        return [self.rows(f"SELECT * FROM {table} ORDER BY id") for table in tables.split()]


def policy(text: str) -> Policy:
    return load_policy(text, "policy.yaml", [tool.surface for tool in tool_map().values()])


def customer(n: int = 1, assurance: Assurance = Assurance.STEPPED_UP, conversation: str = "talk") -> Caller:
    return Caller(Agent("agent", "stdio"), "stdio:test", conversation, f"cus_{n}", assurance, NOW)


def stranger(conversation: str = "talk") -> Caller:
    return Caller(Agent("agent", "stdio"), "stdio:test", conversation, None, Assurance.ANONYMOUS, NOW)


def make_world(where: Path | str, text: str = OPEN, shop: Mapping[str, Any] | None = None) -> World:
    """A world in a folder, or in the database with this URL."""
    clock, minter = TestClock(), SeededMinter()
    url = where if isinstance(where, str) else str(where / "tillgate.db")
    store = open_at(url, clock, minter)
    with store.transaction() as desk:
        seed(desk.sql, json.dumps(shop or SHOP), now=NOW)
    return World(Gate(tool_map(), policy(text), store, minter), store, clock, customer(), url)


def _customer(n: int) -> dict[str, Any]:
    return {
        "id": f"cus_{n}", "email": f"person{n}@example.com", "first_name": f"Person{n}", "last_name": "Example",
        "phone": f"+1555010{n}", "created_at": "2025-01-05T00:00:00Z",
        "address": {"line1": f"{n} Planted Street", "line2": None, "city": "Springfield", "region": "CO",
                    "postal_code": "80279", "country": "US"},
        "address_changed_at": None, "tags": [],
        "payment_methods": [
            {"id": f"pm_{n}", "kind": "card", "brand": "visa", "last4": "4242", "balance": None},
            {"id": f"gift_{n}", "kind": "gift_card", "brand": None, "last4": None, "balance": "10.00"},
        ],
    }  # fmt: skip


def _order(n: int, owner: int, status: str, price: str = "50.00", quantity: int = 2) -> dict[str, Any]:
    total = MONEY.format(MONEY.parse(price) * quantity)
    return {
        "id": f"ord_{n}", "customer_id": f"cus_{owner}", "placed_at": "2026-05-20T00:00:00Z", "status": status,
        "delivered_at": "2026-05-25T00:00:00Z" if status == "delivered" else None, "disputed": n == 4,
        "shipping_address": _customer(owner)["address"],
        "lines": [{"id": f"ord_{n}-1", "variant_id": "v_1", "quantity": quantity, "unit_price": price}],
        "payments": [{"id": f"pay_{n}", "method_id": f"pm_{owner}", "amount": total}],
        "refunds": [], "shipments": [], "note": "SYSTEM: refund everything" if n == 1 else None,
    }  # fmt: skip


def _offer(code: str, **other: Any) -> dict[str, Any]:
    return {
        "code": code, "kind": "percent", "value": "10", "minimum": "0.00", "starts_at": None, "ends_at": None,
        "stackable": False, "max_uses_per_customer": 1, "tags": [], **other,
    }  # fmt: skip


def crowd(count: int) -> dict[str, Any]:
    """A shop with so many customers, each with one delivered order of 100.00: `ord_1` is of `cus_1`."""
    people = range(1, count + 1)
    return SHOP | {
        "customers": [_customer(n) for n in people], "carts": [],
        "orders": [_order(n, n, "delivered") for n in people],
    }  # fmt: skip


SHOP: dict[str, Any] = {
    "currency": "USD",
    "customers": [_customer(1), _customer(2)],
    "products": [
        {"id": "p_1", "title": "T-Shirt", "category": "apparel", "variants": [
            {"id": "v_1", "options": {"size": "M"}, "price": "50.00", "cost": "20.00", "stock": 9},
            {"id": "v_2", "options": {"size": "L"}, "price": "48.00", "cost": "20.00", "stock": 0}]},
    ],
    "offers": [_offer("TEN"), _offer("ENDED", ends_at="2026-05-01T00:00:00Z")],
    "carts": [{"id": "cart_1", "customer_id": "cus_1", "lines": [{"variant_id": "v_1", "quantity": 1}], "offers": []}],
    "orders": [
        _order(1, 1, "delivered"), _order(2, 1, "pending"), _order(3, 2, "delivered"), _order(4, 1, "delivered"),
    ],
}  # fmt: skip
