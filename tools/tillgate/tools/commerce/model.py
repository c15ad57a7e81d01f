"""The nouns of a shop, frozen, as the record holds them.

Amounts are integer minor units of the shop's one currency. Nothing here can be changed: a tool plans changes
(`tillgate.guards.model.Change`) and the executor applies them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

MethodKind: TypeAlias = Literal["card", "paypal", "gift_card", "store_credit"]
OrderStatus: TypeAlias = Literal["pending", "processed", "shipped", "delivered", "cancelled"]
OfferKind: TypeAlias = Literal["percent", "amount", "free_shipping"]


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as it stands on file; `country` is ISO 3166 alpha-2."""

    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A way to pay on file: only kind, brand, last four digits, and the balance of gift cards and credit."""

    id: str
    customer_id: str
    kind: MethodKind
    brand: str | None
    last4: str | None
    balance: int | None
    version: int


@dataclass(frozen=True, slots=True)
class Customer:
    """One person on file, with the figures of their past that policy may use."""

    id: str
    email: str
    first_name: str
    last_name: str
    phone: str | None
    created_at: datetime
    address: Address
    address_changed_at: datetime | None
    tags: tuple[str, ...]
    payment_methods: tuple[PaymentMethod, ...]
    version: int
    orders: int
    refunds_30d: int
    refunded_30d: int
    returned_orders: int
    disputes: int

    def method(self, method_id: str) -> PaymentMethod | None:
        """The payment method with this id, if this customer has it on file."""
        return next((method for method in self.payment_methods if method.id == method_id), None)


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be bought; `version` goes up whenever its price or stock row changes."""

    id: str
    product_id: str
    title: str
    options: Mapping[str, str]
    price: int
    cost: int | None
    stock: int
    version: int


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    title: str
    category: str | None
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A discount the shop has approved. `value` is a percentage times 100 (1000 is 10 %) or minor units."""

    code: str
    kind: OfferKind
    value: int
    minimum: int
    starts_at: datetime | None
    ends_at: datetime | None
    stackable: bool
    max_uses_per_customer: int | None
    tags: tuple[str, ...]
    version: int

    def runs(self, now: datetime) -> bool:
        """Whether the offer has started and not ended."""
        return (self.starts_at is None or self.starts_at <= now) and (self.ends_at is None or now < self.ends_at)

    def reduction(self, subtotal: int, left: int) -> int:
        """Minor units off `left`, what other offers left of the cart's `subtotal`; nothing below the minimum.

        Percentages round half up; never more than what is left.
        """
        if self.kind == "free_shipping" or subtotal < self.minimum:
            return 0
        amount = (left * self.value + 5_000) // 10_000 if self.kind == "percent" else self.value
        return min(amount, left)


@dataclass(frozen=True, slots=True)
class CartLine:
    variant: Variant
    quantity: int


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart of a customer, or of an anonymous conversation. Its money is derived, never stored."""

    id: str
    customer_id: str | None
    lines: tuple[CartLine, ...]
    offers: tuple[Offer, ...]
    version: int

    @property
    def subtotal(self) -> int:
        return sum(line.variant.price * line.quantity for line in self.lines)

    @property
    def discount(self) -> int:
        """Offers one after the other on what is left, in the order of their codes; never below zero."""
        left = self.subtotal
        for offer in self.offers:
            left -= offer.reduction(self.subtotal, left)
        return self.subtotal - left

    @property
    def total(self) -> int:
        return self.subtotal - self.discount

    @property
    def items(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def margin_percent(self) -> int | None:
        """Whole percent of the total left after cost, rounded down; None when a cost is unknown."""
        costs = [None if line.variant.cost is None else line.variant.cost * line.quantity for line in self.lines]
        known = [cost for cost in costs if cost is not None]
        if self.total == 0 or len(known) != len(costs):
            return None
        return (self.total - sum(known)) * 100 // self.total


@dataclass(frozen=True, slots=True)
class OrderLine:
    id: str
    variant_id: str
    product_id: str
    title: str
    options: Mapping[str, str]
    quantity: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class Payment:
    id: str
    method_id: str
    method_kind: MethodKind
    last4: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Money going back; until `settles_at` it has not left the shop.

    `lines` maps line id to quantity, empty when unknown.
    """

    id: str
    payment_id: str
    method_id: str
    amount: int
    reason: str | None
    lines: Mapping[str, int]
    created_at: datetime | None
    settles_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shipment:
    id: str
    tracking: str | None
    line_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """One order with everything that hangs on it. Its money is derived from payments and refunds."""

    id: str
    customer_id: str
    placed_at: datetime
    status: OrderStatus
    delivered_at: datetime | None
    disputed: bool
    shipping_address: Address
    lines: tuple[OrderLine, ...]
    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    shipments: tuple[Shipment, ...]
    note: str | None
    version: int

    @property
    def total(self) -> int:
        return sum(line.unit_price * line.quantity for line in self.lines)

    @property
    def captured(self) -> int:
        return sum(payment.amount for payment in self.payments)

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds)

    @property
    def refundable(self) -> int:
        return max(0, self.captured - self.refunded)

    @property
    def dispatched(self) -> bool:
        return self.status in ("shipped", "delivered") or bool(self.shipments)

    def line(self, line_id: str) -> OrderLine | None:
        """The line with this id, if it is on this order."""
        return next((line for line in self.lines if line.id == line_id), None)
