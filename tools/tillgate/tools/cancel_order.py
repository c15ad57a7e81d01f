"""Cancel an order that has not been sent, and give back what was captured for it, once."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from tillgate.guards.model import Change, Impact, Plan, Reason, Undo
from tillgate.guards.ports import Hints
from tillgate.tools.amending import CARD_RESIDUE, amendment, stock_moves
from tillgate.tools.arguments import ChangeArgs, Id
from tillgate.tools.changes import in_words, stamped
from tillgate.tools.commerce.model import Customer, Order, Payment, PaymentMethod, Refund
from tillgate.tools.commerce.record import Record
from tillgate.tools.facts import method_facts
from tillgate.tools.looking import own_order, seen
from tillgate.tools.refunding import (
    SETTLES,
    Share,
    destination,
    lost,
    paid_with,
    refund_changes,
    refundable,
    refunds,
    shares,
)
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.orders import refund_view
from tillgate.tools.views.refunds import Cancellation

CancelReason: TypeAlias = Literal["no_longer_needed", "ordered_by_mistake", "other"]


class CancelOrderArgs(ChangeArgs):
    order_id: Id
    reason: CancelReason = Field(description="What the customer says; ask if it is not clear")


class CancelOrder(Tool[CancelOrderArgs]):
    name = "cancel_order"
    description = (
        "Cancel an order that has not been dispatched and refund what was paid to the original methods. Use "
        "it when the customer no longer wants an order that is still in the shop; for one that was sent "
        "use issue_refund. It can be taken back for a short while with undo_action; expect to be asked for "
        "verification or confirmation."
    )
    effect = "write"
    intent = "cancellation"
    hints = Hints(read_only=False, destructive=True, idempotent=False)
    result = Cancellation
    always = frozenset({"customer", "order", "method"})
    args = CancelOrderArgs

    def look_up(self, args: CancelOrderArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record)

    def plan(self, args: CancelOrderArgs, found: Found, record: Record) -> Plan | Reason:
        customer, order = seen(found.customer), seen(found.order)
        if order.status == "cancelled":
            return Reason("already_cancelled", "This order is already cancelled.")
        if order.dispatched:
            return Reason("already_dispatched", "This order has been sent and can no longer be cancelled.")
        parts = shares(order, customer, refundable(order), None)
        return lost(parts, customer) or _cancellation(args.reason, order, customer, parts, record)


def _cancellation(reason: str, order: Order, customer: Customer, parts: tuple[Share, ...], record: Record) -> Plan:
    amount, until = sum(part.amount for part in parts), record.now + SETTLES
    made = refunds(order, parts, "cancellation", f"cancelled: {reason}", {}, record.now)
    back = f" and refund {in_words(record.currency, amount)} to {destination(parts)}" if parts else ""
    return Plan(
        CancelOrder.name,
        f"Cancel order {order.id}{back}",
        changes=(
            Change(f"order:{order.id}", "status", order.status, "cancelled"),
            *refund_changes(order, made),
            *stock_moves(order, [(line, line.quantity) for line in order.lines]),
            *amendment(order, "cancellation", record.now, {}, reason),
        ),
        impact=Impact(amount, "refund", reversible=True),
        basis=((f"order:{order.id}", order.version),),
        undo=Undo(until=until, residue=CARD_RESIDUE if parts else None),
        method=method_facts(_paid_by(order, customer), original=True),
        result=_result(order, made, until, record),
    )


def _paid_by(order: Order, customer: Customer) -> PaymentMethod:
    """The method that pays for the order now; a card that never was, for an order nothing was paid for."""
    nothing = Payment("", "", "card", None, 0)
    return paid_with(order.paying[0] if order.payments else nothing, customer)


def _result(order: Order, made: tuple[Refund, ...], until: datetime, record: Record) -> Cancellation:
    return Cancellation(
        currency=record.currency.code,
        id=order.id,
        status="cancelled",
        amount=record.currency.format(sum(refund.amount for refund in made)),
        refunds=[refund_view(refund, record.currency) for refund in made],
        undo_until=stamped(until),
    )
