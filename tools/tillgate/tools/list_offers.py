"""List the offers that run now, and with a cart only those that would go on it."""

from pydantic import Field

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Id
from tillgate.tools.carts import gain, unavailable, unfitting, uses
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.model import Cart, Offer
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_cart
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.catalogue import OfferList, offer_view


class ListOffersArgs(Args):
    cart_id: Id | None = Field(default=None, description="Only offers that can go on this cart now")


class ListOffers(Tool[ListOffersArgs]):
    name = "list_offers"
    description = (
        "List the approved offers that apply now; with a cart, those it can carry and what each would take "
        "off. Use it before promising any discount: what is not listed does not exist."
    )
    effect = "read"
    intent = "price"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = OfferList
    maybe = frozenset({"customer", "cart"})
    args = ListOffersArgs

    def look_up(self, args: ListOffersArgs, record: Record) -> Found | Reason:
        return own_cart(args.cart_id, record) if args.cart_id else Found(customer=record.customer())

    def plan(self, args: ListOffersArgs, found: Found, record: Record) -> Plan | Reason:
        rows = [
            offer_view(offer, record.currency, gain(found.cart, offer) if found.cart else None)
            for offer in record.offers()
            if _applies(offer, found.cart, record)
        ]
        listed = OfferList(currency=record.currency.code, as_of=stamped(record.now), cart_id=args.cart_id, offers=rows)
        return Plan(self.name, f"{len(rows)} offers apply now", result=listed)


def _applies(offer: Offer, cart: Cart | None, record: Record) -> bool:
    if unavailable(offer, uses(cart, offer, record), record):
        return False
    return cart is None or unfitting(cart, offer, record) is None
