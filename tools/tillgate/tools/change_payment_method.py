"""Have a pending order paid by another method on file; what was paid before goes back where it came from."""

from pydantic import Field

from tillgate.guards.model import Impact, Plan, Reason, Undo
from tillgate.guards.ports import Hints
from tillgate.tools.amending import (
    CARD_RESIDUE,
    NOT_PENDING,
    UNKNOWN_METHOD,
    amendment,
    payment_changes,
    short_of,
)
from tillgate.tools.arguments import ChangeArgs, Id
from tillgate.tools.changes import in_words
from tillgate.tools.commerce.model import Customer, Order, PaymentMethod
from tillgate.tools.commerce.record import Record
from tillgate.tools.facts import method_facts
from tillgate.tools.looking import own_order, seen
from tillgate.tools.refunding import SETTLES, Share, lost, paid_with, refund_changes, refunds
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.amendments import MethodChange
from tillgate.tools.views.orders import refund_view


class ChangePaymentMethodArgs(ChangeArgs):
    order_id: Id
    payment_method_id: Id = Field(description="A method on file, other than the one that pays now")


class ChangePaymentMethod(Tool[ChangePaymentMethodArgs]):
    name = "change_payment_method"
    description = (
        "Have a pending order paid by another payment method on file. The whole amount is taken from the new method "
        "and goes back to the old one; a gift card must hold all of it. Expect to be asked for confirmation."
    )
    effect = "write"
    intent = "payment"
    hints = Hints(read_only=False, destructive=False, idempotent=True)
    result = MethodChange
    always = frozenset({"customer", "order", "method"})
    args = ChangePaymentMethodArgs

    def look_up(self, args: ChangePaymentMethodArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record)

    def plan(self, args: ChangePaymentMethodArgs, found: Found, record: Record) -> Plan | Reason:
        customer, order = seen(found.customer), seen(found.order)
        if order.status != "pending":
            return NOT_PENDING
        method = customer.method(args.payment_method_id)
        if method is None:
            return UNKNOWN_METHOD
        parts = _paid_otherwise(order, customer, method)
        if not parts:
            return Reason("same_method", "This order is paid by that method already, or nothing is paid for it.")
        refused = short_of(method, sum(part.amount for part in parts)) or lost(parts, customer)
        return refused or _change(order, customer, method, parts, record)


def _paid_otherwise(order: Order, customer: Customer, method: PaymentMethod) -> tuple[Share, ...]:
    """What other methods pay for the order now, each to go back where it came from."""
    return tuple(
        Share(payment, paid_with(payment, customer), order.left(payment))
        for payment in order.payments
        if payment.method_id != method.id and order.left(payment)
    )


def _change(order: Order, customer: Customer, method: PaymentMethod, parts: tuple[Share, ...], record: Record) -> Plan:
    amount, now = sum(part.amount for part in parts), record.now
    made = refunds(order, parts, "payment", "paid by another method", {}, now)
    kinds = {part.to.kind for part in parts} | {method.kind}
    return Plan(
        ChangePaymentMethod.name,
        f"Have order {order.id} paid by another method: {in_words(record.currency, amount)} from the "
        f"{method.kind.replace('_', ' ')}",
        changes=(
            *payment_changes(order, method, amount, "payment", now),
            *refund_changes(order, made),
            *amendment(order, "payment", now, {}),
        ),
        impact=Impact(kind="account_change"),
        basis=((f"order:{order.id}", order.version),),
        undo=Undo(until=now + SETTLES, residue=CARD_RESIDUE if kinds & {"card", "paypal"} else None),
        method=method_facts(method, original=False),
        result=MethodChange(
            currency=record.currency.code,
            order_id=order.id,
            method_id=method.id,
            amount=record.currency.format(amount),
            refunds=[refund_view(refund, record.currency) for refund in made],
        ),
    )
