"""What a store holds, in the same entries the model keeps."""

import json
from typing import Any

from ledger.model import Line, Offer, Tables, Transfer

from tillgate.tools.shops.embedded.sql import Sql

_VERSIONS = " UNION ALL ".join(
    f"SELECT '{kind}:' || id, version FROM {table}"
    for kind, table in (
        ("order", "orders"),
        ("cart", "cart"),
        ("customer", "customer"),
        ("payment_method", "payment_method"),
        ("variant", "variant"),
        ("offer", "offer"),
    )
)


def plain(text: str) -> str:
    """JSON with its keys in order."""
    return json.dumps(json.loads(text), sort_keys=True)


def entries(sql: Sql) -> Tables:
    """Every entry of the store, by kind."""
    return {**_money(sql), **_orders(sql), **_catalogue(sql), **_carts(sql), **_people(sql)}


def _pairs(sql: Sql, statement: str) -> dict[str, Any]:
    """The first two columns; what is None is no entry."""
    return {row[0]: row[1] for row in sql.rows(statement) if row[1] is not None}


def _money(sql: Sql) -> Tables:
    rows = sql.rows(
        "SELECT id, kind, order_id, method_id, payment_id, amount, cause, settles_at, lines FROM transfer"
        " ORDER BY rowid"
    )
    found = {
        row[0]: Transfer(row[1], row[2], row[3], row[4], row[5], row[6], row[7] is None, plain(row[8])) for row in rows
    }
    methods = sql.rows("SELECT id, customer_id, kind FROM payment_method ORDER BY rowid")
    return {"transfer": found, "method": {row[0]: (row[1], row[2]) for row in methods}}


def _orders(sql: Sql) -> Tables:
    tables: Tables = {kind: {} for kind in ("line", "variant", "unit", "discount", "owner", "status", "address")}
    for row in sql.rows(
        "SELECT id, order_id, quantity, variant_id, unit_price, discount FROM order_line ORDER BY rowid"
    ):
        tables["line"][row[0]] = Line(row[1], row[2], row[3] is not None)
        tables["unit"][row[0]], tables["discount"][row[0]] = row[4], row[5]
        if row[3] is not None:
            tables["variant"][row[0]] = row[3]
    for row in sql.rows("SELECT id, customer_id, status, shipping_address FROM orders"):
        tables["owner"][row[0]], tables["status"][row[0]], tables["address"][row[0]] = row[1], row[2], plain(row[3])
    tables["address"].update({row[0]: plain(row[1]) for row in sql.rows("SELECT id, address FROM customer")})
    amended = sql.rows("SELECT id, order_id, kind, lines FROM amendment ORDER BY rowid")
    return {**tables, "amendment": {row[0]: (row[1], row[2], plain(row[3])) for row in amended}}


def _catalogue(sql: Sql) -> Tables:
    offers = sql.rows("SELECT id, kind, value, minimum, stackable, max_uses_per_customer, ends_at FROM offer")
    return {
        "product": _pairs(sql, "SELECT id, product_id FROM variant"),
        "price": _pairs(sql, "SELECT id, price FROM variant"),
        "stock": _pairs(sql, "SELECT id, stock FROM variant"),
        "offer": {row[0]: Offer(row[1], row[2], row[3], bool(row[4]), row[5], row[6]) for row in offers},
        "version": _pairs(sql, _VERSIONS),
    }


def _carts(sql: Sql) -> Tables:
    return {
        "cart": _pairs(sql, "SELECT id, customer_id FROM cart"),
        "quantity": _pairs(sql, "SELECT id, quantity FROM cart_line"),
        "quoted": _pairs(sql, "SELECT id, quoted FROM cart_line"),
        "on_cart": _pairs(sql, "SELECT id, 1 FROM cart_offer"),
    }


def _people(sql: Sql) -> Tables:
    return {
        "address_at": _pairs(sql, "SELECT id, address_changed_at FROM customer"),
        "request": _pairs(sql, "SELECT id, status FROM escalation"),
    }
