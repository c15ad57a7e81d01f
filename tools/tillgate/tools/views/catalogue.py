"""What the shop sells and offers, as a model may see it: prices with their row's version, never cost."""

from collections.abc import Iterable
from datetime import datetime

from tillgate.guards.money import Currency
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.model import Offer, Product, Variant
from tillgate.tools.views.base import View, line, line_or_none, time_or_none


class VariantView(View):
    id: str
    title: str
    options: dict[str, str]
    price: str
    in_stock: bool
    stock: int
    version: int


class ProductRow(View):
    id: str
    title: str
    category: str | None
    variants: list[VariantView]


class OfferView(View):
    """A discount on file; `discount` is what it would take off the cart that was asked about."""

    code: str
    kind: str
    value: str
    minimum: str
    starts_at: str | None
    ends_at: str | None
    stackable: bool
    max_uses_per_customer: int | None
    tags: list[str]
    version: int
    discount: str | None


class ProductList(View):
    """`as_of` is when this held; a price holds as long as its row has this version, an offer until it ends."""

    currency: str
    as_of: str
    products: list[ProductRow]
    offers: list[OfferView]


class ProductView(View):
    currency: str
    as_of: str
    id: str
    title: str
    category: str | None
    variants: list[VariantView]
    offers: list[OfferView]


class OfferList(View):
    currency: str
    as_of: str
    cart_id: str | None
    offers: list[OfferView]


def options_view(options: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The options of a variant, name to value."""
    return {line(name): line(value) for name, value in options}


def product_row(product: Product, currency: Currency) -> ProductRow:
    """One row of the catalogue."""
    return {
        "id": product.id,
        "title": line(product.title),
        "category": line_or_none(product.category),
        "variants": [_variant(variant, currency) for variant in product.variants],
    }


def product_view(product: Product, offers: Iterable[Offer], currency: Currency, now: datetime) -> ProductView:
    """One product with the offers that run now."""
    row = product_row(product, currency)
    return {
        "currency": currency.code,
        "as_of": stamped(now),
        "id": row["id"],
        "title": row["title"],
        "category": row["category"],
        "variants": row["variants"],
        "offers": [offer_view(offer, currency) for offer in offers],
    }


def offer_view(offer: Offer, currency: Currency, discount: int | None = None) -> OfferView:
    """One offer; a percentage is written as a plain number (`10`, `12.5`), an amount as money."""
    return {
        "code": offer.code,
        "kind": offer.kind,
        "value": _percent(offer.value) if offer.kind == "percent" else currency.format(offer.value),
        "minimum": currency.format(offer.minimum),
        "starts_at": time_or_none(offer.starts_at),
        "ends_at": time_or_none(offer.ends_at),
        "stackable": offer.stackable,
        "max_uses_per_customer": offer.max_uses_per_customer,
        "tags": [line(tag) for tag in offer.tags],
        "version": offer.version,
        "discount": None if discount is None else currency.format(discount),
    }


def _variant(variant: Variant, currency: Currency) -> VariantView:
    return {
        "id": variant.id,
        "title": line(variant.title),
        "options": options_view(variant.options.items()),
        "price": currency.format(variant.price),
        "in_stock": variant.stock > 0,
        "stock": variant.stock,
        "version": variant.version,
    }


def _percent(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)
