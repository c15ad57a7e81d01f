"""The tables of the embedded shop, declared once; their checks hold whatever code runs above them.

Money is whole minor units, a time is RFC 3339 text in UTC with whole seconds, a structured value is canonical
JSON text. Tables stand parents first: rows are created in this order and deleted in the other.
"""

from sqlalchemy import CheckConstraint
from sqlalchemy.engine import Connection, Engine

from tillgate.tools.shops.embedded.columns import (
    STRICT,
    ShopTable,
    account_column,
    at_least,
    derived_column,
    flag_column,
    found_apart,
    found_by,
    int_column,
    json_column,
    key,
    looks_like,
    numbered,
    one_of,
    place_column,
    refers,
    text_column,
    times,
    valid_json,
    version_column,
)
from tillgate.tools.shops.embedded.dialect import POSTGRESQL, SQLITE
from tillgate.tools.shops.embedded.triggers import guard


class ShopRow(ShopTable, table=True):
    """One row a shop, with what it is filled from; `digest` is the SHA-256 of the file it was filled from."""

    __tablename__ = "shop"
    __table_args__ = (*times("seeded_at"), STRICT)
    currency: str = text_column()
    seeded_at: str = text_column()
    digest: str = text_column()


class CustomerRow(ShopTable, table=True):
    """A person on file. The two expression indexes serve `identify`, the only search across customers."""

    __tablename__ = "customer"
    __table_args__ = (
        *at_least(1, "version"),
        *times("created_at", "address_changed_at", "email_changed_at"),
        *valid_json("address", "tags"),
        found_by("customer_email", "lower(trim(email))", unique=True),
        *found_apart(
            "customer_postal_code",
            sqlite=(f"lower(trim({SQLITE.at('address', 'postal_code')}))",),
            postgresql=(f"lower(trim({POSTGRESQL.at('address', 'postal_code')}))",),
        ),
        STRICT,
    )
    id: str = key()
    email: str = text_column()
    first_name: str = text_column()
    last_name: str = text_column()
    phone: str | None = text_column(null=True)
    created_at: str = text_column()
    address: str = json_column()
    address_changed_at: str | None = text_column(null=True)
    email_changed_at: str | None = text_column(null=True)
    tags: str = json_column()
    version: int = version_column()


class PaymentMethodRow(ShopTable, table=True):
    """A way to pay on file; never more of a card than its last four digits. Balances follow from the ledger."""

    __tablename__ = "payment_method"
    __table_args__ = (
        refers("customer_id", "customer"),
        *at_least(1, "version"),
        one_of("kind", "card", "paypal", "gift_card", "store_credit"),
        *looks_like("last4", "[0-9][0-9][0-9][0-9]", "last4_only"),
        found_by("payment_method_customer", "customer_id"),
        STRICT,
    )
    id: str = key()
    customer_id: str = text_column()
    kind: str = text_column()
    brand: str | None = text_column(null=True)
    last4: str | None = text_column(null=True)
    version: int = version_column()


class ProductRow(ShopTable, table=True):
    """A thing the shop sells, in one or more variants."""

    __tablename__ = "product"
    __table_args__ = (found_by("product_category", "lower(category)"), STRICT)
    id: str = key()
    title: str = text_column()
    category: str | None = text_column(null=True)


class VariantRow(ShopTable, table=True):
    """One thing that can be bought.

    `words` is what a search looks at, case-folded; `place` is where it stands in the catalogue ordered by title.
    """

    __tablename__ = "variant"
    __table_args__ = (
        refers("product_id", "product"),
        *at_least(0, "price", "cost", "stock"),
        *at_least(1, "version"),
        *valid_json("options"),
        found_by("variant_product", "product_id"),
        found_by("variant_place", "place", unique=True),
        found_by("variant_price", "price"),
        STRICT,
    )
    id: str = key()
    product_id: str = text_column()
    options: str = json_column()
    price: int = int_column()
    cost: int | None = int_column(null=True)
    stock: int = int_column()
    words: str = derived_column()
    place: int = place_column()
    version: int = version_column()


