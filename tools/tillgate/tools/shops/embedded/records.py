"""Which records a plan may change in this shop, and the columns they are kept in.

The tables themselves are declared in `tables`, whose library takes longer to load than a call takes: what is said here
again is held against it by a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

CATALOGUE = frozenset({"variant", "offer"})
"""Kinds whose version says which price was quoted: a plan may stand on it, only a new price raises it."""
ColumnKind: TypeAlias = Literal["text", "int", "bool", "json"]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """Where records of one kind live: the table, its columns but `shop` and `version`, and whether it has that."""

    table: str
    columns: Mapping[str, ColumnKind]
    versioned: bool = False


def _spec(table: str, columns: str, *, versioned: bool = False) -> TableSpec:
    """Columns as `name:kind`, or only the name of one that holds text."""
    kinds: dict[str, Any] = {}
    for column in columns.split():
        name, _, kind = column.partition(":")
        kinds[name] = kind or "text"
    return TableSpec(table, cast("dict[str, ColumnKind]", kinds), versioned)


SHOP_TABLES: Mapping[str, TableSpec] = {
    "customer": _spec(
        "customer",
        "id email first_name last_name phone created_at address:json address_changed_at email_changed_at tags:json",
        versioned=True,
    ),
    "payment_method": _spec("payment_method", "id customer_id kind brand last4", versioned=True),
    "variant": _spec("variant", "id product_id options:json price:int cost:int stock:int", versioned=True),
    "offer": _spec(
        "offer",
        "id kind value:int minimum:int starts_at ends_at stackable:bool max_uses_per_customer:int tags:json",
        versioned=True,
    ),
    "cart": _spec("cart", "id customer_id conversation created_at", versioned=True),
    "cart_line": _spec("cart_line", "id cart_id variant_id quantity:int quoted:int"),
    "cart_offer": _spec("cart_offer", "id cart_id code"),
    "order": _spec(
        "orders",
        "id customer_id placed_at status delivered_at disputed:bool shipping_address:json note",
        versioned=True,
    ),
    "order_line": _spec("order_line", "id order_id variant_id quantity:int unit_price:int discount:int"),
    "transfer": _spec(
        "transfer",
        "id kind order_id method_id payment_id amount:int cause reason lines:json created_at settles_at",
    ),
    "amendment": _spec("amendment", "id order_id kind reason lines:json created_at"),
    "stock_move": _spec("stock_move", "id variant_id order_id quantity:int"),
    "shipment": _spec("shipment", "id order_id tracking line_ids:json"),
}
"""By kind, parents first. The store adds its own."""
FILLED = ("shop", "product", *(spec.table for spec in SHOP_TABLES.values()))
"""Every table a shop file fills, parents first."""
