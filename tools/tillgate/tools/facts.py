"""Facts from the record: each function turns one record into the typed facts of its group (CONTRACT §5)."""

from collections.abc import Mapping
from datetime import datetime

from tillgate.guards.model import Json
from tillgate.tools.commerce.model import Cart, Customer, Offer, Order, PaymentMethod

_WITHDRAWAL_DAYS = 14
_EU = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)


def _days(then: datetime, now: datetime) -> int:
    return max(0, (now - then).days)


def _hours(then: datetime, now: datetime) -> int:
    past = now - then
    return max(0, past.days * 24 + past.seconds // 3600)


def withdrawal(country: str, delivered_at: datetime | None, now: datetime) -> str:
    """The buyer's right to withdraw from a distance sale: `none` outside the EU, else `open` or `over`.

    Fourteen days from the day after delivery, by Directive 2011/83/EU Art. 9 and Regulation 1182/71 Art. 3: the whole
    fourteenth day counts. Days are taken in UTC. A last day on a weekend or holiday is not carried on to the next
    working day (Art. 3(4)), and the exceptions of Art. 16 are for a policy to know.
    """
    if country not in _EU:
        return "none"
    if delivered_at is None:
        return "open"
    return "open" if (now.date() - delivered_at.date()).days <= _WITHDRAWAL_DAYS else "over"


def customer_facts(customer: Customer, now: datetime) -> Mapping[str, Json]:
    """Group `customer`."""
    facts: dict[str, Json] = {
        "id": customer.id,
        "age_days": _days(customer.created_at, now),
        "orders": customer.orders,
        "tags": list(customer.tags),
        "refunds_30d": customer.refunds_30d,
        "refunded_30d": customer.refunded_30d,
        "returns_percent": customer.returned_orders * 100 // customer.orders if customer.orders else 0,
        "disputes": customer.disputes,
    }
    if customer.address_changed_at is not None:
        facts["address_age_hours"] = _hours(customer.address_changed_at, now)
    if customer.email_changed_at is not None:
        facts["email_age_hours"] = _hours(customer.email_changed_at, now)
    return facts


def order_facts(order: Order, now: datetime) -> Mapping[str, Json]:
    """Group `order`. What was done to it since it was placed follows from its amendments."""
    money, done = order.sums, [each.kind for each in order.amendments]
    facts: dict[str, Json] = {
        "id": order.id,
        "customer_id": order.customer_id,
        "status": order.status,
        "total": order.total,
        "captured": money.captured,
        "refunded": money.refunded,
        "refundable": money.refundable,
        "refunded_percent": min(100, money.refunded * 100 // money.captured) if money.captured else 0,
        "age_hours": _hours(order.placed_at, now),
        "dispatched": order.dispatched,
        "disputed": order.disputed,
        "country": order.shipping_address.country,
        "method_kind": order.paying[0].method_kind if order.payments else "card",
        "items_changed": "items" in done,
        "payment_changes": done.count("payment"),
        "return_requested": "return" in done,
        "exchange_requested": "exchange" in done,
        "withdrawal": withdrawal(order.shipping_address.country, order.delivered_at, now),
        "address_refunds_30d": order.address_refunds_30d,
    }
    if moved := order.amended("address"):
        facts["address_age_hours"] = _hours(moved[-1].created_at, now)
    if order.delivered_at is not None:
        facts["delivered_days"] = _days(order.delivered_at, now)
    return facts


def cart_facts(cart: Cart) -> Mapping[str, Json]:
    """Group `cart`, as it stands before the plan; for a discount, the margin is the one that would be left."""
    money = cart.sums
    facts: dict[str, Json] = {
        "id": cart.id,
        "subtotal": money.subtotal,
        "discount": money.discount,
        "total": money.total,
        "items": cart.items,
        "offers": [offer.code for offer in cart.offers],
    }
    if money.margin is not None:
        facts["margin"] = money.margin
    if (percent := money.margin_percent) is not None:
        facts["margin_percent"] = percent
    return facts


def offer_facts(offer: Offer, uses: int, now: datetime) -> Mapping[str, Json]:
    """Group `offer`: `uses_by_customer` counts the subject's other carts that carry it."""
    facts: dict[str, Json] = {
        "code": offer.code,
        "kind": offer.kind,
        "stackable": offer.stackable,
        "uses_by_customer": uses,
        "tags": list(offer.tags),
    }
    if offer.ends_at is not None:
        facts["ends_in_hours"] = _hours(now, offer.ends_at)
    return facts


def method_facts(method: PaymentMethod, *, original: bool) -> Mapping[str, Json]:
    """Group `method`: the payment method the plan uses."""
    facts: dict[str, Json] = {
        "kind": method.kind,
        "original": original,
        "refunds_30d": method.refunds_30d,
        "refunded_30d": method.refunded_30d,
    }
    if method.balance is not None:
        facts["balance"] = method.balance
    return facts
