"""The nouns of a shop, frozen, as the record holds them.

Amounts are integer minor units of the shop's one currency. Nothing here can be changed: a tool plans changes
(`tillgate.guards.model.Change`) and the executor applies them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from tillgate.guards.model import Json
from tillgate.tools.commerce.allocating import first_units

MethodKind: TypeAlias = Literal["card", "paypal", "gift_card", "store_credit"]
OrderStatus: TypeAlias = Literal["pending", "processed", "shipped", "delivered", "cancelled"]
OfferKind: TypeAlias = Literal["percent", "amount", "free_shipping"]
Cause: TypeAlias = Literal["opening", "order", "refund", "cancellation", "return", "exchange", "items", "payment"]
"""Why money moved."""
AmendmentKind: TypeAlias = Literal["items", "payment", "address", "cancellation", "return", "exchange"]
BALANCES: tuple[MethodKind, ...] = ("gift_card", "store_credit")
"""Methods that are money held by the shop itself: what is on them can be known, and spent once."""
_ADJUSTS: tuple[Cause, ...] = ("items", "payment", "exchange")


class Sums(Struct, frozen=True):
    """What of an order's money came in, went back and could still go back, in minor units."""

    captured: int
    refunded: int
    refundable: int


class Address(Struct, frozen=True):
    """A postal address as it stands on file; `country` is ISO 3166 alpha-2."""

    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str


class PaymentMethod(Struct, frozen=True):
    """A way to pay on file: only kind, brand, last four digits, and the balance of gift cards and credit.

    `refunds_30d` and `refunded_30d` are what went back to it in the last 30 days, count and minor units.
    """

    id: str
    customer_id: str
    kind: MethodKind
    brand: str | None
    last4: str | None
    balance: int | None
    refunds_30d: int
    refunded_30d: int
    version: int


class Customer(Struct, frozen=True):
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
    email_changed_at: datetime | None
    orders: int
    refunds_30d: int
    refunded_30d: int
    returned_orders: int
    disputes: int

    def method(self, method_id: str) -> PaymentMethod | None:
        """The payment method with this id, if this customer has it on file."""
        return next((method for method in self.payment_methods if method.id == method_id), None)


class Variant(Struct, frozen=True):
    """One thing that can be bought; `version` goes up whenever its price or stock row changes."""

    id: str
    product_id: str
    title: str
    options: Mapping[str, str]
    price: int
    cost: int | None
    stock: int
    version: int


class Product(Struct, frozen=True):
    id: str
    title: str
    category: str | None
    variants: tuple[Variant, ...]


class Offer(Struct, frozen=True):
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


class CartLine(Struct, frozen=True):
    """`version` is that of the variant's row when the customer was told its price."""

    variant: Variant
    quantity: int
    version: int

    @property
    def repriced(self) -> bool:
        """Whether the price the customer was told is no longer the shop's."""
        return self.version != self.variant.version


class Cart(Struct, frozen=True):
    """A cart of a customer, or of an anonymous conversation. Its money is derived, never stored."""

    id: str
    customer_id: str | None
    lines: tuple[CartLine, ...]
    offers: tuple[Offer, ...]
    version: int

    @property
    def sums(self) -> "CartSums":
        """The money of the cart, each line and offer looked at once."""
        subtotal = sum([line.variant.price * line.quantity for line in self.lines])
        left = subtotal
        for offer in self.offers:
            left -= offer.reduction(subtotal, left)
        costs = [line.variant.cost and line.variant.cost * line.quantity for line in self.lines]
        known = [cost for cost in costs if cost is not None]
        return CartSums(subtotal, subtotal - left, left, left - sum(known) if len(known) == len(costs) else None)

    @property
    def subtotal(self) -> int:
        return self.sums.subtotal

    @property
    def discount(self) -> int:
        return self.sums.discount

    @property
    def total(self) -> int:
        return self.sums.total

    @property
    def items(self) -> int:
        return sum([line.quantity for line in self.lines])


