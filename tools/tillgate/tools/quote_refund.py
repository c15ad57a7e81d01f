"""Say what of an order could be refunded and where to; nothing is refunded."""

from tillgate.guards.model import Plan, Reason
from tillgate.guards.money import Currency
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Id
from tillgate.tools.changes import in_words
from tillgate.tools.commerce.model import Customer, Order, PaymentMethod
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_order, seen
from tillgate.tools.refunding import RefundLines, asked, line_left, paid_with, refundable, shares
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.base import last_four, line, time_or_none
from tillgate.tools.views.refunds import Quote, RefundableLine, RefundTarget


class QuoteRefundArgs(Args):
    order_id: Id
    lines: RefundLines | None = None


class QuoteRefund(Tool[QuoteRefundArgs]):
    name = "quote_refund"
    description = (
        "Work out what could be refunded for an order, or for some of its lines, and to which payment "
        "methods. Use it before issue_refund when the amount is not clear; it changes nothing."
    )
    effect = "read"
    intent = "refund"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = Quote
    always = frozenset({"customer", "order"})
    args = QuoteRefundArgs

    def look_up(self, args: QuoteRefundArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record)

    def plan(self, args: QuoteRefundArgs, found: Found, record: Record) -> Plan | Reason:
        customer, order = seen(found.customer), seen(found.order)
        amount = refundable(order)
        if args.lines is not None:
            wanted = asked(order, args.lines, None, record.currency)
            if isinstance(wanted, Reason):
                return wanted
            amount = wanted
        return Plan(
            self.name,
            f"Of order {order.id} {in_words(record.currency, amount)} could be refunded",
            result=_quote(order, customer, amount, record.currency),
        )


def _quote(order: Order, customer: Customer, amount: int, currency: Currency) -> Quote:
    return Quote(
        currency=currency.code,
        order_id=order.id,
        delivered_at=time_or_none(order.delivered_at),
        captured=currency.format(order.captured),
        refunded=currency.format(order.refunded),
        refundable=currency.format(refundable(order)),
        amount=currency.format(amount),
        lines=_lines(order, currency),
        methods=_targets(order, customer, currency),
    )


def _lines(order: Order, currency: Currency) -> list[RefundableLine]:
    return [
        RefundableLine(
            line_id=item.id,
            title=line(item.title),
            quantity=(left := line_left(order, item) if refundable(order) else 0),
            unit_price=currency.format(item.unit_price),
            amount=currency.format(min(refundable(order), item.worth(item.quantity - left, left))),
        )
        for item in order.lines
    ]


def _targets(order: Order, customer: Customer, currency: Currency) -> list[RefundTarget]:
    """Every method that can take a refund: those paid with up to their share, others up to everything."""
    everything = refundable(order)
    paid = {payment.method_id: paid_with(payment, customer) for payment in order.payments}
    own = dict.fromkeys(paid, 0)
    for part in shares(order, customer, everything, None):
        own[part.payment.method_id] += part.amount
    others = [method for method in customer.payment_methods if method.id not in paid]
    return [_target(method, True, own[method.id], currency) for method in paid.values()] + [
        _target(method, False, everything, currency) for method in others
    ]


def _target(method: PaymentMethod, original: bool, amount: int, currency: Currency) -> RefundTarget:
    return RefundTarget(
        method=method.id,
        kind=method.kind,
        last4=last_four(method.last4),
        original=original,
        refundable=currency.format(amount),
    )
