"""Money that goes back: what could be refunded, and what a refund or cancellation did."""

from tillgate.tools.views.base import View
from tillgate.tools.views.orders import RefundView


class RefundableLine(View):
    """One line of the order: how many of it are not refunded yet, and what they cost."""

    line_id: str
    title: str
    quantity: int
    unit_price: str
    amount: str


class RefundTarget(View):
    """Where money can go. `method` is what `issue_refund` takes; `original` means it was paid with."""

    method: str
    kind: str
    last4: str | None
    original: bool
    refundable: str


class Quote(View):
    """`amount` is for the lines that were asked about, else everything refundable."""

    currency: str
    order_id: str
    delivered_at: str | None
    captured: str
    refunded: str
    refundable: str
    amount: str
    lines: list[RefundableLine]
    methods: list[RefundTarget]


class RefundResult(View):
    """`refundable` is what is left after this refund."""

    currency: str
    order_id: str
    amount: str
    refunds: list[RefundView]
    refundable: str


class Cancellation(View):
    """A cancelled order; until `undo_until` the cancellation can be taken back."""

    currency: str
    id: str
    status: str
    amount: str
    refunds: list[RefundView]
    undo_until: str
