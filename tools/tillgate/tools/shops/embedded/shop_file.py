"""The entries of a shop file (CONTRACT §10) as strict types: nothing is coerced, nothing unknown is let in.

Amounts are read into minor units and times into UTC text while the file is checked, so what passes is what is
stored. The validation context holds the `currency` of the file, None when the file names none that is known.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from tillgate.guards.money import Currency
from tillgate.tools.arguments import invisible
from tillgate.tools.commerce.model import MethodKind, OfferKind, OrderStatus

_ID = re.compile(r"[A-Za-z0-9#][A-Za-z0-9_.:#-]{0,63}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_PERCENT = re.compile(r"(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,2}))?")
_MOST = 1_000_000_000


def _no(message: str) -> PydanticCustomError:
    return PydanticCustomError("shop_file", "{message}", {"message": message})


def _id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise _no("is not an id: at most 64 letters, digits and _ . : # -, the first a letter, digit or #")
    return text


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise _no("is not an offer code: letters, digits, _ and - only, at most 40")
    return text


def _storable(text: str) -> str:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise _no("has a character in it that is not text")
    return text


def _words(text: str) -> str:
    if not text.strip():
        raise _no("must not be blank")
    return _storable(text)


def _email(text: str) -> str:
    local, at, domain = text.partition("@")
    if not (local and at and domain) or "@" in domain or invisible(text) or any(map(str.isspace, text)):
        raise _no("is not an e-mail address")
    return text


def _last4(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}", text):
        raise _no("must be exactly the last four digits, and never more of a card")
    return text


def _country(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", text):
        raise _no("is not a country of two capital letters, like US")
    return text


def _time(text: str) -> str:
    refused = _no("is not an RFC 3339 time with a zone, like 2026-01-05T00:00:00Z")
    if not _TIME.fullmatch(text):
        raise refused
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused from None
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _currency(info: ValidationInfo) -> Currency | None:
    context: Mapping[str, Currency | None] = info.context or {}
    return context.get("currency")


def _money(value: object, info: ValidationInfo) -> int:
    currency = _currency(info)
    if not isinstance(value, str):
        raise _no('must be money: a decimal string such as "48.00"')
    if value.startswith("-"):
        raise _no("must not be negative")
    try:
        return (currency or Currency("XXX", 4)).parse(value)
    except ValueError:
        digits = "any" if currency is None else f"at most {currency.exponent}"
        raise _no(f"is not an amount: a decimal string with {digits} digits after the point") from None


def _offer_value(value: object, info: ValidationInfo) -> int:
    if info.data.get("kind") != "percent":
        return _money(value, info)
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    hundredths = int(match[1] + (match[2] or "").ljust(2, "0")) if match else 0
    if not 0 < hundredths <= 10_000:
        raise _no('must be a percentage above 0 and at most 100, as a decimal string such as "10"')
    return hundredths


def _after_start(ends_at: str | None, info: ValidationInfo) -> str | None:
    starts_at = info.data.get("starts_at")
    if ends_at is not None and starts_at is not None and ends_at <= starts_at:
        raise _no("must be after starts_at")
    return ends_at


def _balance(balance: int | None, info: ValidationInfo) -> int | None:
    if balance is not None and info.data.get("kind") in ("card", "paypal"):
        raise _no("must be null: only gift cards and store credit have a balance here")
    return balance


def _delivery(delivered_at: str | None, info: ValidationInfo) -> str | None:
    status, placed_at = info.data.get("status"), info.data.get("placed_at")
    if delivered_at is None and status == "delivered":
        raise _no("is missing for a delivered order")
    if delivered_at is not None and status not in (None, "delivered"):
        raise _no(f"must be null for an order that is {status}")
    if delivered_at is not None and placed_at is not None and delivered_at < placed_at:
        raise _no("must not be before placed_at")
    return delivered_at


Id = Annotated[str, AfterValidator(_id)]
Code = Annotated[str, AfterValidator(_code)]
Words = Annotated[str, Field(max_length=500), AfterValidator(_words)]
Note = Annotated[str, Field(max_length=10_000), AfterValidator(_storable)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_words), AfterValidator(_email)]
Time = Annotated[str, AfterValidator(_time)]
Money = Annotated[int, BeforeValidator(_money)]
Count = Annotated[int, Field(ge=1, le=_MOST)]


class Entry(BaseModel):
    """One object of the file. Every field must be there; `null` is a value only where the type says so."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AddressEntry(Entry):
    line1: Words
    line2: Words | None
    city: Words
    region: Words | None
    postal_code: Words
    country: Annotated[str, AfterValidator(_country)]

    def as_json(self) -> dict[str, Any]:
        """The address as it is stored."""
        return self.model_dump()


class MethodEntry(Entry):
    id: Id
    kind: MethodKind
    brand: Words | None
    last4: Annotated[str, AfterValidator(_last4)] | None
    balance: Annotated[Money | None, AfterValidator(_balance)]


class CustomerEntry(Entry):
    id: Id
    email: Email
    first_name: Words
    last_name: Words
    phone: Words | None
    created_at: Time
    address: AddressEntry
    address_changed_at: Time | None
    tags: list[Words]
    payment_methods: list[MethodEntry]


class VariantEntry(Entry):
    id: Id
    options: dict[Words, Words]
    price: Money
    cost: Money | None
    stock: Annotated[int, Field(ge=0, le=_MOST)]


class ProductEntry(Entry):
    id: Id
    title: Words
    category: Words | None
    variants: list[VariantEntry]


class OfferEntry(Entry):
    code: Code
    kind: OfferKind
    value: Annotated[int, BeforeValidator(_offer_value)]
    minimum: Money
    starts_at: Time | None
    ends_at: Annotated[Time | None, AfterValidator(_after_start)]
    stackable: bool
    max_uses_per_customer: Count
    tags: list[Words]


class CartLineEntry(Entry):
    variant_id: Id
    quantity: Count


class CartEntry(Entry):
    id: Id
    customer_id: Id
    lines: list[CartLineEntry]
    offers: list[Code]


class OrderLineEntry(Entry):
    id: Id
    variant_id: Id
    quantity: Count
    unit_price: Money


class PaymentEntry(Entry):
    id: Id
    method_id: Id
    amount: Money


class RefundEntry(Entry):
    id: Id
    payment_id: Id
    method_id: Id
    amount: Money


class ShipmentEntry(Entry):
    id: Id
    tracking: Words
    line_ids: list[Id]


class OrderEntry(Entry):
    id: Id
    customer_id: Id
    placed_at: Time
    status: OrderStatus
    delivered_at: Annotated[Time | None, AfterValidator(_delivery)]
    disputed: bool
    shipping_address: AddressEntry
    lines: list[OrderLineEntry]
    payments: list[PaymentEntry]
    refunds: list[RefundEntry]
    shipments: list[ShipmentEntry]
    note: Note | None
