"""From rows to the frozen nouns of a shop; nothing here reads or writes.

Functions take `sqlite3.Row` by column name, so a query may select more than is used and in any order.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import orjson

from tillgate.tools.commerce.model import (
    Address,
    Amendment,
    Cart,
    CartLine,
    Customer,
    Offer,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    Refund,
    Shipment,
    Variant,
)
from tillgate.tools.shops.embedded.opening import CHARGES
from tillgate.tools.shops.embedded.sql import Row


def _name(transfer_id: str) -> str:
    """The shop's own id of a payment or refund, without its kind."""
    return transfer_id.partition("/")[2]


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as every time is stored; text order is time order."""
    return moment.astimezone(UTC).isoformat()[:19] + "Z"


def moment(text: str) -> datetime:
    """The aware UTC time of a stored text."""
    return datetime.fromisoformat(text)


def moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def address(text: str) -> Address:
    """A stored address; `line2` and `region` may be missing."""
    found = orjson.loads(text)
    return Address(
        found["line1"],
        found.get("line2"),
        found["city"],
        found.get("region"),
        found["postal_code"],
        found["country"],
    )


def payment_method(row: Row) -> PaymentMethod:
    return PaymentMethod(
        row["id"],
        row["customer_id"],
        row["kind"],
        row["brand"],
        row["last4"],
        row["balance"],
        row["refunds_30d"],
        row["refunded_30d"],
        row["version"],
    )


def customer(row: Row, methods: Iterable[Row]) -> Customer:
    """A customer with the figures that the query worked out beside the columns."""
    return Customer(
        id=row["id"],
        email=row["email"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        phone=row["phone"],
        created_at=moment(row["created_at"]),
        address=address(row["address"]),
        address_changed_at=moment_or_none(row["address_changed_at"]),
        tags=tuple(orjson.loads(row["tags"])),
        payment_methods=tuple(payment_method(method) for method in methods),
        version=row["version"],
        email_changed_at=moment_or_none(row["email_changed_at"]),
        orders=row["orders"],
        refunds_30d=row["refunds_30d"],
        refunded_30d=row["refunded_30d"],
        returned_orders=row["returned_orders"],
        disputes=row["disputes"],
    )


def variant(row: Row) -> Variant:
    return Variant(
        row["id"],
        row["product_id"],
        row["title"],
        orjson.loads(row["options"]),
        row["price"],
        row["cost"],
        row["stock"],
        row["version"],
    )


def offer(row: Row) -> Offer:
    return Offer(
        code=row["id"],
        kind=row["kind"],
        value=row["value"],
        minimum=row["minimum"],
        starts_at=moment_or_none(row["starts_at"]),
        ends_at=moment_or_none(row["ends_at"]),
        stackable=bool(row["stackable"]),
        max_uses_per_customer=row["max_uses_per_customer"],
        tags=tuple(orjson.loads(row["tags"])),
        version=row["version"],
    )


def cart(row: Row, lines: Iterable[Row], offers: Iterable[Row]) -> Cart:
    return Cart(
        row["id"],
        row["customer_id"],
        tuple(CartLine(variant(line), line["quantity"], line["quoted"]) for line in lines),
        tuple(offer(each) for each in offers),
        row["version"],
    )


def order_line(row: Row) -> OrderLine:
    return OrderLine(
        row["id"],
        row["variant_id"],
        row["product_id"],
        row["title"] or CHARGES,
        orjson.loads(row["options"] or "{}"),
        row["quantity"],
        row["unit_price"],
        row["discount"],
    )


def payment(row: Row) -> Payment:
    return Payment(_name(row["id"]), row["method_id"], row["kind"], row["last4"], row["amount"])


def refund(row: Row) -> Refund:
    return Refund(
        _name(row["id"]),
        _name(row["payment_id"]),
        row["method_id"],
        row["amount"],
        row["reason"],
        orjson.loads(row["lines"]),
        row["cause"],
        moment_or_none(row["created_at"]),
        moment_or_none(row["settles_at"]),
    )


def amendment(row: Row) -> Amendment:
    return Amendment(row["id"], row["kind"], orjson.loads(row["lines"]), moment(row["created_at"]))


def shipment(row: Row) -> Shipment:
    return Shipment(row["id"], row["tracking"], tuple(orjson.loads(row["line_ids"])))


def order(
    row: Row,
    lines: Iterable[Row],
    payments: Iterable[Row],
    refunds: Iterable[Row],
    shipments: Iterable[Row],
    amendments: Iterable[Row],
) -> Order:
    """An order with everything that hangs on it."""
    return Order(
        id=row["id"],
        customer_id=row["customer_id"],
        placed_at=moment(row["placed_at"]),
        status=row["status"],
        delivered_at=moment_or_none(row["delivered_at"]),
        disputed=bool(row["disputed"]),
        shipping_address=address(row["shipping_address"]),
        lines=tuple(order_line(line) for line in lines),
        payments=tuple(payment(each) for each in payments),
        refunds=tuple(refund(each) for each in refunds),
        shipments=tuple(shipment(each) for each in shipments),
        amendments=tuple(amendment(each) for each in amendments),
        note=row["note"],
        version=row["version"],
        address_refunds_30d=row["address_refunds_30d"],
    )
