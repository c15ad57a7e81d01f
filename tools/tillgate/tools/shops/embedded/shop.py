"""The shop half of the record: every look-up is scoped to one subject in the SQL itself.

No method takes a customer id. A record of somebody else and one that does not exist go through the same
statements and end in None; only `identify` searches across customers, and it returns an id and nothing more.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from msgspec.structs import replace

from tillgate.guards.model import Json
from tillgate.guards.money import Currency, currency
from tillgate.tools.commerce.model import Cart, Customer, Offer, Order, OrderStatus, Product, Variant
from tillgate.tools.shops.embedded import rows
from tillgate.tools.shops.embedded.apply import read_entity, root_version
from tillgate.tools.shops.embedded.records import SHOP_TABLES
from tillgate.tools.shops.embedded.sql import Row, Sql
from tillgate.tools.shops.embedded.statements import (
    FEW,
    OFFER,
    OFFER_USES,
    OFFERS,
    OWNED,
    TRANSFERS_OF_METHOD,
    statements,
)

MOST_ROWS = 50
_REFUND_DAYS = 30
_INDEXED = 3
"""Shorter words are in no index of three letters."""
_FEW = 300


class ShopReader:
    """What one subject may see of the shop at one instant. Method names are those of `Record`.

    `customer_id` is None while nobody is identified; `conversation` is the key an anonymous cart belongs to.
    """

    def __init__(
        self, sql: Sql, *, customer_id: str | None, conversation: str, now: datetime, currency: Currency
    ) -> None:
        self._sql = sql
        self._say = statements(sql.dialect)
        self._owner = _owner(sql, customer_id, conversation, now)
        self._now = now
        self._currency = currency

    @property
    def now(self) -> datetime:
        """The instant this view is of."""
        return self._now

    @property
    def currency(self) -> Currency:
        """The one currency of the shop."""
        return self._currency

    def customer(self) -> Customer | None:
        """The subject's own profile with the figures of their past; None while nobody is identified."""
        row = self._sql.row(self._say.customer, self._owner)
        return None if row is None else rows.customer(row)

    def identify(
        self, *, email: str | None, first_name: str | None, last_name: str | None, postal_code: str | None
    ) -> str | None:
        """The one customer who matches everything given; None for none, several, or too little given."""
        if email:
            found = self._sql.rows(self._say.by_email, {**self._owner, "email": _lower(email.strip())})
        elif first_name and last_name and postal_code:
            found = self._sql.rows(
                self._say.by_postal_code, {**self._owner, "postal_code": _lower(postal_code.strip())}
            )
        else:
            return None
        given = {"email": email, "first_name": first_name, "last_name": last_name, "postal_code": postal_code}
        folded = {name: _folded(text) for name, text in given.items() if text}
        ids = [row["id"] for row in found if all(_folded(row[name]) == folded[name] for name in folded)]
        return ids[0] if len(ids) == 1 else None

    def order(self, order_id: str) -> Order | None:
        """One of the subject's own orders."""
        row = self._sql.row(self._say.order, {**self._owner, "id": order_id})
        return None if row is None else rows.order(row)

    def orders(self, *, status: OrderStatus | None, limit: int) -> Sequence[Order]:
        """The subject's own orders, newest first, at most 50."""
        asked = {**self._owner, "status": status, "limit": _bounded(limit)}
        return tuple([rows.order(row) for row in self._sql.rows(self._say.orders, asked)])

    def cart(self, cart_id: str) -> Cart | None:
        """A cart of the subject, or of this conversation while it belongs to nobody."""
        row = self._sql.row(self._say.cart, {**self._owner, "id": cart_id})
        return None if row is None else _running(rows.cart(row), self._now)

    def search(
        self,
        *,
        query: str | None,
        category: str | None,
        max_price: int | None,
        in_stock: bool | None,
        limit: int,
    ) -> Sequence[Product]:
        """Products with a variant in which every word of the query occurs, by title; only those variants."""
        asked = _search(self._sql, query, category=category, max_price=max_price, in_stock=in_stock)
        _foresee_search(self._sql, asked)
        with closing(self._sql.stream(self._say.search[self._narrowest(asked)], asked)) as found:
            return _products(found, _bounded(limit))

    def _narrowest(self, asked: Mapping[str, Any]) -> str:
        """What the search goes by, so that its cost does not grow with the catalogue."""
        if "few" in self._say.search and self._are_few("few", asked):
            return "few"
        if asked["match"]:
            return "words"
        given = {"category": asked["category"], "price": asked["max_price"]}
        for name in (name for name, value in given.items() if value is not None):
            if self._are_few(name, asked):
                return name
        return "all"

    def _are_few(self, name: str, asked: Mapping[str, Any]) -> bool:
        counted = self._sql.row(FEW[name], asked)
        return counted is not None and counted[0] < _FEW

    def product(self, product_id: str) -> Product | None:
        """A product with all its variants, sold out ones too."""
        found = _products(self._sql.rows(self._say.product, {**self._owner, "id": product_id}), 1)
        return found[0] if found else None

    def variants(self, ids: Sequence[str]) -> Mapping[str, Variant]:
        """Variant by id; an id that is not in the catalogue is left out."""
        found = self._sql.rows(self._say.variants, {**self._owner, "ids": orjson.dumps(list(ids)).decode()})
        return {row["id"]: rows.variant(row) for row in found}

    def offer(self, code: str) -> Offer | None:
        """The offer with exactly this code, running or not."""
        row = self._sql.row(OFFER, {**self._owner, "id": code})
        return None if row is None else rows.offer(row)

    def offers(self) -> Sequence[Offer]:
        """Every offer on file, by code."""
        return tuple(rows.offer(row) for row in self._sql.rows(OFFERS, self._owner))

    def offer_uses(self, code: str, *, besides_cart: str | None) -> int:
        """How many other carts of this subject carry the offer."""
        row = self._sql.row(OFFER_USES, {**self._owner, "code": code, "besides": besides_cart})
        return 0 if row is None else row[0]

    def transfers(self, method_id: str) -> frozenset[str]:
        """The movements of money a method of the subject took part in."""
        found = self._sql.rows(TRANSFERS_OF_METHOD, {**self._owner, "method": method_id})
        return frozenset(f"transfer:{row['id']}" for row in found)

    def entity(self, entity: str) -> Mapping[str, Json] | None:
        """The present fields of one shop record, if it is the subject's own or of the catalogue."""
        return read_entity(self._sql, SHOP_TABLES, entity) if self._owns(entity) else None

    def version(self, entity: str) -> int | None:
        """The version of one versioned shop record, if it is the subject's own or of the catalogue."""
        return root_version(self._sql, SHOP_TABLES, entity) if self._owns(entity) else None

    def _owns(self, entity: str) -> bool:
        kind, _, record_id = entity.partition(":")
        if kind not in OWNED:
            raise ValueError(f"{entity!r} names no kind of record of this shop")
        return self._sql.row(OWNED[kind], {**self._owner, "id": record_id}) is not None


