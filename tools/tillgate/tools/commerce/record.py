"""The record as one subject may see it: every look-up is scoped by construction.

There is no method that takes a customer id: an order, cart, request or call of somebody else is answered with
None, exactly as one that does not exist. The only search across customers is `identify`, which returns an id and
nothing more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from tillgate.guards.model import Assurance, Json
from tillgate.guards.money import Currency
from tillgate.tools.commerce.model import Cart, Customer, Offer, Order, OrderStatus, Product, Variant


class Conversation(Struct, frozen=True):
    """What the gate remembers of one conversation. `misses` counts failed identifications; 3 lock it."""

    key: str
    customer_id: str | None
    bound: bool
    misses: int
    assurance: Assurance


class Challenge(Struct, frozen=True):
    """A one-time code that was sent. `matches` compares in constant time; the code itself is not kept."""

    id: str
    expires_at: datetime
    attempts: int
    used: bool
    salt: str
    code_hash: str


class RequestView(Struct, frozen=True):
    """An escalation as its own customer may see it."""

    handle: str
    tool: str
    status: str
    queue: str
    created_at: datetime
    expires_at: datetime
    message: str | None
    result: Mapping[str, Json] | None


class PastCall(Struct, frozen=True):
    """A call of this subject that changed something: enough to plan its inverse."""

    call_id: str
    tool: str
    summary: str
    at: datetime
    changes: tuple[Any, ...]
    undo_until: datetime | None
    undo_why_not: str | None
    undone_by: str | None


class Record(Protocol):
    """One subject's view of the shop and of the gate's own desk, at one instant, inside one transaction."""

    @property
    def now(self) -> datetime: ...
    @property
    def currency(self) -> Currency: ...
    @property
    def conversation(self) -> Conversation: ...

    def customer(self) -> Customer | None:
        """The subject's own profile; None while nobody is identified."""
        ...

    def identify(
        self, *, email: str | None, first_name: str | None, last_name: str | None, postal_code: str | None
    ) -> str | None:
        """The id of the one customer who matches, case and outer spaces aside; None for none or several."""
        ...

    def order(self, order_id: str) -> Order | None: ...
    def orders(self, *, status: OrderStatus | None, limit: int) -> Sequence[Order]:
        """The subject's own orders, newest first."""
        ...

    def cart(self, cart_id: str) -> Cart | None: ...
    def search(
        self,
        *,
        query: str | None,
        category: str | None,
        max_price: int | None,
        in_stock: bool | None,
        limit: int,
    ) -> Sequence[Product]:
        """Products with at least one matching variant, by title; only matching variants are listed."""
        ...

    def product(self, product_id: str) -> Product | None: ...
    def variants(self, ids: Sequence[str]) -> Mapping[str, Variant]: ...
    def offer(self, code: str) -> Offer | None: ...
    def offers(self) -> Sequence[Offer]:
        """Every offer on file, by code."""
        ...

    def offer_uses(self, code: str, *, besides_cart: str | None) -> int:
        """How many other carts of this subject carry the offer."""
        ...

    def transfers(self, method_id: str) -> frozenset[str]:
        """The movements of money (`transfer:…`) that a payment method of the subject took part in."""
        ...

    def new_id(self, kind: str) -> str:
        """A new unguessable id, the same for the same planned act of this conversation, so that it can be confirmed."""
        ...

    def challenge(self, challenge_id: str) -> Challenge | None: ...
    def request(self, handle: str) -> RequestView | None: ...
    def past_call(self, call_id: str) -> PastCall | None: ...
    def entity(self, entity: str) -> Mapping[str, Json] | None:
        """The present fields of one record the subject owns, as stored; for planning an inverse."""
        ...

    def version(self, entity: str) -> int | None:
        """The version of an aggregate root the subject owns (`order:…`, `cart:…`, `customer:…`)."""
        ...
