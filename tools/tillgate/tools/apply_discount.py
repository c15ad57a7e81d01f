"""Put an offer that is on file on a cart; nothing a model types sets a price."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from tillgate.guards.model import Facts, Impact, Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import ChangeArgs, Code, Id
from tillgate.tools.carts import gain, offer_entity, offer_fields, prices, refusal, repriced, uses, with_offer
from tillgate.tools.changes import created, in_words
from tillgate.tools.commerce.record import Record
from tillgate.tools.facts import cart_facts
from tillgate.tools.looking import own_cart, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.carts import CartView, cart_view

_MARGINS = ("margin", "margin_percent")


class ApplyDiscountArgs(ChangeArgs):
    cart_id: Id
    offer_code: Code = Field(description="The code of an offer on file, as the customer or list_offers gave it")
    version: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The version of the offer the customer was told; refused when it is gone"
    )


class ApplyDiscount(Tool[ApplyDiscountArgs]):
    name = "apply_discount"
    description = (
        "Put an offer on a cart by its code. Use it when the customer names a code or list_offers shows one "
        "that fits; no other discount exists. It is refused with the reason when the offer is unknown, "
        "over, used up or does not fit the cart."
    )
    effect = "write"
    intent = "price"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = CartView
    always = frozenset({"cart", "offer"})
    maybe = frozenset({"customer"})
    args = ApplyDiscountArgs

    def look_up(self, args: ApplyDiscountArgs, record: Record) -> Found | Reason:
        found = own_cart(args.cart_id, record)
        if isinstance(found, Reason):
            return found
        offer = record.offer(args.offer_code)
        if offer is None:
            return Reason("unknown_offer", "There is no offer with this code.")
        return Found(customer=found.customer, cart=found.cart, offer=offer, offer_uses=uses(found.cart, offer, record))

    def plan(self, args: ApplyDiscountArgs, found: Found, record: Record) -> Plan | Reason:
        cart, offer = seen(found.cart), seen(found.offer)
        if args.version not in (None, offer.version):
            return Reason("offer_changed", "This offer has changed; look it up again with list_offers.")
        if reason := repriced(cart) or refusal(cart, offer, found.offer_uses, record):
            return reason
        off = gain(cart, offer)
        return Plan(
            self.name,
            f"Apply offer {offer.code} to cart {cart.id}: {in_words(record.currency, off)} off",
            changes=created(offer_entity(cart, offer), offer_fields(cart, offer)),
            impact=Impact(off, "price_reduction"),
            basis=((f"cart:{cart.id}", cart.version), (f"offer:{offer.code}", offer.version), *prices(cart)),
            result=cart_view(with_offer(cart, offer), record.currency),
        )

    def facts(self, found: Found, plan: Plan, now: datetime) -> Facts:
        """As for every tool, but the margin is the one this offer would leave: before it, nothing would be decided."""
        groups = super().facts(found, plan, now)
        left = cart_facts(with_offer(seen(found.cart), seen(found.offer)))
        margins = {name: left[name] for name in _MARGINS if name in left}
        cart = {name: value for name, value in groups["cart"].items() if name not in _MARGINS}
        return {**groups, "cart": {**cart, **margins}}
