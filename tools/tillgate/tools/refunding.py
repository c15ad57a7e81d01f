"""The arithmetic of refunds, shared by every tool that gives money back.

The rule it keeps: over all refunds of an order no more goes back than was captured, and against no
payment more than it brought in.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Struct
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tillgate.guards.model import Change, Reason
from tillgate.guards.money import Currency
from tillgate.tools.arguments import Args, Id, Quantity, visible
from tillgate.tools.changes import created, in_words, next_id
from tillgate.tools.commerce.model import (
    BALANCES,
    Cause,
    Customer,
    Order,
    OrderLine,
    Payment,
    PaymentMethod,
    Refund,
)

SETTLES = timedelta(minutes=60)
"""Money to a card or PayPal waits this long before it leaves the shop, so that a mistake can be taken back."""


class RefundLine(Args):
    line_id: Id = Field(description="An id from the order's lines")
    quantity: Quantity = Field(description="How many of this line")


def _each_line_once(lines: tuple[RefundLine, ...]) -> tuple[RefundLine, ...]:
    if len({line.line_id for line in lines}) < len(lines):
        raise PydanticCustomError("duplicate", "Name each line once")
    return lines


RefundLines = Annotated[tuple[RefundLine, ...], Field(min_length=1, max_length=50), AfterValidator(_each_line_once)]


class Share(Struct, frozen=True):
    """What of one payment goes back, and to which method."""

    payment: Payment
    to: PaymentMethod
    amount: int


def refundable(order: Order) -> int:
    """What can still go back, in minor units; nothing of a cancelled order, whose money went back with it."""
    return 0 if order.status == "cancelled" else _open(order)


def line_left(order: Order, line: OrderLine) -> int:
    """How many of this line are not refunded yet."""
    return max(0, line.quantity - sum(refund.lines.get(line.id, 0) for refund in order.refunds))


def asked(order: Order, lines: tuple[RefundLine, ...] | None, amount: int | None, currency: Currency) -> int | Reason:
    """The amount these arguments ask for, or why it cannot be refunded."""
    if order.status == "cancelled":
        return Reason("order_cancelled", "This order was cancelled; its money went back with the cancellation.")
    left = refundable(order)
    most = left if lines is None else worth(order, lines)
    if isinstance(most, Reason):
        return most
    if left == 0 or most == 0:
        return Reason("nothing_to_refund", "There is nothing left to refund here.")
    if lines is not None and amount is not None and amount > most:
        return Reason("amount_exceeds_lines", f"These lines are worth {in_words(currency, most)}, no more.")
    asked_for = most if amount is None else amount
    if asked_for > left:
        return Reason(
            "amount_exceeds_refundable",
            f"Of this order {in_words(currency, left)} can still be refunded, no more.",
        )
    return asked_for


def worth(order: Order, lines: tuple[RefundLine, ...]) -> int | Reason:
    """What these quantities of these lines are worth, discounts taken off to the cent."""
    total = 0
    for wanted in lines:
        line = order.line(wanted.line_id)
        if line is None:
            return Reason("unknown_line", "A line that was named is not on this order.")
        if wanted.quantity > (left := line_left(order, line)):
            return Reason("quantity_exceeds", f"Of {visible(line.title)} {left} can still be refunded, no more.")
        total += line.worth(line.quantity - left, wanted.quantity)
    return total


def target(customer: Customer, name: str) -> PaymentMethod | Reason | None:
    """The method that `name` means; None for `original`: back to wherever the money came from.

    `store_credit` is the account on file, or one that is opened for the purpose.
    """
    if name == "original":
        return None
    if name == "store_credit":
        credit = next((method for method in customer.payment_methods if method.kind == "store_credit"), None)
        return credit or _new_credit(customer)
    return customer.method(name) or Reason("unknown_method", "There is no such payment method on file.")


def opened(parts: Iterable[Share], customer: Customer) -> tuple[Change, ...]:
    """The changes that open a store credit account these shares go to, where there is none on file."""
    credit_id = _credit_id(customer)
    if all(part.to.id != credit_id for part in parts) or customer.method(credit_id):
        return ()
    new = _new_credit(customer)
    return created(f"payment_method:{new.id}", {"id": new.id, "customer_id": customer.id, "kind": new.kind})


def shares(order: Order, customer: Customer, amount: int, to: PaymentMethod | None) -> tuple[Share, ...]:
    """The amount split over the order's payments in their order; those made with `to` first."""
    order_of_payments = sorted(order.payments, key=lambda payment: to is not None and payment.method_id != to.id)
    parts: list[Share] = []
    for payment in order_of_payments:
        part = min(amount, order.left(payment))
        if part > 0:
            parts.append(Share(payment, to or paid_with(payment, customer), part))
            amount -= part
    return tuple(parts)


