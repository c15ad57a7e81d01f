"""Take an offer off a cart again."""

from pydantic import Field

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import ChangeArgs, Code, Id
from tillgate.tools.carts import offer_entity, offer_fields, uses, without_offer
from tillgate.tools.changes import deleted
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_cart, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.carts import CartView, cart_view


class RemoveDiscountArgs(ChangeArgs):
    cart_id: Id
    offer_code: Code = Field(description="The code of an offer on the cart")


class RemoveDiscount(Tool[RemoveDiscountArgs]):
    name = "remove_discount"
    description = (
        "Take an offer off a cart. Use it when the customer no longer wants it, or to make room for an "
        "offer it cannot be combined with. It is refused when the cart does not carry the offer."
    )
    effect = "write"
    intent = "price"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = CartView
    always = frozenset({"cart", "offer"})
    maybe = frozenset({"customer"})
    args = RemoveDiscountArgs

    def look_up(self, args: RemoveDiscountArgs, record: Record) -> Found | Reason:
        found = own_cart(args.cart_id, record)
        if isinstance(found, Reason):
            return found
        offer = next((each for each in seen(found.cart).offers if each.code == args.offer_code), None)
        if offer is None:
            return Reason("not_applied", "This offer is not on the cart.")
        return Found(customer=found.customer, cart=found.cart, offer=offer, offer_uses=uses(found.cart, offer, record))

    def plan(self, args: RemoveDiscountArgs, found: Found, record: Record) -> Plan | Reason:
        cart, offer = seen(found.cart), seen(found.offer)
        return Plan(
            self.name,
            f"Take offer {offer.code} off cart {cart.id}",
            changes=deleted(offer_entity(cart, offer), offer_fields(cart, offer)),
            basis=((f"cart:{cart.id}", cart.version),),
            result=cart_view(without_offer(cart, offer), record.currency),
        )
