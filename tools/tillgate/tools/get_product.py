"""Read one product with its variants, prices and stock."""

from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Id
from tillgate.tools.carts import unavailable, uses
from tillgate.tools.commerce.model import Product
from tillgate.tools.commerce.record import Record
from tillgate.tools.spec import Found, Tool, not_found
from tillgate.tools.views.catalogue import ProductView, product_view


class GetProductArgs(Args):
    product_id: Id


class GetProduct(Tool[GetProductArgs]):
    name = "get_product"
    description = (
        "Read one product: its variants with options, price and stock, and the offers that run now. Use it "
        "before naming a price or the choice of sizes and colours."
    )
    effect = "read"
    intent = "browse"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = ProductView
    maybe = frozenset({"customer"})
    args = GetProductArgs

    def look_up(self, args: GetProductArgs, record: Record) -> Found | Reason:
        product = record.product(args.product_id)
        if product is None:
            return not_found("product")
        return Found(customer=record.customer(), other=product)

    def plan(self, args: GetProductArgs, found: Found, record: Record) -> Plan | Reason:
        product: Product = found.other
        offers = [offer for offer in record.offers() if not unavailable(offer, uses(None, offer, record), record)]
        view = product_view(product, offers, record.currency, record.now)
        return Plan(self.name, f"Show product {product.id}", result=view)
