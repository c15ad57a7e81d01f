"""Where the battery plays: a shop of many orders, a provider with books of its own, and a clock all processes share."""

import functools
import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from worlds import NOW, policy

from tillgate.guards.desk import Caller
from tillgate.guards.effects import reach
from tillgate.guards.gate import Gate
from tillgate.guards.model import Agent, Assurance
from tillgate.guards.policy.types import Policy
from tillgate.guards.ports import Clock, Minter
from tillgate.server.app import tool_map
from tillgate.server.payments.stub import Behaviour, StubProvider
from tillgate.server.store.postgresql import PostgresStore
from tillgate.server.store.sqlite import SqliteStore
from tillgate.server.store.store import SqlStore
from tillgate.server.world import RandomMinter
from tillgate.tools.shops.embedded.outside import PAYMENTS, refunds_outside
from tillgate.tools.shops.embedded.seed import seed

CUSTOMERS = 60
POLICY = """
policy: battery
version: 1
currency: USD
budgets:
  - {id: refunds, tools: [issue_refund], per: customer.id, window: 365d, limit: "900000.00", exceeded: deny}
rules:
  - {id: all, tools: "*", permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('50.00')", escalate: {queue: refunds, expires: 24h}}
context:
  issue_refund: {identified: [order_id, amount, refundable]}
  check_request: {identified: [status, message, result]}
queues: {refunds: {reviewers: [desk]}}
"""


@dataclass(frozen=True)
class SharedClock:
    """The same time in every process, `pace` times as fast as on the wall."""

    started: float
    pace: float

    def now(self) -> datetime:
        return NOW + timedelta(seconds=int((time.time() - self.started) * self.pace))


class OpenHere(list[SqlStore]):
    """The stores that this process has opened; another one that is told of a place has none of them."""

    def __reduce__(self) -> tuple[type["OpenHere"], tuple[()]]:
        return OpenHere, ()


@dataclass(frozen=True)
class Place:
    """Where a shop lies and how it is run: all that a process has to be told to work on it.

    With a `url` it lies in that PostgreSQL database, and only the provider's books in the folder.
    """

    folder: Path
    url: str | None = None
    behaviours: Sequence[Behaviour] = ("done",)
    repeatable: bool = True
    findable: bool = True
    rules: str = POLICY
    clock: Clock = field(default_factory=lambda: SharedClock(time.time(), 30))
    open_here: OpenHere = field(default_factory=OpenHere, repr=False, compare=False)

    @property
    def provider(self) -> StubProvider:
        return StubProvider(self.folder / "books.db", self.behaviours, self.repeatable, self.findable)

    def times_asked(self) -> int:
        """How many requests the provider has had, of whatever keys."""
        with closing(sqlite3.connect(self.folder / "books.db")) as books:
            return int(books.execute("SELECT count(*) FROM request").fetchone()[0])

    def store(self, minter: Minter, kind: type[SqliteStore] = SqliteStore) -> SqlStore:
        if self.url is None:
            made: SqlStore = kind(self.folder / "shop.db", self.clock, minter)
        else:
            made = PostgresStore(self.url, self.clock, minter)
        self.open_here.append(made)
        return made

    def open(self, kind: type[SqliteStore] = SqliteStore) -> "Shop":
        """What one process has of it."""
        minter, provider = RandomMinter(), self.provider
        store = self.store(minter, kind)
        store.outside = refunds_outside
        return Shop(Gate(tool_map(), read(self.rules), store, minter, partial(reach, {PAYMENTS: provider})), store)


@dataclass(frozen=True)
class Shop:
    """The gate and the store of one process."""

    gate: Gate
    store: SqlStore

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.store.reading() as desk:
            return [tuple(row) for row in desk.sql.rows(sql, params)]


@functools.cache
def read(rules: str) -> Policy:
    """A policy, read once in a process and in all that are forked from it."""
    return policy(rules)


def opened(place: Place, customers: int = CUSTOMERS) -> Place:
    """The place with a shop in it that has just opened."""
    with place.store(RandomMinter()).transaction() as desk:
        seed(desk.sql, json.dumps(shop_file(customers)), now=NOW)
    return place


@dataclass
class Still:
    """A clock somebody moves by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


def caller(number: int) -> Caller:
    """A customer, proved, in a conversation of their own."""
    return Caller(Agent("agent", "stdio"), "stdio:x", f"talk-{number}", f"cus_{number}", Assurance.STEPPED_UP, NOW)


def shop_file(customers: int) -> dict[str, Any]:
    """Customers with two large delivered orders, one that waits, a cart, a card and a gift card."""
    numbers = range(1, customers + 1)
    return {
        "currency": "USD",
        "customers": [_customer(n) for n in numbers],
        "products": [{"id": "p_1", "title": "Shirt", "category": None, "variants": [_variant("v_1"), _variant("v_2")]}],
        "offers": [_offer("TEN"), _offer("FIVE")],
        "carts": [
            {"id": f"cart_{n}", "customer_id": f"cus_{n}", "offers": [],
             "lines": [{"variant_id": "v_1", "quantity": 1}]} for n in numbers
        ],
        "orders": [_order(n, name) for n in numbers for name in ("a", "b", "w")],
    }  # fmt: skip


def address(street: int) -> dict[str, Any]:
    """An address that the checks let through."""
    return {"line1": f"{street} Quince Alley", "line2": None, "city": "Denver", "region": "CO", "postal_code": "80279",
            "country": "US"}  # fmt: skip


def _variant(key: str) -> dict[str, Any]:
    return {"id": key, "options": {"size": key}, "price": "50.00", "cost": None, "stock": 100_000}


def _offer(code: str) -> dict[str, Any]:
    return {"code": code, "kind": "percent", "value": "10", "minimum": "0.00", "starts_at": None, "ends_at": None,
            "stackable": True, "max_uses_per_customer": 9, "tags": []}  # fmt: skip


def _customer(n: int) -> dict[str, Any]:
    return {
        "id": f"cus_{n}", "email": f"person{n}@example.com", "first_name": "Ana", "last_name": "Quill", "phone": None,
        "created_at": "2025-01-05T00:00:00Z", "address": address(n), "address_changed_at": None, "tags": [],
        "payment_methods": [
            {"id": f"card_{n}", "kind": "card", "brand": "visa", "last4": "4242", "balance": None},
            {"id": f"gift_{n}", "kind": "gift_card", "brand": None, "last4": None, "balance": "500.00"},
        ],
    }  # fmt: skip


def _order(n: int, name: str) -> dict[str, Any]:
    key, waits = f"{name}_{n}", name == "w"
    return {
        "id": key, "customer_id": f"cus_{n}", "placed_at": "2026-05-20T00:00:00Z",
        "status": "pending" if waits else "delivered", "delivered_at": None if waits else "2026-05-25T00:00:00Z",
        "disputed": False, "shipping_address": address(n), "refunds": [], "shipments": [], "note": None,
        "lines": [{"id": f"{key}-1", "variant_id": "v_1", "quantity": 2000, "unit_price": "50.00"}],
        "payments": [{"id": f"pay_{key}", "method_id": f"card_{n}", "amount": "100000.00"}],
    }  # fmt: skip