def foresee_of(
    sql: Sql,
    customer_id: str | None,
    conversation: str,
    now: datetime,
    *,
    order_id: str | None,
    cart_id: str | None,
    query: str | None,
) -> None:
    """Have the database asked for a subject, and for these of theirs: a reader will likely want them."""
    say, owner = statements(sql.dialect), _owner(sql, customer_id, conversation, now)
    if customer_id is not None:
        sql.foresee(say.customer, owner)
        if order_id is not None:
            sql.foresee(say.order, {**owner, "id": order_id})
    if cart_id is not None:
        sql.foresee(say.cart, {**owner, "id": cart_id})
    if query is not None:
        _foresee_search(sql, _search(sql, query))


def _foresee_search(sql: Sql, asked: Mapping[str, Any]) -> None:
    """Of a small catalogue the answer itself; of others, no more than that they are none."""
    sql.foresee(OFFERS, asked)  # whoever shows products shows what runs on them
    by = statements(sql.dialect).search
    if "few" in by:
        sql.foresee(FEW["few"], asked)
        sql.foresee(by["few"], asked)


def _search(
    sql: Sql,
    query: str | None,
    *,
    category: str | None = None,
    max_price: int | None = None,
    in_stock: bool | None = None,
) -> Mapping[str, Any]:
    """The values of a search."""
    words = [_folded(word) for word in (query or "").split()]
    return {
        "shop": sql.shop,
        "patterns": orjson.dumps([_pattern(word) for word in words]).decode(),
        "longest": max(map(_pattern, words), key=len, default=""),
        "match": " AND ".join('"' + word.replace('"', '""') + '"' for word in words if len(word) >= _INDEXED),
        "category": _lower(category.strip()) if category else None,
        "max_price": max_price,
        "in_stock": in_stock,
        "few": _FEW,
    }


def _owner(sql: Sql, customer_id: str | None, conversation: str, now: datetime) -> Mapping[str, Any]:
    """The values that narrow a statement to one subject."""
    return {"shop": sql.shop, "customer": customer_id, "conversation": conversation, "since": _since(now)}


@lru_cache(1)
def _since(now: datetime) -> str:
    return rows.time_text(now - timedelta(days=_REFUND_DAYS))


def _running(cart: Cart, now: datetime) -> Cart:
    """The cart without offers that have ended while they were on it: they take nothing off any more."""
    offers = tuple(offer for offer in cart.offers if offer.runs(now))
    return cart if offers == cart.offers else replace(cart, offers=offers)


def _products(found: Iterable[Row], most: int) -> tuple[Product, ...]:
    """The first products in the order of the rows, and not one row more is looked at.

    A row without a variant id is a product that has none.
    """
    products: dict[str, tuple[str, str | None, list[Variant]]] = {}
    for row in found:
        variant_id, product_id, title, *_, category = row
        if product_id not in products:
            if len(products) == most:
                break
            products[product_id] = title, category, []
        if variant_id is not None:
            products[product_id][2].append(rows.variant(row[:-1]))
    return tuple([Product(key, title, category, tuple(each)) for key, (title, category, each) in products.items()])


def _bounded(limit: int) -> int:
    return max(0, min(limit, MOST_ROWS))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


def _lower(text: str) -> str:
    """Lower case as the databases have it, which is that of ASCII."""
    return text.encode().lower().decode()


def _pattern(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def search_words(*texts: str | None) -> str:
    """What `search` looks at in a variant: each text case-folded, on a line of its own."""
    return "\n".join(_folded(text) for text in texts if text)


def shop_currency(sql: Sql) -> Currency | None:
    """The currency of the shop in this database; None while it has not been filled."""
    row = sql.row("SELECT currency FROM shop WHERE shop = ?", (sql.shop,))
    return None if row is None else currency(row["currency"])
