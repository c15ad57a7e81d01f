"""Reads a shop file whole and says everything that is wrong with it; a file with a finding is no shop."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from tillgate.guards.errors import SeedError
from tillgate.guards.money import Currency, currency
from tillgate.tools.shops.embedded.references import check_cart, check_customers, check_order, known
from tillgate.tools.shops.embedded.shop_file import (
    CartEntry,
    CustomerEntry,
    Entry,
    OfferEntry,
    OrderEntry,
    ProductEntry,
)
from tillgate.tools.shops.embedded.strict_json import Finding, Loc, lines, read_strict

E = TypeVar("E", bound=Entry)
_SECTIONS = ("customers", "products", "offers", "carts", "orders")
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


@dataclass(frozen=True, slots=True)
class ShopFile:
    """A shop file without a finding. `digest` is the SHA-256 of its text, in hex."""

    currency: Currency
    customers: Sequence[CustomerEntry]
    products: Sequence[ProductEntry]
    offers: Sequence[OfferEntry]
    carts: Sequence[CartEntry]
    orders: Sequence[OrderEntry]
    digest: str


def load_shop(text: bytes | str) -> ShopFile:
    """The shop of a file (CONTRACT §10), money in minor units.

    Raises SeedError with every finding at its path.
    """
    raw, findings = read_strict(text)
    if raw is None and findings:
        raise SeedError(lines(findings))
    if not isinstance(raw, dict):
        raise SeedError(["$: must be an object"])
    found = _Reader(cast("dict[str, Any]", raw), findings)
    shop = found.shop(_digest(text))
    if shop is None:
        raise SeedError(lines(found.findings))
    return shop


class _Reader:
    """Collects findings while the sections of one file are read."""

    def __init__(self, raw: Mapping[str, Any], findings: Sequence[Finding]) -> None:
        self._raw = raw
        self.findings = list(findings)

    def shop(self, digest: str) -> ShopFile | None:
        """The shop, or None with at least one finding."""
        self._shape()
        money = self._currency()
        customers = self._section("customers", CustomerEntry, money)
        products = self._section("products", ProductEntry, money)
        offers = self._section("offers", OfferEntry, money)
        carts = self._section("carts", CartEntry, money)
        orders = self._section("orders", OrderEntry, money)
        self._references(customers, carts, orders)
        if money is None or self.findings:
            return None
        return ShopFile(
            currency=money,
            customers=tuple(customers.values()),
            products=tuple(products.values()),
            offers=tuple(offers.values()),
            carts=tuple(carts.values()),
            orders=tuple(orders.values()),
            digest=digest,
        )

    def _shape(self) -> None:
        for name in self._raw:
            if name not in ("currency", *_SECTIONS):
                self.findings.append(((name,), "is not a known field"))
        for name in ("currency", *_SECTIONS):
            if name not in self._raw:
                self.findings.append(((name,), "is missing"))

    def _currency(self) -> Currency | None:
        if "currency" not in self._raw:
            return None
        code = self._raw["currency"]
        try:
            return currency(code if isinstance(code, str) else "")
        except ValueError:
            self.findings.append((("currency",), "is not an ISO 4217 currency code, like USD"))
            return None

    def _section(self, name: str, entry: type[E], money: Currency | None) -> Mapping[int, E]:
        listed = self._raw.get(name, [])
        if not isinstance(listed, list):
            self.findings.append(((name,), "must be a list"))
            return {}
        read: dict[int, E] = {}
        for place, item in enumerate(cast("list[object]", listed)):
            try:
                read[place] = entry.model_validate(item, context={"currency": money})
            except ValidationError as error:
                self.findings.extend(_findings((name, place), error))
        return read

    def _references(
        self,
        customers: Mapping[int, CustomerEntry],
        carts: Mapping[int, CartEntry],
        orders: Mapping[int, OrderEntry],
    ) -> None:
        ids, repeated = known(self._raw)
        self.findings.extend(repeated)
        self.findings.extend(check_customers(customers))
        for place, cart in carts.items():
            self.findings.extend(check_cart(("carts", place), cart, ids))
        for place, order in orders.items():
            self.findings.extend(check_order(("orders", place), order, ids))


def _findings(loc: Loc, error: ValidationError) -> Sequence[Finding]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [((*loc, *item["loc"]), _WORDS.get(item["type"], item["msg"])) for item in found]


def _digest(text: bytes | str) -> str:
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()
