"""From rows to the frozen nouns of a shop; nothing here reads or writes.

A row has its columns in the order of the noun it becomes, as `statements` selects them; what hangs on a record is a
JSON list of such rows. Structured values are JSON text.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

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

CHARGES = "Shipping, tax and other charges"
"""What a line is called that stands for what was paid beside the things."""

Row: TypeAlias = Iterable[Any]


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


def customer(row: Row) -> Customer:
    """A customer with the figures that the query worked out beside the columns."""
    customer_id, email, first_name, last_name, phone, created_at, lives, moved_at, tags, methods, *rest = row
    version, changed_at, *past = rest
    return Customer(
        customer_id,
        email,
        first_name,
        last_name,
        phone,
        moment(created_at),
        address(lives),
        moment_or_none(moved_at),
        tuple(orjson.loads(tags)),
        tuple([PaymentMethod(*method) for method in orjson.loads(methods)]),
        version,
        moment_or_none(changed_at),
        *past,
    )


def variant(row: Row) -> Variant:
    variant_id, product_id, title, options, *figures = row
    return Variant(variant_id, product_id, title, orjson.loads(options), *figures)


def offer(row: Row) -> Offer:
    code, kind, value, minimum, starts_at, ends_at, stackable, most, tags, version = row
    return Offer(
        code,
        kind,
        value,
        minimum,
        moment_or_none(starts_at),
        moment_or_none(ends_at),
        bool(stackable),
        most,
        tuple(orjson.loads(tags)),
        version,
    )


def cart(row: Row) -> Cart:
    """A cart with its lines and the offers on it."""
    cart_id, customer_id, lines, offers, version = row
    return Cart(
        cart_id,
        customer_id,
        tuple([CartLine(variant(of), quantity, quoted) for *of, quantity, quoted in orjson.loads(lines)]),
        tuple([offer(each) for each in orjson.loads(offers)]),
        version,
    )


def order_line(row: Row) -> OrderLine:
    line_id, variant_id, product_id, title, options, *figures = row
    return OrderLine(line_id, variant_id, product_id, title or CHARGES, orjson.loads(options or "{}"), *figures)


def payment(row: Row) -> Payment:
    transfer_id, *fields = row
    return Payment(_name(transfer_id), *fields)


def refund(row: Row) -> Refund:
    transfer_id, payment_id, method_id, amount, reason, lines, cause, created_at, settles_at = row
    return Refund(
        _name(transfer_id),
        _name(payment_id),
        method_id,
        amount,
        reason,
        orjson.loads(lines),
        cause,
        moment_or_none(created_at),
        moment_or_none(settles_at),
    )


def amendment(row: Row) -> Amendment:
    amendment_id, kind, lines, created_at = row
    return Amendment(amendment_id, kind, orjson.loads(lines), moment(created_at))


def shipment(row: Row) -> Shipment:
    shipment_id, tracking, line_ids = row
    return Shipment(shipment_id, tracking, tuple(orjson.loads(line_ids)))


def order(row: Row) -> Order:
    """An order with everything that hangs on it."""
    order_id, customer_id, placed_at, status, delivered_at, disputed, sent_to, *parts, note, version, near = row
    lines, payments, refunds, shipments, amendments = map(orjson.loads, parts)
    return Order(
        order_id,
        customer_id,
        moment(placed_at),
        status,
        moment_or_none(delivered_at),
        bool(disputed),
        address(sent_to),
        tuple([order_line(line) for line in lines]),
        tuple([payment(each) for each in payments]),
        tuple([refund(each) for each in refunds]),
        tuple([shipment(each) for each in shipments]),
        tuple([amendment(each) for each in amendments]),
        note,
        version,
        near,
    )
