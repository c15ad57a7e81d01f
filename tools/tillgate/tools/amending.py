"""What a plan writes when it changes an order: the amendment, the goods it moves, the money it captures."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tillgate.guards.model import Change, Json, Reason
from tillgate.tools.changes import created, next_id
from tillgate.tools.commerce.model import (
    BALANCES,
    AmendmentKind,
    Cause,
    Order,
    OrderLine,
    PaymentMethod,
)
from tillgate.tools.refunding import settled

NOT_PENDING = Reason("not_pending", "This order is being prepared or has been sent, so it can no longer be changed.")
NOT_DELIVERED = Reason("not_delivered", "This order has not been delivered.")
NO_BALANCE = Reason("insufficient_balance", "There is not enough on this gift card or store credit.")
UNKNOWN_METHOD = Reason("unknown_method", "There is no such payment method on file.")
UNKNOWN_LINE = Reason("unknown_line", "A line that was named is not on this order.")
CARD_RESIDUE = "A card statement may show the reserved amount for some days."


def amendment(
    order: Order, kind: AmendmentKind, now: datetime, lines: Mapping[str, Json], reason: str | None = None
) -> tuple[Change, ...]:
    """The changes that write down what was done to an order."""
    new = amendment_id(order)
    fields = {"id": new, "order_id": order.id, "kind": kind, "reason": reason, "lines": dict(lines)}
    return created(f"amendment:{new}", fields, {"created_at": now})


def amendment_id(order: Order) -> str:
    """The id the next amendment of this order will have."""
    return next_id(f"{order.id}-a", {each.id for each in order.amendments})


def stock_moves(order: Order, moves: Iterable[tuple[OrderLine, int]]) -> tuple[Change, ...]:
    """The changes that set units free (above zero) or take them, for the variant of each line."""
    stem = amendment_id(order)
    return tuple(
        change
        for line, quantity in moves
        if line.variant_id is not None
        for change in _stock_move(f"{stem}/{line.id}/{line.variant_id}", order, line.variant_id, quantity)
    )


def payment_changes(
    order: Order, method: PaymentMethod, amount: int, cause: Cause, now: datetime
) -> tuple[Change, ...]:
    """The changes that capture money from a method at once, so that nothing else can spend it."""
    name = next_id(f"{order.id}-p", {payment.id for payment in order.payments})
    fields = {
        "id": f"payment/{name}",
        "kind": "payment",
        "order_id": order.id,
        "method_id": method.id,
        "amount": amount,
        "cause": cause,
        "lines": dict[str, Json](),
    }
    return created(f"transfer:payment/{name}", fields, {"created_at": now, "settles_at": settled(method, now)})


def short_of(method: PaymentMethod, amount: int) -> Reason | None:
    """Why a method cannot pay an amount: a gift card or credit holds less."""
    return NO_BALANCE if method.kind in BALANCES and (method.balance or 0) < amount else None


def _stock_move(move_id: str, order: Order, variant_id: str, quantity: int) -> tuple[Change, ...]:
    fields = {"id": move_id, "variant_id": variant_id, "order_id": order.id, "quantity": quantity}
    return created(f"stock_move:{move_id}", fields)
