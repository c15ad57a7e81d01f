"""Take delivered items back; their money is promised now and paid once the goods are there."""

from pydantic import Field

from tillgate.guards.model import Impact, Plan, Reason, Undo
from tillgate.guards.ports import Hints
from tillgate.tools.amending import NOT_DELIVERED, UNKNOWN_LINE, amendment, amendment_id
from tillgate.tools.arguments import ChangeArgs, Id, Text
from tillgate.tools.changes import in_words
from tillgate.tools.commerce.model import Customer, Order
from tillgate.tools.commerce.record import Record
from tillgate.tools.facts import method_facts
from tillgate.tools.looking import own_order, seen
from tillgate.tools.refunding import (
    RefundLine,
    RefundLines,
    Share,
    destination,
    digits,
    lost,
    opened,
    original,
    refund_changes,
    refundable,
    refunds,
    shares,
    target,
    worth,
)
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.amendments import ReturnResult
from tillgate.tools.views.orders import lines_view, refund_view

_RESIDUE = "Goods that are on their way back by then still come back."


class ReturnItemsArgs(ChangeArgs):
    order_id: Id
    lines: RefundLines = Field(description="What comes back")
    reason: Text = Field(description="Why, in a few words")
    refund_method: Id | None = Field(
        default=None, description="original (the default), store_credit, or a payment method id on file"
    )


class ReturnItems(Tool[ReturnItemsArgs]):
    name = "return_items"
    description = (
        "Take items of a delivered order back. The refund is promised at once and paid when the goods have arrived. "
        "Name every item the customer sends back in one call; for money without goods use issue_refund. Expect to be "
        "asked for verification or confirmation."
    )
    effect = "write"
    intent = "refund"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = ReturnResult
    always = frozenset({"customer", "order", "method"})
    args = ReturnItemsArgs

    def look_up(self, args: ReturnItemsArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record)

    def plan(self, args: ReturnItemsArgs, found: Found, record: Record) -> Plan | Reason:
        customer, order = seen(found.customer), seen(found.order)
        if order.status != "delivered":
            return NOT_DELIVERED
        wanted = _wanted(order, args.lines)
        if isinstance(wanted, Reason):
            return wanted
        to = target(customer, args.refund_method or "original")
        if isinstance(to, Reason):
            return to
        parts = shares(order, customer, min(wanted, refundable(order)), to)
        if not parts:
            return Reason("nothing_to_refund", "There is nothing left to refund here.")
        return lost(parts, customer) or _return(args, order, customer, parts, record)


def _wanted(order: Order, lines: tuple[RefundLine, ...]) -> int | Reason:
    """What the lines are worth; a charge is no item, and what is being exchanged comes back another way."""
    for asked in lines:
        line = order.line(asked.line_id)
        if line is not None and line.variant_id is None:
            return UNKNOWN_LINE
        if any(asked.line_id in each.lines for each in order.amended("exchange")):
            return Reason("already_exchanged", "This line is being exchanged already.")
    return worth(order, lines)


def _return(args: ReturnItemsArgs, order: Order, customer: Customer, parts: tuple[Share, ...], record: Record) -> Plan:
    amount = sum(part.amount for part in parts)
    quantities = {line.line_id: line.quantity for line in args.lines}
    made = refunds(order, parts, "return", args.reason, quantities, record.now)
    return Plan(
        ReturnItems.name,
        f"Take back {sum(quantities.values())} of order {order.id} and refund "
        f"{in_words(record.currency, amount)} to {destination(parts)} when the goods are there",
        digits(parts),
        changes=(
            *opened(parts, customer),
            *refund_changes(order, made),
            *amendment(order, "return", record.now, quantities, args.reason),
        ),
        impact=Impact(amount, "refund"),
        basis=((f"order:{order.id}", order.version),),
        undo=Undo(residue=_RESIDUE),
        method=method_facts(parts[0].to, original=original(parts)),
        result=ReturnResult(
            currency=record.currency.code,
            order_id=order.id,
            return_id=amendment_id(order),
            lines=lines_view([line for line in order.lines if line.id in quantities], record.currency),
            amount=record.currency.format(amount),
            refunds=[refund_view(refund, record.currency) for refund in made],
        ),
    )
