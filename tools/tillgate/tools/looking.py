"""Look-ups several tools share; each shows only what the subject owns."""

from typing import TypeVar

from tillgate.guards.model import Reason
from tillgate.tools.commerce.record import Record
from tillgate.tools.spec import Found, not_found

T = TypeVar("T")


def own_profile(record: Record) -> Found | Reason:
    """The subject themselves."""
    customer = record.customer()
    return not_found("profile") if customer is None else Found(customer=customer)


def own_order(order_id: str, record: Record) -> Found | Reason:
    """The subject and one of their orders."""
    customer = record.customer()
    order = record.order(order_id) if customer else None
    return not_found("order") if order is None else Found(customer=customer, order=order)


def own_cart(cart_id: str, record: Record) -> Found | Reason:
    """One of the subject's carts, or of this conversation while nobody is identified."""
    cart = record.cart(cart_id)
    return not_found("cart") if cart is None else Found(customer=record.customer(), cart=cart)


def seen(found: T | None) -> T:
    """What the look-up of a tool always finds. Raises ValueError when there was no look-up."""
    if found is None:
        raise ValueError("a plan needs what its look-up found")
    return found
