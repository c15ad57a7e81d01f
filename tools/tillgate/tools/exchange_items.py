"""Exchange delivered items for other variants of the same products; goods and difference are held at once."""

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.amending import NOT_DELIVERED
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_order, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.swapping import SwapArgs, swap_plan
from tillgate.tools.views.amendments import SwapResult


class ExchangeItems(Tool[SwapArgs]):
    name = "exchange_items"
    description = (
        "Exchange items of a delivered order for other variants of the same products. The new items are reserved and "
        "the difference in price is taken from, or refunded to, a payment method on file at once. Name every item in "
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
        if order.status != "delivered":
            return NOT_DELIVERED
        return swap_plan(self.name, "exchange", args, seen(found.customer), order, record)
