"""List the customer's own orders, newest first."""

from typing import Annotated

from pydantic import Field

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args
from tillgate.tools.commerce.model import OrderStatus
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_profile
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.orders import OrderList, order_row

_USUAL = 10


class ListOrdersArgs(Args):
    status: OrderStatus | None = None
    limit: Annotated[int, Field(ge=1, le=50)] | None = Field(default=None, description="Most orders to return")


class ListOrders(Tool[ListOrdersArgs]):
    name = "list_orders"
    description = (
        "List this customer's orders, newest first. Use it when the customer does not know an order's "
        "number, then get_order for the details."
    )
    effect = "read"
    intent = "order_status"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = OrderList
    always = frozenset({"customer"})
    args = ListOrdersArgs

    def look_up(self, args: ListOrdersArgs, record: Record) -> Found | Reason:
        return own_profile(record)

    def plan(self, args: ListOrdersArgs, found: Found, record: Record) -> Plan | Reason:
        orders = record.orders(status=args.status, limit=args.limit or _USUAL)
        rows = [order_row(order, record.currency) for order in orders]
        listed = OrderList(currency=record.currency.code, orders=rows)
        return Plan(self.name, f"{len(rows)} orders found", result=listed)
