"""What no single entry of a shop file shows: ids used twice, references to nothing, refunds above payments.

Ids are collected from the file as written, so that an entry with a finding of its own does not make every
reference to it a finding too.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tillgate.tools.shops.embedded.shop_file import CartEntry, CustomerEntry, OrderEntry
from tillgate.tools.shops.embedded.strict_json import Finding, Loc, parts, path

_PLACES: Mapping[str, tuple[str, ...]] = {
    "customer": ("customers", "*", "id"),
    "payment method": ("customers", "*", "payment_methods", "*", "id"),
    "product": ("products", "*", "id"),
    "variant": ("products", "*", "variants", "*", "id"),
    "offer": ("offers", "*", "code"),
    "cart": ("carts", "*", "id"),
    "order": ("orders", "*", "id"),
    "order line": ("orders", "*", "lines", "*", "id"),
    "payment": ("orders", "*", "payments", "*", "id"),
    "refund": ("orders", "*", "refunds", "*", "id"),
    "shipment": ("orders", "*", "shipments", "*", "id"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """Every id of the file by kind, and whose each payment method is."""

    ids: Mapping[str, Mapping[str, Loc]]
    owners: Mapping[str, str]


def known(raw: object) -> tuple[Known, list[Finding]]:
    """The ids of the file at their first place, and a finding for each further use."""
    ids: dict[str, dict[str, Loc]] = {}
    findings: list[Finding] = []
    for kind, place in _PLACES.items():
        first = ids.setdefault(kind, {})
        for loc, value in _reach(raw, place, ()):
            if not isinstance(value, str):
                continue
            if value in first:
                findings.append((loc, f"this {kind} is in the file already, at {path(first[value])}"))
            first.setdefault(value, loc)
    return Known(ids, _owners(raw)), findings


def check_customers(customers: Mapping[int, CustomerEntry]) -> Iterator[Finding]:
    """E-mail addresses name one customer each, whatever their case."""
    first: dict[str, int] = {}
    for place, customer in customers.items():
        email = customer.email.strip().casefold()
        if email in first:
            yield ("customers", place, "email"), f"is the e-mail of customers[{first[email]}] too"
        first.setdefault(email, place)


def check_cart(loc: Loc, cart: CartEntry, known: Known) -> Iterator[Finding]:
    """A cart is of a known customer and holds known variants and offers, each once."""
    yield from _unknown((*loc, "customer_id"), "customer", cart.customer_id, known)
    for place, line in enumerate(cart.lines):
        yield from _unknown((*loc, "lines", place, "variant_id"), "variant", line.variant_id, known)
    for place, code in enumerate(cart.offers):
        yield from _unknown((*loc, "offers", place), "offer", code, known)
    yield from _twice((*loc, "lines"), [line.variant_id for line in cart.lines], "variant_id")
    yield from _twice((*loc, "offers"), cart.offers)


def check_order(loc: Loc, order: OrderEntry, known: Known) -> Iterator[Finding]:
    """An order refers to its own lines and payments, and to methods of its own customer."""
    yield from _unknown((*loc, "customer_id"), "customer", order.customer_id, known)
    for place, line in enumerate(order.lines):
        yield from _unknown((*loc, "lines", place, "variant_id"), "variant", line.variant_id, known)
    for place, payment in enumerate(order.payments):
        yield from _foreign((*loc, "payments", place, "method_id"), payment.method_id, order.customer_id, known)
    for place, refund in enumerate(order.refunds):
        yield from _foreign((*loc, "refunds", place, "method_id"), refund.method_id, order.customer_id, known)
    lines = {line.id for line in order.lines}
    for place, shipment in enumerate(order.shipments):
        for inner, line_id in enumerate(shipment.line_ids):
            if line_id not in lines:
                yield (*loc, "shipments", place, "line_ids", inner), "is no line of this order"
        yield from _twice((*loc, "shipments", place, "line_ids"), shipment.line_ids)
    yield from _refunds(loc, order)


def _refunds(loc: Loc, order: OrderEntry) -> Iterator[Finding]:
    left = {payment.id: payment.amount for payment in order.payments}
    for place, refund in enumerate(order.refunds):
        if refund.payment_id not in left:
            yield (*loc, "refunds", place, "payment_id"), "is no payment of this order"
            continue
        left[refund.payment_id] -= refund.amount
        if left[refund.payment_id] < 0:
            yield (*loc, "refunds", place, "amount"), "refunds more than was paid"


def _unknown(loc: Loc, kind: str, reference: str, known: Known) -> Iterator[Finding]:
    if reference not in known.ids[kind]:
        yield loc, f"is no {kind} of this file"


def _foreign(loc: Loc, method_id: str, customer_id: str, known: Known) -> Iterator[Finding]:
    if method_id not in known.ids["payment method"]:
        yield loc, "is no payment method of this file"
    elif known.owners.get(method_id, customer_id) != customer_id:
        yield loc, "is a payment method of another customer"


def _twice(loc: Loc, values: Sequence[str], field: str | None = None) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, value in enumerate(values):
        if value in seen:
            yield (*loc, place, field) if field else (*loc, place), "is listed already"
        seen.add(value)


def _reach(node: object, place: tuple[str, ...], loc: Loc) -> Iterator[tuple[Loc, Any]]:
    if not place:
        yield loc, node
        return
    for step, inner in parts(node):
        if step == place[0] or (place[0] == "*" and isinstance(step, int)):
            yield from _reach(inner, place[1:], (*loc, step))


def _owners(raw: object) -> Mapping[str, str]:
    owners: defaultdict[str, str] = defaultdict(str)
    customers = {loc[1]: value for loc, value in _reach(raw, ("customers", "*", "id"), ())}
    for loc, method_id in _reach(raw, ("customers", "*", "payment_methods", "*", "id"), ()):
        owner = customers.get(loc[1])
        if isinstance(method_id, str) and isinstance(owner, str):
            owners.setdefault(method_id, owner)
    return dict(owners)
