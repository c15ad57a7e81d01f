"""Whether a carried-out plan can be taken back exactly.

The rule it keeps: nothing the plan touched may have moved since, and the shop must still allow what was before.
"""

from collections.abc import Iterator, Mapping

from tillgate.guards.model import Change, ImpactKind, Json, Reason
from tillgate.tools.carts import gain, refusal, uses
from tillgate.tools.commerce.model import Cart, Offer
from tillgate.tools.commerce.record import PastCall, Record
from tillgate.tools.update_address import undeliverable

_CHANGED_SINCE = Reason("changed_since", "It has changed again since then, so this cannot simply be taken back.")
_BEFORE_DISPATCH = {"items", "payment", "address", "cancellation"}
_ROOTS = ("order", "cart", "customer")
_OF_ORDERS = ("order_line", "transfer", "amendment", "stock_move")


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
        if left.get("id") is not None and _is_used(entity, changes, record):
            return _CHANGED_SINCE
    return None


def barred(changes: tuple[Change, ...], record: Record) -> Reason | None:
    """Why the shop refuses the state of before: the parcel has left, or the offer no longer applies."""
    if reason := _gone(changes, record) or _unpaid(changes, record) or _sold(changes, record):
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


def paid_back(changes: tuple[Change, ...]) -> int:
    """What leaves the shop, in minor units, when the captures among these changes are taken back."""
    moved = (fields for _, fields in _made(changes, "transfer"))
    amounts: list[int] = [fields["amount"] if fields["kind"] == "payment" else -fields["amount"] for fields in moved]
    return max(0, sum(amounts))


def reduction(changes: tuple[Change, ...], record: Record) -> int:
    """What comes off a cart again, in minor units at today's prices, when these changes are taken back."""
    cart, offers = returning(changes, record)
    return sum(gain(cart, offer) for offer in offers) if cart else 0


def impact_kind(changes: tuple[Change, ...], back: int, reduces: int) -> ImpactKind:
    """What kind of act the inverse is: an address put back is as much a new address as the first."""
    if back:
        return "refund"
    if reduces:
        return "price_reduction"
    if any(change.field == "shipping_address" for change in changes):
        return "delivery_change"
    return "account_change" if any(change.entity.startswith("customer:") for change in changes) else "none"


def roots(changes: tuple[Change, ...], record: Record) -> tuple[str, ...]:
    """The records these changes belong to: orders, carts, customers."""
    found = (_root(entity, _fields(entity, changes), record) for entity in dict.fromkeys(c.entity for c in changes))
    return tuple(dict.fromkeys(root for root in found if root is not None))


def _gone(changes: tuple[Change, ...], record: Record) -> Reason | None:
    """Why an order can no longer be what it was: it was cancelled since, or is on its way."""
    kinds = {str(fields["kind"]) for _, fields in _made(changes, "amendment")}
    orders = {root.partition(":")[2] for root in roots(changes, record) if root.startswith("order:")}
    cancels = any(change.entity.startswith("order:") and change.field == "status" for change in changes)
    for order in filter(None, map(record.order, orders)):
        if order.status == "cancelled" and not cancels:
            return _CHANGED_SINCE
        if kinds & _BEFORE_DISPATCH and (reason := None if cancels else undeliverable(order)):
            return reason
    return None


def _unpaid(changes: tuple[Change, ...], record: Record) -> Reason | None:
    """Why the money cannot go the way back: a payment was refunded since, or a balance was spent."""
    moved = dict(_made(changes, "transfer"))
    for entity, fields in moved.items():
        if fields["kind"] == "payment" and _refunded(entity, fields["order_id"], set(moved), record):
            return _CHANGED_SINCE
    customer = record.customer()
    for method in customer.payment_methods if customer else ():
        back = sum(
            fields["amount"] * (1 if fields["kind"] == "payment" else -1)
            for fields in moved.values()
            if fields["method_id"] == method.id and (fields["kind"] == "payment" or fields.get("settles_at"))
        )
        if method.balance is not None and method.balance + back < 0:
            return Reason("balance_spent", "What was paid back has been spent since, so it cannot be taken back.")
    return None


def _refunded(payment: str, order_id: str, besides: set[str], record: Record) -> bool:
    order, name = record.order(order_id), payment.partition("/")[2]
    refunds = order.refunds if order else ()
    return any(each.payment_id == name and f"transfer:refund/{each.id}" not in besides for each in refunds)


def _sold(changes: tuple[Change, ...], record: Record) -> Reason | None:
    """Why the goods cannot go the way back: what was set free has been sold since."""
    freed: dict[str, int] = {}
    for _, fields in _made(changes, "stock_move"):
        freed[fields["variant_id"]] = freed.get(fields["variant_id"], 0) + fields["quantity"]
    stock = record.variants(list(freed))
    if any(stock[variant_id].stock < units for variant_id, units in freed.items()):
        return Reason("sold_since", "What was set free has been sold since, so it cannot be taken back.")
    return None


def _made(changes: tuple[Change, ...], kind: str) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """The records of one kind that the changes made, with their fields."""
    for entity in dict.fromkeys(change.entity for change in changes if change.entity.startswith(f"{kind}:")):
        yield entity, _fields(entity, changes)


def _fields(entity: str, changes: tuple[Change, ...]) -> Mapping[str, Json]:
    """What the changes say of a record: its fields as made, or as they were when it was removed."""
    return {c.field: c.before if c.after is None else c.after for c in changes if c.entity == entity}


def _root(entity: str, fields: Mapping[str, Json], record: Record) -> str | None:
    kind, _, key = entity.partition(":")
    if kind in _ROOTS:
        return entity
    if kind in ("cart_line", "cart_offer"):
        return f"cart:{key.partition('/')[0]}"
    if kind in _OF_ORDERS:
        order_id = fields.get("order_id") or (record.entity(entity) or {}).get("order_id")
        return f"order:{order_id}" if order_id else None
    customer = record.customer() if kind == "payment_method" else None
    return f"customer:{customer.id}" if customer else None


def _is_used(entity: str, changes: tuple[Change, ...], record: Record) -> bool:
    """Whether a record that would be unmade has been given something since by another action."""
    if entity.startswith("payment_method:"):
        made = {change.entity for change in changes}
        return not record.transfers(entity.partition(":")[2]) <= made
    return entity.startswith("cart:") and _holds_more(entity, changes, record)


def _holds_more(entity: str, changes: tuple[Change, ...], record: Record) -> bool:
    """Whether a cart that would be unmade holds anything this action did not put in."""
    cart = record.cart(entity.partition(":")[2])
    if cart is None:
        return True
    made = {change.entity for change in changes}
    held = {f"cart_line:{cart.id}/{line.variant.id}" for line in cart.lines}
    return not (held | {f"cart_offer:{cart.id}/{offer.code}" for offer in cart.offers}) <= made
