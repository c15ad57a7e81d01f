"""The tables of the embedded shop, declared once; their checks hold whatever code runs above them.

Money is whole minor units, a time is RFC 3339 text in UTC with whole seconds, a structured value is canonical
JSON text. Tables stand parents first: rows are created in this order and deleted in the other.
"""

from sqlalchemy import CheckConstraint, Index, Integer, text
from sqlalchemy.engine import Connection, Engine
from sqlmodel import Field

from tillgate.tools.shops.embedded.columns import (
    STRICT,
    ShopTable,
    at_least,
    derived_column,
    flag_column,
    int_column,
    json_column,
    key,
    one_of,
    text_column,
    times,
    valid_json,
    version_column,
)


class ShopRow(ShopTable, table=True):
    """The one row that says which shop this is; `digest` is the SHA-256 of the file it was filled from."""

    __tablename__ = "shop"
    __table_args__ = (CheckConstraint("id = 1", name="one_shop"), *times("seeded_at"), STRICT)
    id: int = Field(primary_key=True, sa_type=Integer)
    currency: str = text_column()
    seeded_at: str = text_column()
    digest: str = text_column()


class CustomerRow(ShopTable, table=True):
    """A person on file. The two expression indexes serve `identify`, the only search across customers."""

    __tablename__ = "customer"
    __table_args__ = (
        *at_least(1, "version"),
        *times("created_at", "address_changed_at"),
        *valid_json("address", "tags"),
        Index("customer_email", text("lower(trim(email))"), unique=True),
        Index("customer_postal_code", text("lower(trim(json_extract(address, '$.postal_code')))")),
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
    tags: str = json_column()
    version: int = version_column()


class PaymentMethodRow(ShopTable, table=True):
    """A way to pay on file; never more of a card than its last four digits."""

    __tablename__ = "payment_method"
    __table_args__ = (
        *at_least(0, "balance"),
        *at_least(1, "version"),
        one_of("kind", "card", "paypal", "gift_card", "store_credit"),
        CheckConstraint("last4 GLOB '[0-9][0-9][0-9][0-9]'", name="last4_only"),
        Index("payment_method_customer", "customer_id"),
        STRICT,
    )
    id: str = key()
    customer_id: str = text_column("customer.id")
    kind: str = text_column()
    brand: str | None = text_column(null=True)
    last4: str | None = text_column(null=True)
    balance: int | None = int_column(null=True)
    version: int = version_column()


class ProductRow(ShopTable, table=True):
    """A thing the shop sells, in one or more variants."""

    __tablename__ = "product"
    id: str = key()
    title: str = text_column()
    category: str | None = text_column(null=True)


class VariantRow(ShopTable, table=True):
    """One thing that can be bought. `words` is what a search looks at, case-folded, from the shop file."""

    __tablename__ = "variant"
    __table_args__ = (
        *at_least(0, "price", "cost", "stock"),
        *at_least(1, "version"),
        *valid_json("options"),
        Index("variant_product", "product_id"),
        STRICT,
    )
    id: str = key()
    product_id: str = text_column("product.id")
    options: str = json_column()
    price: int = int_column()
    cost: int | None = int_column(null=True)
    stock: int = int_column()
    words: str = derived_column()
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
        *at_least(1, "version"),
        *times("created_at"),
        CheckConstraint("customer_id IS NOT NULL OR conversation IS NOT NULL", name="cart_owned"),
        Index("cart_customer", "customer_id", "created_at"),
        Index("cart_conversation", "conversation", "created_at"),
        STRICT,
    )
    id: str = key()
    customer_id: str | None = text_column("customer.id", null=True)
    conversation: str | None = text_column(null=True)
    created_at: str = text_column()
    version: int = version_column()


