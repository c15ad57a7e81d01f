"""Whether a carried-out plan can be taken back exactly.

The rule it keeps: nothing the plan touched may have moved since, and the shop must still allow what was before.
"""

from collections.abc import Mapping

from tillgate.guards.model import Change, ImpactKind, Json, Reason
from tillgate.tools.carts import gain, refusal, uses
from tillgate.tools.commerce.model import Cart, Offer
from tillgate.tools.commerce.record import PastCall, Record
from tillgate.tools.update_address import undeliverable

_CHANGED_SINCE = Reason("changed_since", "It has changed again since then, so this cannot simply be taken back.")
_ROOTS = ("order", "cart", "customer")


def closed(past: PastCall, record: Record) -> Reason | None:
    """Why this action cannot be taken back at all, or not any more."""
    if past.undone_by is not None:
        return Reason("already_undone", "This was taken back already.")
    if past.undo_why_not is not None:
        return Reason("not_reversible", past.undo_why_not)
    if past.undo_until is not None and record.now >= past.undo_until:
        return Reason("undo_too_late", "The time in which this could be taken back is over.")
    if not past.changes:
        return Reason("nothing_to_undo", "This changed nothing, so there is nothing to take back.")
    return None


def moved(changes: tuple[Change, ...], record: Record) -> Reason | None:
    """Why the inverse would not be exact: a value is not what the action left, or something was added."""
    for entity in dict.fromkeys(change.entity for change in changes):
        present = record.entity(entity) or {}
        left = {change.field: change.after for change in changes if change.entity == entity}
        if any(present.get(field) != value for field, value in left.items()):
            return _CHANGED_SINCE
        if left.get("id") is not None and entity.startswith("cart:") and _holds_more(entity, changes, record):
            return _CHANGED_SINCE
    return None


def barred(changes: tuple[Change, ...], record: Record) -> Reason | None:
    """Why the shop refuses the state of before: the parcel has left, or the offer no longer applies."""
    for change in changes:
        kind, _, key = change.entity.partition(":")
        if kind == "order" and change.field == "shipping_address":
            order = record.order(key)
            if order and (reason := undeliverable(order)):
                return reason
    cart, offers = returning(changes, record)
    for offer in offers:
        if cart is None:
            return _CHANGED_SINCE
        if reason := refusal(cart, offer, uses(cart, offer, record), record):
            return reason
    return None


def returning(changes: tuple[Change, ...], record: Record) -> tuple[Cart | None, tuple[Offer, ...]]:
    """The offers that taking these changes back would put on a cart again, and that cart."""
    keys = [
        change.entity.partition(":")[2].partition("/")
        for change in changes
        if change.entity.startswith("cart_offer:") and change.field == "id" and change.after is None
    ]
    offers = tuple(offer for _, _, code in keys if (offer := record.offer(code)))
    return (record.cart(keys[0][0]) if keys else None), offers


def reduction(changes: tuple[Change, ...], record: Record) -> int:
    """What comes off a cart again, in minor units at today's prices, when these changes are taken back."""
    cart, offers = returning(changes, record)
    return sum(gain(cart, offer) for offer in offers) if cart else 0


def impact_kind(changes: tuple[Change, ...], reduces: int) -> ImpactKind:
    """What kind of act the inverse is: an address put back is as much a new address as the first."""
    if reduces:
        return "price_reduction"
    if any(change.field == "shipping_address" for change in changes):
        return "delivery_change"
    return "account_change" if any(change.entity.startswith("customer:") for change in changes) else "none"


def roots(changes: tuple[Change, ...], record: Record) -> tuple[str, ...]:
    """The records these changes belong to: orders, carts, customers."""
    found = (_root(entity, _fields(entity, changes), record) for entity in dict.fromkeys(c.entity for c in changes))
    return tuple(dict.fromkeys(root for root in found if root is not None))


def _fields(entity: str, changes: tuple[Change, ...]) -> Mapping[str, Json]:
    """What the changes say of a record: its fields as made, or as they were when it was removed."""
    return {c.field: c.before if c.after is None else c.after for c in changes if c.entity == entity}


def _root(entity: str, fields: Mapping[str, Json], record: Record) -> str | None:
    kind, _, key = entity.partition(":")
    if kind in _ROOTS:
        return entity
    if kind in ("cart_line", "cart_offer"):
        return f"cart:{key.partition('/')[0]}"
    if kind == "refund":
        return f"order:{fields['order_id']}" if "order_id" in fields else None
    customer = record.customer() if kind == "payment_method" else None
    return f"customer:{customer.id}" if customer else None


def _holds_more(entity: str, changes: tuple[Change, ...], record: Record) -> bool:
    """Whether a cart that would be unmade holds anything this action did not put in."""
    cart = record.cart(entity.partition(":")[2])
    if cart is None:
        return True
    made = {change.entity for change in changes}
    held = {f"cart_line:{cart.id}/{line.variant.id}" for line in cart.lines}
    return not (held | {f"cart_offer:{cart.id}/{offer.code}" for offer in cart.offers}) <= made