class OfferRow(ShopTable, table=True):
    """An approved discount; its id is its code. `value` is percent times 100, or minor units."""

    __tablename__ = "offer"
    __table_args__ = (
        *at_least(0, "value", "minimum"),
        *at_least(1, "max_uses_per_customer", "version"),
        CheckConstraint("kind != 'percent' OR value BETWEEN 1 AND 10000", name="percent_whole"),
        CheckConstraint("stackable IN (0, 1)", name="stackable_flag"),
        one_of("kind", "percent", "amount", "free_shipping"),
        *times("starts_at", "ends_at"),
        *valid_json("tags"),
        STRICT,
    )
    id: str = key()
    kind: str = text_column()
    value: int = int_column()
    minimum: int = int_column()
    starts_at: str | None = text_column(null=True)
    ends_at: str | None = text_column(null=True)
    stackable: bool = flag_column()
    max_uses_per_customer: int | None = int_column(null=True)
    tags: str = json_column()
    version: int = version_column()


class CartRow(ShopTable, table=True):
    """A cart of a customer or, while nobody is identified, of a conversation."""

    __tablename__ = "cart"
    __table_args__ = (
        refers("customer_id", "customer"),
        *at_least(1, "version"),
        *times("created_at"),
        CheckConstraint("customer_id IS NOT NULL OR conversation IS NOT NULL", name="cart_owned"),
        found_by("cart_customer", "customer_id", "created_at"),
        found_by("cart_conversation", "conversation", "created_at"),
        STRICT,
    )
    id: str = key()
    customer_id: str | None = text_column(null=True)
    conversation: str | None = text_column(null=True)
    created_at: str = text_column()
    version: int = version_column()


class CartLineRow(ShopTable, table=True):
    """A variant in a cart; the id is `cart_1/v_1`. `quoted` is the version of its price when it was put in."""

    __tablename__ = "cart_line"
    __table_args__ = (
        refers("cart_id", "cart"),
        refers("variant_id", "variant"),
        *at_least(1, "quantity", "quoted"),
        CheckConstraint("id = cart_id || '/' || variant_id", name="cart_line_named"),
        found_by("cart_line_cart", "cart_id"),
        STRICT,
    )
    id: str = key()
    cart_id: str = text_column()
    variant_id: str = text_column()
    quantity: int = int_column()
    quoted: int = int_column()


class CartOfferRow(ShopTable, table=True):
    """An offer on a cart; the id is `cart_1/CODE`."""

    __tablename__ = "cart_offer"
    __table_args__ = (
        refers("cart_id", "cart"),
        refers("code", "offer"),
        CheckConstraint("id = cart_id || '/' || code", name="cart_offer_named"),
        found_by("cart_offer_cart", "cart_id"),
        found_by("cart_offer_offer", "code"),
        STRICT,
    )
    id: str = key()
    cart_id: str = text_column()
    code: str = text_column()


class OrderRow(ShopTable, table=True):
    """An order; its money follows from its lines, payments and refunds."""

    __tablename__ = "orders"
    __table_args__ = (
        refers("customer_id", "customer"),
        *at_least(1, "version"),
        one_of("status", "pending", "processed", "shipped", "delivered", "cancelled"),
        CheckConstraint("disputed IN (0, 1)", name="disputed_flag"),
        *times("placed_at", "delivered_at"),
        *valid_json("shipping_address"),
        found_by("orders_customer", "customer_id", "placed_at"),
        *found_apart(
            "orders_address",
            sqlite=("shipping_address", "placed_at"),
            postgresql=("md5(shipping_address)", "placed_at"),  # whose indexes hold no long text
        ),
        STRICT,
    )
    id: str = key()
    customer_id: str = text_column()
    placed_at: str = text_column()
    status: str = text_column()
    delivered_at: str | None = text_column(null=True)
    disputed: bool = flag_column()
    shipping_address: str = json_column()
    note: str | None = text_column(null=True)
    version: int = version_column()


class OrderLineRow(ShopTable, table=True):
    """What was bought, at the price it was bought for; without a variant, a charge (shipping, tax) beside it."""

    __tablename__ = "order_line"
    __table_args__ = (
        refers("order_id", "orders"),
        refers("variant_id", "variant"),
        *at_least(0, "unit_price", "discount"),
        *at_least(1, "quantity"),
        CheckConstraint("discount <= unit_price * quantity", name="discount_covered"),
        found_by("order_line_order", "order_id"),
        STRICT,
    )
    id: str = key()
    order_id: str = text_column()
    variant_id: str | None = text_column(null=True)
    quantity: int = int_column()
    unit_price: int = int_column()
    discount: int = int_column()