class CartLineRow(ShopTable, table=True):
    """A variant in a cart; the id is `cart_1/v_1`."""

    __tablename__ = "cart_line"
    __table_args__ = (
        *at_least(1, "quantity"),
        CheckConstraint("id = cart_id || '/' || variant_id", name="cart_line_named"),
        Index("cart_line_cart", "cart_id"),
        STRICT,
    )
    id: str = key()
    cart_id: str = text_column("cart.id")
    variant_id: str = text_column("variant.id")
    quantity: int = int_column()


class CartOfferRow(ShopTable, table=True):
    """An offer on a cart; the id is `cart_1/CODE`."""

    __tablename__ = "cart_offer"
    __table_args__ = (
        CheckConstraint("id = cart_id || '/' || code", name="cart_offer_named"),
        Index("cart_offer_cart", "cart_id"),
        Index("cart_offer_offer", "code"),
        STRICT,
    )
    id: str = key()
    cart_id: str = text_column("cart.id")
    code: str = text_column("offer.id")


class OrderRow(ShopTable, table=True):
    """An order; its money follows from its lines, payments and refunds."""

    __tablename__ = "orders"
    __table_args__ = (
        *at_least(1, "version"),
        one_of("status", "pending", "processed", "shipped", "delivered", "cancelled"),
        CheckConstraint("disputed IN (0, 1)", name="disputed_flag"),
        *times("placed_at", "delivered_at"),
        *valid_json("shipping_address"),
        Index("orders_customer", "customer_id", "placed_at"),
        STRICT,
    )
    id: str = key()
    customer_id: str = text_column("customer.id")
    placed_at: str = text_column()
    status: str = text_column()
    delivered_at: str | None = text_column(null=True)
    disputed: bool = flag_column()
    shipping_address: str = json_column()
    note: str | None = text_column(null=True)
    version: int = version_column()


class OrderLineRow(ShopTable, table=True):
    """What was bought, at the price it was bought for."""

    __tablename__ = "order_line"
    __table_args__ = (
        *at_least(0, "unit_price"),
        *at_least(1, "quantity"),
        Index("order_line_order", "order_id"),
        STRICT,
    )
    id: str = key()
    order_id: str = text_column("orders.id")
    variant_id: str = text_column("variant.id")
    quantity: int = int_column()
    unit_price: int = int_column()


class PaymentRow(ShopTable, table=True):
    """Money captured for an order."""

    __tablename__ = "payment"
    __table_args__ = (
        *at_least(0, "amount"),
        Index("payment_order", "order_id"),
        Index("payment_by_method", "method_id"),
        STRICT,
    )
    id: str = key()
    order_id: str = text_column("orders.id")
    method_id: str = text_column("payment_method.id")
    amount: int = int_column()


class RefundRow(ShopTable, table=True):
    """Money going back for a payment; `lines` maps line ids to quantities, empty when unknown."""

    __tablename__ = "refund"
    __table_args__ = (
        *at_least(0, "amount"),
        *times("created_at", "settles_at"),
        *valid_json("lines"),
        Index("refund_order", "order_id"),
        Index("refund_payment", "payment_id"),
        Index("refund_by_method", "method_id"),
        STRICT,
    )
    id: str = key()
    order_id: str = text_column("orders.id")
    payment_id: str = text_column("payment.id")
    method_id: str = text_column("payment_method.id")
    amount: int = int_column()
    reason: str | None = text_column(null=True)
    lines: str = json_column()
    created_at: str | None = text_column(null=True)
    settles_at: str | None = text_column(null=True)


class ShipmentRow(ShopTable, table=True):
    """A parcel and the lines in it."""

    __tablename__ = "shipment"
    __table_args__ = (*valid_json("line_ids"), Index("shipment_order", "order_id"), STRICT)
    id: str = key()
    order_id: str = text_column("orders.id")
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
    "payment": PaymentRow,
    "refund": RefundRow,
    "shipment": ShipmentRow,
}
"""Entity kind to table, parents first. A `Change` names its record `kind:id`."""


def create_tables(bind: Engine | Connection) -> None:
    """Create the shop's tables that are not there yet; touches no other table."""
    ShopTable.metadata.create_all(bind)
