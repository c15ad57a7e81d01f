"""Swap items of an order that is not yet being prepared for other variants of the same products."""

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.amending import NOT_PENDING
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_order, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.swapping import SwapArgs, swap_plan
from tillgate.tools.views.amendments import SwapResult


class ChangeOrderItems(Tool[SwapArgs]):
    name = "change_order_items"
    description = (
        "Swap items of a pending order for other variants (size, colour) of the same products. The difference in "
        "price is paid from, or refunded to, a payment method on file. Name every item the customer wants changed in "
        "one call; expect to be asked for confirmation."
    )
    effect = "write"
    intent = "exchange"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = SwapResult
    always = frozenset({"customer", "order", "method"})
    args = SwapArgs

    def look_up(self, args: SwapArgs, record: Record) -> Found | Reason:
        return own_order(args.order_id, record)

    def plan(self, args: SwapArgs, found: Found, record: Record) -> Plan | Reason:
        order = seen(found.order)
        if order.status != "pending":
            return NOT_PENDING
        return swap_plan(self.name, "items", args, seen(found.customer), order, record)
