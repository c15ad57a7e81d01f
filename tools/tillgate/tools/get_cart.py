"""Read a cart of this customer or conversation."""

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Id
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_cart, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.carts import CartView, cart_view


class GetCartArgs(Args):
    cart_id: Id


class GetCart(Tool[GetCartArgs]):
    name = "get_cart"
    description = (
        "Read a cart: its lines, offers and what it costs now. Use it before speaking about the price of a cart."
    )
    effect = "read"
    intent = "cart"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = CartView
    always = frozenset({"cart"})
    maybe = frozenset({"customer"})
    args = GetCartArgs

    def look_up(self, args: GetCartArgs, record: Record) -> Found | Reason:
        return own_cart(args.cart_id, record)

    def plan(self, args: GetCartArgs, found: Found, record: Record) -> Plan | Reason:
        cart = seen(found.cart)
        return Plan(self.name, f"Show cart {cart.id}", result=cart_view(cart, record.currency))
