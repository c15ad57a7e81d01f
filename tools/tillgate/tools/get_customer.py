"""Read the customer's own profile; policy masks it before it leaves."""

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_profile, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.account import CustomerView, customer_view


class GetCustomerArgs(Args):
    pass


class GetCustomer(Tool[GetCustomerArgs]):
    name = "get_customer"
    description = (
        "Read this customer's own profile: name, contact and address as far as they may be shown, and "
        "payment methods on file. Use it to see what is on file; it takes no arguments and knows no other "
        "customer."
    )
    effect = "read"
    intent = "account"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = CustomerView
    always = frozenset({"customer"})
    args = GetCustomerArgs

    def look_up(self, args: GetCustomerArgs, record: Record) -> Found | Reason:
        return own_profile(record)

    def plan(self, args: GetCustomerArgs, found: Found, record: Record) -> Plan | Reason:
        view = customer_view(seen(found.customer), record.currency)
        return Plan(self.name, "Show the customer's own profile", result=view)
