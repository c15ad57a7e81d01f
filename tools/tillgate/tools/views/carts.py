"""A cart as the customer sees it: its lines, what it costs, and the version of each price's source row."""

from tillgate.guards.money import Currency
from tillgate.tools.commerce.model import Cart
from tillgate.tools.views.base import View, line
from tillgate.tools.views.catalogue import OfferView, offer_view, options_view


class CartLineView(View):
    """One line at today's price; `price_changed` when that is not the price at which it was put in."""

    variant_id: str
    product_id: str
    title: str
    options: dict[str, str]
    quantity: int
    unit_price: str
    amount: str
    version: int
    price_changed: bool


class CartView(View):
    currency: str
    id: str
    lines: list[CartLineView]
    items: int
    subtotal: str
    discount: str
    total: str
    offers: list[OfferView]


def cart_view(cart: Cart, currency: Currency) -> CartView:
    """The whole cart; its money is derived from the catalogue and the offers on file."""
    money = cart.sums
    return {
        "currency": currency.code,
        "id": cart.id,
        "lines": [
            {
                "variant_id": item.variant.id,
                "product_id": item.variant.product_id,
                "title": line(item.variant.title),
                "options": options_view(item.variant.options.items()),
                "quantity": item.quantity,
                "unit_price": currency.format(item.variant.price),
                "amount": currency.format(item.variant.price * item.quantity),
                "version": item.variant.version,
                "price_changed": item.repriced,
            }
            for item in cart.lines
        ],
        "items": cart.items,
        "subtotal": currency.format(money.subtotal),
        "discount": currency.format(money.discount),
        "total": currency.format(money.total),
        "offers": [offer_view(offer, currency) for offer in cart.offers],
    }
