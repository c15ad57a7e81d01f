"""Search the catalogue; what a customer is told about prices comes from here."""

from typing import Annotated

from pydantic import Field

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Line, Money
from tillgate.tools.carts import unavailable, uses
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.record import Record
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.catalogue import ProductList, offer_view, product_row

_USUAL = 10


class SearchProductsArgs(Args):
    query: Line | None = Field(default=None, description="Words of the title")
    category: Line | None = None
    max_price: Money | None = Field(default=None, description='Only variants up to this price, e.g. "50.00"')
    in_stock: bool | None = Field(default=None, description="true for what can be bought now")
    limit: Annotated[int, Field(ge=1, le=50)] | None = Field(default=None, description="Most products to return")


class SearchProducts(Tool[SearchProductsArgs]):
    name = "search_products"
    description = (
        "Search products by words, category, price and stock. Use it to find what the customer means and to "
        "get variant ids; prices and running offers are the shop's own and the only ones that hold."
    )
    effect = "read"
    intent = "browse"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = ProductList
    maybe = frozenset({"customer"})
    args = SearchProductsArgs

    def look_up(self, args: SearchProductsArgs, record: Record) -> Found | Reason:
        return Found(customer=record.customer())

    def plan(self, args: SearchProductsArgs, found: Found, record: Record) -> Plan | Reason:
        products = record.search(
            query=args.query,
            category=args.category,
            max_price=args.max_price.minor if args.max_price else None,
            in_stock=args.in_stock,
            limit=args.limit or _USUAL,
        )
        offers = [offer for offer in record.offers() if not unavailable(offer, uses(None, offer, record), record)]
        listed = ProductList(
            currency=record.currency.code,
            as_of=stamped(record.now),
            products=[product_row(product, record.currency) for product in products],
            offers=[offer_view(offer, record.currency) for offer in offers],
        )
        return Plan(self.name, f"{len(products)} products found", result=listed)