class TransferRow(ShopTable, table=True):
    """One movement of money, out of one account into another: the only place where the shop's money is.

    The id is `payment/pay_1`. `lines` maps line ids to quantities. A refund without `settles_at` waits for the goods:
    it counts against its order, and not yet for the method it goes to.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        refers("order_id", "orders"),
        refers("method_id", "payment_method"),
        refers("payment_id", "transfer"),
        *at_least(0, "amount"),
        one_of("kind", "payment", "refund", "credit", "debit"),
        one_of("cause", "opening", "order", "refund", "cancellation", "return", "exchange", "items", "payment"),
        CheckConstraint("substr(id, 1, length(kind) + 1) = kind || '/'", name="transfer_named"),
        CheckConstraint("(order_id IS NULL) = (kind IN ('credit', 'debit'))", name="transfer_of_order"),
        CheckConstraint("(payment_id IS NULL) = (kind != 'refund')", name="refund_of_payment"),
        *times("created_at", "settles_at"),
        *valid_json("lines"),
        found_by("transfer_order", "order_id"),
        found_by("transfer_payment", "payment_id"),
        found_by("transfer_method", "method_id"),
        STRICT,
    )
    id: str = key()
    kind: str = text_column()
    order_id: str | None = text_column(null=True)
    method_id: str = text_column()
    payment_id: str | None = text_column(null=True)
    amount: int = int_column()
    cause: str = text_column()
    reason: str | None = text_column(null=True)
    lines: str = json_column()
    created_at: str | None = text_column(null=True)
    settles_at: str | None = text_column(null=True)
    source: str = account_column("WHEN 'refund' THEN 'order:' || order_id WHEN 'credit' THEN 'shop'")
    target: str = account_column("WHEN 'payment' THEN 'order:' || order_id WHEN 'debit' THEN 'shop'")


class AmendmentRow(ShopTable, table=True):
    """What was done to an order since it was placed; `lines` maps line ids to what it says of them."""

    __tablename__ = "amendment"
    __table_args__ = (
        refers("order_id", "orders"),
        one_of("kind", "items", "payment", "address", "cancellation", "return", "exchange"),
        *times("created_at"),
        *valid_json("lines"),
        found_by("amendment_order", "order_id"),
        STRICT,
    )
    id: str = key()
    order_id: str = text_column()
    kind: str = text_column()
    reason: str | None = text_column(null=True)
    lines: str = json_column()
    created_at: str = text_column()


class StockMoveRow(ShopTable, table=True):
    """Units of a variant that an order set free (above zero) or took; a trigger keeps `variant.stock` in step."""

    __tablename__ = "stock_move"
    __table_args__ = (
        refers("variant_id", "variant"),
        refers("order_id", "orders"),
        CheckConstraint("quantity != 0", name="stock_moves"),
        found_by("stock_move_variant", "variant_id"),
        found_by("stock_move_order", "order_id"),
        STRICT,
    )
    id: str = key()
    variant_id: str = text_column()
    order_id: str = text_column()
    quantity: int = int_column()


class ShipmentRow(ShopTable, table=True):
    """A parcel and the lines in it."""

    __tablename__ = "shipment"
    __table_args__ = (
        refers("order_id", "orders"),
        *valid_json("line_ids"),
        found_by("shipment_order", "order_id"),
        STRICT,
    )
    id: str = key()
    order_id: str = text_column()
    tracking: str | None = text_column(null=True)
    line_ids: str = json_column()


KINDS: dict[str, type[ShopTable]] = {
    "customer": CustomerRow,
    "payment_method": PaymentMethodRow,
    "product": ProductRow,
    "variant": VariantRow,
    "offer": OfferRow,
    "cart": CartRow,
    "cart_line": CartLineRow,
    "cart_offer": CartOfferRow,
    "order": OrderRow,
    "order_line": OrderLineRow,
    "transfer": TransferRow,
    "amendment": AmendmentRow,
    "stock_move": StockMoveRow,
    "shipment": ShipmentRow,
}
"""Entity kind to table, parents first. A `Change` names its record `kind:id`."""


for _table in ShopTable.metadata.tables.values():
    if _table.name in ("payment_method", "order_line", "transfer", "amendment", "shipment"):
        numbered(_table)
    guard(_table)


def create_tables(bind: Engine | Connection) -> None:
    """Create the shop's tables that are not there yet; touches no other table."""
    ShopTable.metadata.create_all(bind)
