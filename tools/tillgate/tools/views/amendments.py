"""What a changed order answers: its new lines, and the money that moved for it."""

from collections.abc import Sequence

from tillgate.guards.money import Currency
from tillgate.tools.commerce.model import OrderLine
from tillgate.tools.views.base import View
from tillgate.tools.views.orders import OrderLineView, RefundView, lines_view


class SwapResult(View):
    """`difference` is above zero when the customer paid more, below when they got something back."""

    currency: str
    order_id: str
    lines: list[OrderLineView]
    difference: str
    method_id: str


class MethodChange(View):
    """The order is paid by `method_id` now; what was paid before went back to the methods it came from."""

    currency: str
    order_id: str
    method_id: str
    amount: str
    refunds: list[RefundView]


class ReturnResult(View):
    """What is to come back; the refunds are paid once the goods are there."""

    currency: str
    order_id: str
    return_id: str
    lines: list[OrderLineView]
    amount: str
    refunds: list[RefundView]


def swap_result(
    order_id: str, lines: Sequence[OrderLine], difference: int, method_id: str, currency: Currency
) -> SwapResult:
    """The answer to swapped lines."""
    return {
        "currency": currency.code,
        "order_id": order_id,
        "lines": lines_view(lines, currency),
        "difference": ("-" if difference < 0 else "") + currency.format(abs(difference)),
        "method_id": method_id,
    }