def lost(parts: Iterable[Share], customer: Customer) -> Reason | None:
    """Why these shares cannot go back: a gift card or credit taken off file has no balance to go up."""
    held = {part.to.id for part in parts if part.to.kind in BALANCES}
    if not held or held <= {method.id for method in customer.payment_methods} | {_credit_id(customer)}:
        return None
    return Reason("unknown_method", "The method this was paid with is no longer on file.")


def original(parts: Iterable[Share]) -> bool:
    """Whether every part goes back to the method it was paid with."""
    return all(part.to.id == part.payment.method_id for part in parts)


def paid_with(payment: Payment, customer: Customer) -> PaymentMethod:
    """The method of a payment: as on file, or as the payment remembers it when it was taken off file."""
    return customer.method(payment.method_id) or PaymentMethod(
        payment.method_id, customer.id, payment.method_kind, None, payment.last4, None,
        refunds_30d=0, refunded_30d=0, version=0,
    )  # fmt: skip


def refunds(
    order: Order, parts: Iterable[Share], cause: Cause, reason: str, lines: Mapping[str, int], now: datetime
) -> tuple[Refund, ...]:
    """One refund a share, numbered on; the lines stand on the first, so that none is counted twice.

    A plain refund leaves at once and is final. What a cancellation or change gives back can still be taken back from a
    card for a while, and what is to be returned waits for the goods.
    """
    made: list[Refund] = []
    taken = {refund.id for refund in order.refunds}
    for part in parts:
        refund_id = next_id(f"{order.id}-r", taken | {refund.id for refund in made})
        settles_at = {"return": None, "refund": now}.get(cause, settled(part.to, now))
        amount, stands_on = part.amount, {} if made else dict(lines)
        made.append(Refund(refund_id, part.payment.id, part.to.id, amount, reason, stands_on, cause, now, settles_at))
    return tuple(made)


def settled(method: PaymentMethod, now: datetime) -> datetime:
    """When money to or from a method has moved for good."""
    return now if method.kind in BALANCES else now + SETTLES


def refund_changes(order: Order, made: Iterable[Refund]) -> tuple[Change, ...]:
    """The changes that enter these refunds into the ledger."""
    return tuple(change for refund in made for change in _refund_changes(order, refund))


def destination(parts: tuple[Share, ...]) -> str:
    """Where the money goes, for a sentence anybody may read: `the original card`, no digits of it."""
    names = list(dict.fromkeys(_kind(part.to) for part in parts))
    return ("the original " if original(parts) else "the ") + " and the ".join(names)


def digits(parts: tuple[Share, ...]) -> str:
    """What tells the methods apart, for the customer's own eyes: `Card ending 4242.`"""
    known = dict.fromkeys(
        f"{_kind(part.to).capitalize()} ending {visible(part.to.last4)[-4:]}." for part in parts if part.to.last4
    )
    return " ".join(known)


def _open(order: Order) -> int:
    return min(order.refundable, sum(order.left(payment) for payment in order.payments))


def _credit_id(customer: Customer) -> str:
    return f"{customer.id}-credit"


def _new_credit(customer: Customer) -> PaymentMethod:
    return PaymentMethod(
        _credit_id(customer), customer.id, "store_credit", None, None, 0, refunds_30d=0, refunded_30d=0, version=0
    )


def _refund_changes(order: Order, refund: Refund) -> tuple[Change, ...]:
    fields = {
        "id": f"refund/{refund.id}",
        "kind": "refund",
        "order_id": order.id,
        "payment_id": f"payment/{refund.payment_id}",
        "method_id": refund.method_id,
        "amount": refund.amount,
        "cause": refund.cause,
        "reason": refund.reason,
        "lines": dict(refund.lines),
    }
    times = {"created_at": refund.created_at, "settles_at": refund.settles_at}
    stamps = {name: moment for name, moment in times.items() if moment is not None}
    return created(f"transfer:refund/{refund.id}", fields, stamps)


def _kind(method: PaymentMethod) -> str:
    return method.kind.replace("_", " ")
