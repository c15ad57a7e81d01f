"""Refund an order, some of its lines or a part of either; the amount can be lowered, never raised."""

from pydantic import Field

from tillgate.guards.model import Impact, Plan, Reason, Undo
from tillgate.guards.money import Currency
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import ChangeArgs, Id, Money, Text
from tillgate.tools.changes import in_words
from tillgate.tools.commerce.model import Customer, Order, Refund
from tillgate.tools.commerce.record import Record
from tillgate.tools.facts import method_facts
from tillgate.tools.looking import own_order, seen
from tillgate.tools.refunding import (
    RefundLines,
    Share,
    asked,
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
)
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.orders import refund_view
from tillgate.tools.views.refunds import RefundResult

_FINAL = "The refund has been handed to the payment provider and cannot be called back."


class IssueRefundArgs(ChangeArgs):
    order_id: Id
    lines: RefundLines | None = Field(default=None, description="What is refunded; without it the whole order")
    amount: Money | None = Field(default=None, description="Less than the lines are worth; leave it out for all")
    reason: Text = Field(description="Why, in a few words")
    method: Id | None = Field(
        default=None, description="original (the default), store_credit, or a payment method id on file"
    )


class IssueRefund(Tool[IssueRefundArgs]):
    name = "issue_refund"
    description = (
        "Give money back for an order of this customer: all of it, some lines, or a smaller amount. Use it "
        "when the customer asks for a refund of something that is not being cancelled. It cannot be taken "
        "back; expect to be asked for verification or confirmation, or to get a handle while a colleague "
        "decides."
    )
    effect = "write"
    intent = "refund"
    hints = Hints(read_only=False, destructive=True, idempotent=False)
    result = RefundResult
    always = frozenset({"customer", "order", "method"})
    args = IssueRefundArgs

    def look_up(self, args: IssueRefundArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record)

    def plan(self, args: IssueRefundArgs, found: Found, record: Record) -> Plan | Reason:
        customer, order = seen(found.customer), seen(found.order)
        amount = asked(order, args.lines, args.amount.minor if args.amount else None, record.currency)
        if isinstance(amount, Reason):
            return amount
        to = target(customer, args.method or "original")
        if isinstance(to, Reason):
            return to
        parts = shares(order, customer, amount, to)
        return lost(parts, customer) or _refund(args, order, customer, parts, record)


def _refund(args: IssueRefundArgs, order: Order, customer: Customer, parts: tuple[Share, ...], record: Record) -> Plan:
    amount = sum(part.amount for part in parts)
    lines = {line.line_id: line.quantity for line in args.lines or ()}
    made = refunds(order, parts, "refund", args.reason, lines, record.now)
    return Plan(
        IssueRefund.name,
        f"Refund {in_words(record.currency, amount)} of order {order.id} to {destination(parts)}",
        digits(parts),
        changes=opened(parts, customer) + refund_changes(order, made),
        impact=Impact(amount, "refund", reversible=False),
        basis=((f"order:{order.id}", order.version),),
        undo=Undo(why_not=_FINAL),
        method=method_facts(parts[0].to, original=original(parts)),
        result=_result(order, made, record.currency),
    )


def _result(order: Order, made: tuple[Refund, ...], currency: Currency) -> RefundResult:
    amount = sum(refund.amount for refund in made)
    return RefundResult(
        currency=currency.code,
        order_id=order.id,
        amount=currency.format(amount),
        refunds=[refund_view(refund, currency) for refund in made],
        refundable=currency.format(refundable(order) - amount),
    )
