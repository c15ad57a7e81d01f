"""Small worlds for the embedded shop: a database file with its tables, and a shop file with two customers."""

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import create_engine

from tillgate.guards.money import currency
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop import ShopReader
from tillgate.tools.shops.embedded.sql import Sql
from tillgate.tools.shops.embedded.sqlite import SqliteSql, connect
from tillgate.tools.shops.embedded.tables import KINDS, create_tables

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ADDRESS = {
    "line1": "1 Heron Lane",
    "line2": None,
    "city": "Denver",
    "region": "CO",
    "postal_code": "80203",
    "country": "US",
}


def _method(method_id: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": method_id, "kind": kind, "brand": None, "last4": None, "balance": None, **more}


def _customer(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"cus_{number}",
        "email": f"Person{number}@example.com",
        "first_name": "Ana",
        "last_name": "Díaz",
        "phone": None,
        "created_at": "2025-01-05T00:00:00Z",
        "address": ADDRESS,
        "address_changed_at": None,
        "tags": [],
        "payment_methods": [_method(f"pm_{number}", "card", brand="visa", last4="4242")],
        **more,
    }


def _offer(code: str, kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "kind": kind,
        "value": value,
        "minimum": "0.00",
        "starts_at": None,
        "ends_at": None,
        "stackable": True,
        "max_uses_per_customer": 1,
        "tags": [],
        **more,
    }


def _order(number: int, customer: int, placed_at: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"ord_{number}",
        "customer_id": f"cus_{customer}",
        "placed_at": placed_at,
        "status": status,
        "delivered_at": None,
        "disputed": False,
        "shipping_address": ADDRESS,
        "lines": [{"id": f"ord_{number}-1", "variant_id": "v_1", "quantity": 2, "unit_price": "48.00"}],
        "payments": [{"id": f"pay_{number}", "method_id": f"pm_{customer}", "amount": "96.00"}],
        "refunds": [],
        "shipments": [],
        "note": None,
        **more,
    }


def _refund(number: int, customer: int, amount: str) -> dict[str, Any]:
    return {"id": f"ref_{number}", "payment_id": f"pay_{number}", "method_id": f"pm_{customer}", "amount": amount}


def _variant(number: int, size: str, price: str, stock: int, cost: str | None) -> dict[str, Any]:
    options = {"size": size, "colour": "Größe%Rot"}
    return {"id": f"v_{number}", "options": options, "price": price, "cost": cost, "stock": stock}


WORLD: dict[str, Any] = {
    "currency": "USD",
    "customers": [
        _customer(
            1,
            payment_methods=[
                _method("pm_1", "card", brand="visa", last4="4242"),
                _method("pm_1g", "gift_card", balance="20.00"),
            ],
        ),
        _customer(2, first_name="Ivo", phone="+1 555 0102"),
    ],
    "products": [
        {
            "id": "p_1",
            "title": "T-Shirt",
            "category": "apparel",
            "variants": [_variant(1, "M", "48.00", 5, "20.00"), _variant(2, "L", "50.00", 0, "21.00")],
        },
        {"id": "p_2", "title": "Becher", "category": None, "variants": [_variant(3, "one", "9.50", 9, None)]},
        {"id": "p_3", "title": "Nothing Yet", "category": "apparel", "variants": []},
    ],
    "offers": [_offer("BUNDLE5", "percent", "5"), _offer("WELCOME10", "percent", "10", stackable=False)],
    "carts": [
        {
            "id": "cart_1",
            "customer_id": "cus_1",
            "lines": [{"variant_id": "v_1", "quantity": 1}, {"variant_id": "v_3", "quantity": 2}],
            "offers": ["BUNDLE5"],
        },
        {"id": "cart_2", "customer_id": "cus_2", "lines": [], "offers": ["BUNDLE5"]},
    ],
    "orders": [
        _order(
            1,
            1,
            "2026-11-01T00:00:00Z",
            "delivered",
            delivered_at="2026-11-08T01:00:00+01:00",
            refunds=[_refund(1, 1, "10.00")],
            shipments=[{"id": "shp_1", "tracking": "TG1", "line_ids": ["ord_1-1"]}],
        ),
        _order(2, 1, "2026-11-20T00:00:00Z", "pending", note="Ring twice"),
        _order(3, 1, "2026-01-01T00:00:00Z", "cancelled", disputed=True, refunds=[_refund(3, 1, "96.00")]),
        _order(4, 2, "2026-11-21T00:00:00Z", "pending"),
    ],
}


@pytest.fixture
def world() -> dict[str, Any]:
    """A shop file without a finding, to be spoilt by one test."""
    return deepcopy(WORLD)


@pytest.fixture(scope="session")
def valid() -> str:
    """The text of a shop file without a finding."""
    return json.dumps(WORLD)


def database(path: Path) -> SqliteSql:
    engine = create_engine(f"sqlite:///{path}")
    create_tables(engine)
    engine.dispose()
    return SqliteSql(connect(path))


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database file of bare tables and one of the small shop, made once."""
    folder = tmp_path_factory.mktemp("templates")
    database(folder / "empty.db").connection.close()
    filled = database(folder / "filled.db")
    seed(filled, json.dumps(WORLD), now=NOW)
    filled.connection.close()
    return folder


@pytest.fixture
def empty(templates: Path, tmp_path: Path) -> Iterator[Sql]:
    """A database file with the shop's tables and nothing in them."""
    sql = SqliteSql(connect(shutil.copy(templates / "empty.db", tmp_path / "empty.db")))
    yield sql
    sql.connection.close()


@pytest.fixture
def sql(templates: Path, tmp_path: Path) -> Iterator[Sql]:
    """The database file of the small shop."""
    sql = SqliteSql(connect(shutil.copy(templates / "filled.db", tmp_path / "filled.db")))
    yield sql
    sql.connection.close()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    """The small shop once for a whole module: each example undoes what it did."""
    sql = database(tmp_path_factory.mktemp("shop") / "shop.db")
    seed(sql, json.dumps(WORLD), now=NOW)
    yield sql
    sql.connection.close()


@pytest.fixture
def seen_by(sql: Sql) -> Callable[..., ShopReader]:
    """The shop as one customer sees it."""

    def reader(customer_id: str | None, conversation: str = "talk", now: datetime = NOW) -> ShopReader:
        return ShopReader(sql, customer_id=customer_id, conversation=conversation, now=now, currency=currency("USD"))

    return reader


@pytest.fixture(scope="session")
def contents() -> Callable[[Sql], dict[str, list[tuple[Any, ...]]]]:
    """Every row of every table but its version, in the order of ids."""
    return rows_without_versions


def rows_without_versions(sql: Sql) -> dict[str, list[tuple[Any, ...]]]:
    tables = sorted(rows.__tablename__ for rows in KINDS.values())
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in tables:
        rows = sql.rows(f"SELECT * FROM {table} ORDER BY id")
        found[table] = [tuple(row[name] for name in row.keys() if name != "version") for row in rows]  # noqa: SIM118
    return found
