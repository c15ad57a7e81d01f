"""Fills the shop from a file, all or nothing: a file with one finding changes nothing at all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from tillgate.guards.errors import SeedError
from tillgate.tools.shops.embedded.apply import canonical
from tillgate.tools.shops.embedded.load import ShopFile, load_shop
from tillgate.tools.shops.embedded.opening import order_lines, transfers
from tillgate.tools.shops.embedded.records import FILLED
from tillgate.tools.shops.embedded.rows import time_text
from tillgate.tools.shops.embedded.shop import search_words
from tillgate.tools.shops.embedded.sql import Sql

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What was filled in: rows by table, and the SHA-256 of the file."""

    currency: str
    rows: Mapping[str, int]
    digest: str


def seed(sql: Sql, text: bytes | str, *, now: datetime, replace: bool = False) -> SeedReport:
    """Fill the shop from the text of a shop file, inside the caller's transaction if there is one.

    Raises SeedError with every finding, or when the shop has data and `replace` is not said; then nothing
    has changed.
    """
    shop = load_shop(text)
    if not replace and sql.row("SELECT 1 FROM shop WHERE shop = ?", (sql.shop,)) is not None:
        raise SeedError(["$: there is a shop in this store already; give --replace to put this one in its place"])
    with sql.savepoint("seed"):
        for table in reversed(FILLED):
            sql.run(f"DELETE FROM {table} WHERE shop = ?", (sql.shop,))  # noqa: S608
        counts = {table: _fill(sql, table, rows) for table, rows in _tables(shop, time_text(now), _places_taken(sql))}
    return SeedReport(shop.currency.code, counts, shop.digest)


def _fill(sql: Sql, table: str, rows: Iterable[Row]) -> int:
    filled = [{"shop": sql.shop, **row} for row in rows]
    if filled:
        names = list(filled[0])
        marks = ", ".join(f":{name}" for name in names)
        sql.tell_each(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", filled)  # noqa: S608
    return len(filled)


def _places_taken(sql: Sql) -> int:
    """The last place of the other shops in this file: its one index of words counts through all of them."""
    row = sql.row("SELECT coalesce(max(place), 0) FROM variant WHERE shop <> ?", (sql.shop,))
    return row[0] if row else 0


def _tables(shop: ShopFile, now: str, taken: int) -> Iterator[tuple[str, Iterable[Row]]]:
    """Every table with its rows, parents first."""
    yield "shop", [{"currency": shop.currency.code, "seeded_at": now, "digest": shop.digest}]
    yield "customer", _customers(shop)
    yield "payment_method", _methods(shop)
    yield (
        "product",
        ({"id": item.id, "title": item.title, "category": item.category} for item in shop.products),
    )
    yield "variant", _variants(shop, taken)
    yield "offer", _offers(shop)
    yield "cart", ({"id": cart.id, "customer_id": cart.customer_id, "created_at": now} for cart in shop.carts)
    yield "cart_line", _cart_lines(shop)
    yield "cart_offer", _cart_offers(shop)
    yield "orders", _orders(shop)
    yield "order_line", (row for order in shop.orders for row in order_lines(order))
    yield "transfer", transfers(shop, now)
    yield "shipment", ({**row, "line_ids": canonical(row["line_ids"])} for row in _parts(shop, "shipments"))


def _customers(shop: ShopFile) -> Iterator[Row]:
    for customer in shop.customers:
        row = customer.model_dump(exclude={"payment_methods"})
        yield {**row, "address": canonical(row["address"]), "tags": canonical(row["tags"])}


def _methods(shop: ShopFile) -> Iterator[Row]:
    for customer in shop.customers:
        for method in customer.payment_methods:
            yield {"customer_id": customer.id, **method.model_dump(exclude={"balance"})}


def _variants(shop: ShopFile, taken: int) -> Iterator[Row]:
    """Each with its place in the catalogue as it is shown: by title, ASCII case aside, after the places `taken`."""
    titled = sorted(
        shop.products, key=lambda each: (each.title.encode().lower(), each.title.encode(), each.id.encode())
    )
    listed = [(product, variant) for product in titled for variant in product.variants]
    for place, (product, variant) in enumerate(listed, start=taken + 1):
        words = search_words(product.title, product.category, *variant.options.values())
        row = variant.model_dump()
        told = {"product_id": product.id, "options": canonical(row["options"]), "words": words, "place": place}
        yield {**row, **told}


def _offers(shop: ShopFile) -> Iterator[Row]:
    for offer in shop.offers:
        row = offer.model_dump(exclude={"code"})
        yield {"id": offer.code, **row, "tags": canonical(row["tags"])}


def _cart_lines(shop: ShopFile) -> Iterator[Row]:
    for cart in shop.carts:
        for line in cart.lines:
            yield {"id": f"{cart.id}/{line.variant_id}", "cart_id": cart.id, **line.model_dump(), "quoted": 1}


def _cart_offers(shop: ShopFile) -> Iterator[Row]:
    for cart in shop.carts:
        for code in cart.offers:
            yield {"id": f"{cart.id}/{code}", "cart_id": cart.id, "code": code}


def _orders(shop: ShopFile) -> Iterator[Row]:
    for order in shop.orders:
        row = order.model_dump(exclude={"lines", "payments", "refunds", "shipments"})
        yield {**row, "shipping_address": canonical(row["shipping_address"])}


def _parts(shop: ShopFile, part: str) -> Iterator[Row]:
    for order in shop.orders:
        for entry in getattr(order, part):
            yield {"order_id": order.id, **entry.model_dump()}
