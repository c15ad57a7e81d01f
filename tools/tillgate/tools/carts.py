"""What a cart and an offer allow each other; shared by the tools that list, apply and restore offers."""

from collections.abc import Collection

from msgspec.structs import replace

from tillgate.guards.model import Reason
from tillgate.tools.arguments import visible
from tillgate.tools.changes import in_words
from tillgate.tools.commerce.model import Cart, Offer
from tillgate.tools.commerce.record import Record


def prices(cart: Cart, only: Collection[str] | None = None) -> tuple[tuple[str, int], ...]:
    """The versions of the prices a plan about this cart stands on, of all lines or of some variants."""
    return tuple(
        (f"variant:{line.variant.id}", line.variant.version)
        for line in cart.lines
        if only is None or line.variant.id in only
    )


def repriced(cart: Cart) -> Reason | None:
    """Why the cart must be looked at again first: a price is no longer the one the customer was told."""
    line = next((line for line in cart.lines if line.repriced), None)
    if line is None:
        return None
    title = visible(line.variant.title)
    return Reason(
        "price_changed", f"The price of {title} ({line.variant.id}) has changed; set its quantity again with edit_cart."
    )


def offer_entity(cart: Cart, offer: Offer) -> str:
    """The record that says this cart carries this offer."""
    return f"cart_offer:{cart.id}/{offer.code}"


def offer_fields(cart: Cart, offer: Offer) -> dict[str, str]:
    """The fields of that record."""
    return {"id": f"{cart.id}/{offer.code}", "cart_id": cart.id, "code": offer.code}


def with_offer(cart: Cart, offer: Offer) -> Cart:
    """The cart once it carries the offer; offers stand in the order of their codes."""
    return replace(cart, offers=tuple(sorted((*cart.offers, offer), key=lambda each: each.code)))


def without_offer(cart: Cart, offer: Offer) -> Cart:
    """The cart once the offer is off it."""
    return replace(cart, offers=tuple(each for each in cart.offers if each.code != offer.code))


def gain(cart: Cart, offer: Offer) -> int:
    """How much more comes off this cart once it carries the offer, in minor units."""
    return max(0, with_offer(cart, offer).discount - cart.discount)


def uses(cart: Cart | None, offer: Offer, record: Record) -> int:
    """How many other carts of this subject carry the offer."""
    return record.offer_uses(offer.code, besides_cart=cart.id if cart else None)


def unavailable(offer: Offer, used: int, record: Record) -> Reason | None:
    """Why nobody could use the offer now, or not this subject any more."""
    if not offer.runs(record.now):
        return Reason("offer_not_running", "This offer does not run at the moment.")
    if offer.max_uses_per_customer is not None and used >= offer.max_uses_per_customer:
        return Reason("offer_used_up", "This offer has been used as often as one customer may.")
    return None


def unfitting(cart: Cart, offer: Offer, record: Record) -> Reason | None:
    """Why the offer does not go on this cart as it stands."""
    if any(each.code == offer.code for each in cart.offers):
        return Reason("already_applied", "This offer is already on the cart.")
    if cart.subtotal < offer.minimum:
        return Reason(
            "offer_minimum", f"This offer needs a cart of {in_words(record.currency, offer.minimum)} or more."
        )
    if cart.offers and not (offer.stackable and all(each.stackable for each in cart.offers)):
        return Reason("not_stackable", "This offer cannot be combined with what is on the cart already.")
    return None


def refusal(cart: Cart, offer: Offer, used: int, record: Record) -> Reason | None:
    """Why this subject cannot put the offer on this cart now; None when they can."""
    return unavailable(offer, used, record) or unfitting(cart, offer, record)