class CartSums(Struct, frozen=True):
    """What a cart costs, in minor units.

    `discount` is what its offers take off, one after the other on what is left, in the order of their codes; never
    more than the `subtotal`. `margin` is what of the total is left after cost, below zero for a loss; None when a cost
    is unknown.
    """

    subtotal: int
    discount: int
    total: int
    margin: int | None

    @property
    def margin_percent(self) -> int | None:
        """The margin in whole percent of the total, rounded down; None when it is unknown or nothing is paid."""
        return None if self.margin is None or self.total == 0 else self.margin * 100 // self.total


class OrderLine(Struct, frozen=True):
    """What was bought, or a charge (shipping, tax) beside it. `discount` is the line's share of what came off."""

    id: str
    variant_id: str | None
    product_id: str | None
    title: str
    options: Mapping[str, str]
    quantity: int
    unit_price: int
    discount: int

    @property
    def amount(self) -> int:
        """What the customer paid for the line, in minor units."""
        return self.unit_price * self.quantity - self.discount

    def worth(self, taken: int, quantity: int) -> int:
        """What `quantity` more units are worth after `taken` of them: the parts add up to the amount exactly."""
        upto = first_units(self.amount, self.quantity, taken + quantity)
        return upto - first_units(self.amount, self.quantity, taken)


class Payment(Struct, frozen=True):
    id: str
    method_id: str
    method_kind: MethodKind
    last4: str | None
    amount: int


class Refund(Struct, frozen=True):
    """Money going back; until `settles_at` it has not left the shop. Without one it waits for the goods.

    `lines` maps line id to quantity, empty when unknown.
    """

    id: str
    payment_id: str
    method_id: str
    amount: int
    reason: str | None
    lines: Mapping[str, int]
    cause: Cause
    created_at: datetime | None
    settles_at: datetime | None


class Shipment(Struct, frozen=True):
    id: str
    tracking: str | None
    line_ids: tuple[str, ...]


class Amendment(Struct, frozen=True):
    """What was done to an order since it was placed; `lines` maps line ids to what it says of them."""

    id: str
    kind: AmendmentKind
    lines: Mapping[str, Json]
    created_at: datetime


class Order(Struct, frozen=True):
    """One order with everything that hangs on it. Its money is derived from its lines and the ledger.

    What a change of items, an exchange or a change of the payment method moved is no refund: it settles what was
    captured, so that `captured` stays what the lines cost.
    """

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
    amendments: tuple[Amendment, ...]
    note: str | None
    version: int
    address_refunds_30d: int

    @property
    def total(self) -> int:
        return sum([line.amount for line in self.lines])

    @property
    def sums(self) -> Sums:
        """The money of the order, each movement looked at once."""
        captured, refunded = sum([payment.amount for payment in self.payments]), 0
        for refund in self.refunds:
            if refund.cause in _ADJUSTS:
                captured -= refund.amount
            else:
                refunded += refund.amount
        return Sums(captured, refunded, max(0, captured - refunded))

    @property
    def captured(self) -> int:
        return self.sums.captured

    @property
    def refunded(self) -> int:
        return self.sums.refunded

    def left(self, payment: Payment) -> int:
        """What of a payment has not gone back."""
        back = sum([refund.amount for refund in self.refunds if refund.payment_id == payment.id])
        return max(0, payment.amount - back)

    @property
    def paying(self) -> tuple[Payment, ...]:
        """The payments that pay for the order now: those with something left, else the last one."""
        return tuple([payment for payment in self.payments if self.left(payment)]) or self.payments[-1:]

    @property
    def refundable(self) -> int:
        return self.sums.refundable

    @property
    def dispatched(self) -> bool:
        return self.status in ("shipped", "delivered") or bool(self.shipments)

    def amended(self, kind: AmendmentKind) -> tuple[Amendment, ...]:
        """What was done to this order of one kind, oldest first."""
        return tuple([each for each in self.amendments if each.kind == kind])

    def line(self, line_id: str) -> OrderLine | None:
        """The line with this id, if it is on this order."""
        return next((line for line in self.lines if line.id == line_id), None)
