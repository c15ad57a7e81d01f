"""The one catalogue of facts a policy may speak of, typed once; checker, schema, explain and docs all read it.

A fact that is not declared here (or in a tool's arguments) cannot be used, and a value that does not have the declared
type never reaches a rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Literal, TypeAlias

from tillgate.guards.countries import countries
from tillgate.guards.model import Assurance, Consent, Effect, Tier

BOUND = 2**53 - 1
"""Whole numbers beyond this are refused as facts: JSON readers elsewhere could not hold them exactly."""

MAX_ITEMS = 200
"""Lists longer than this are refused as facts, so that every condition has a bounded cost."""

_YEAR_3000 = 32_503_680_000
_SHOWN = 20


class Kind(StrEnum):
    """What a value is. `ENUM` values are strings of a closed list; `ORDERED` ones can be compared by rank."""

    STRING = "string"
    INT = "int"
    BOOL = "bool"
    MONEY = "money"
    ENUM = "enum"
    ORDERED = "ordered"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    LIST = "list"
    RECORD = "record"


def _no_fields() -> Mapping[str, "FactType"]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class FactType:
    """The type of one fact: kind, unit for people, inclusive range, closed values, parts of lists and records."""

    kind: Kind
    unit: str | None = None
    lo: int | None = None
    hi: int | None = None
    values: tuple[str, ...] = ()
    element: "FactType | None" = None
    fields: Mapping[str, "FactType"] = field(default_factory=_no_fields, hash=False)
    optional: bool = False

    @property
    def bounds(self) -> tuple[int, int]:
        """The smallest and largest whole number a valid value can be; for ordered values, of its rank."""
        if self.kind is Kind.ORDERED:
            lowest, highest = 0, len(self.values) - 1
        else:
            lowest, highest = -BOUND, BOUND
        return (lowest if self.lo is None else self.lo), (highest if self.hi is None else self.hi)

    def __str__(self) -> str:
        """The name an operator reads in a diagnostic."""
        if self.kind is Kind.ENUM:
            rest = "" if len(self.values) <= _SHOWN else f", … ({len(self.values)} in all)"
            return f"one of {', '.join(self.values[:_SHOWN])}{rest}"
        if self.kind is Kind.ORDERED:
            return " < ".join(self.values)
        if self.kind is Kind.LIST:
            return "list" if self.element is None else f"list of {self.element.kind}"
        return "number" if self.kind is Kind.INT else self.kind.value


def string() -> FactType:
    """Text compared exactly; no order."""
    return FactType(Kind.STRING)


def integer(unit: str | None = None, lo: int | None = None, hi: int | None = None) -> FactType:
    """A whole number with an inclusive range."""
    return FactType(Kind.INT, unit=unit, lo=lo, hi=hi)


def count() -> FactType:
    """How many: a whole number that is never negative."""
    return integer(unit="count", lo=0)


def money(lo: int | None = None) -> FactType:
    """Minor units of the policy's currency, `lo` at least; compares with and adds to money only."""
    return FactType(Kind.MONEY, unit="minor units", lo=lo)


def boolean() -> FactType:
    """True or false, and nothing that merely looks like it."""
    return FactType(Kind.BOOL)


def enum(*values: str) -> FactType:
    """One of a closed list of lower-case strings."""
    return FactType(Kind.ENUM, values=values)


def ordered(domain: type[IntEnum]) -> FactType:
    """One of the upper-case names of `domain`, compared by rank; members count up from 0."""
    names = tuple(member.name for member in sorted(domain))
    if [int(member) for member in sorted(domain)] != list(range(len(names))):
        raise ValueError(f"{domain.__name__} does not count up from 0")
    return FactType(Kind.ORDERED, values=names)


def timestamp() -> FactType:
    """Epoch seconds UTC; written `timestamp('2026-01-01T00:00:00Z')` in a policy."""
    return FactType(Kind.TIMESTAMP, unit="epoch seconds", lo=0, hi=_YEAR_3000)


def list_of(element: FactType) -> FactType:
    """A list of at most `MAX_ITEMS` scalars or records."""
    if element.kind in (Kind.LIST, Kind.ORDERED) or element.optional:
        raise ValueError(f"a list of {element.kind} is not a fact a condition can read")
    return FactType(Kind.LIST, element=element)


def record(fields: Mapping[str, FactType]) -> FactType:
    """Named parts; those that may be missing are `optional(...)`."""
    return FactType(Kind.RECORD, fields=MappingProxyType(dict(fields)))


def optional(fact: FactType) -> FactType:
    """The same type, but the fact may be missing; a policy must guard it with `has()`."""
    return replace(fact, optional=True)


Availability: TypeAlias = Literal["always", "by_tool"]


@dataclass(frozen=True, slots=True)
class Group:
    """A named group of facts. A `by_tool` group also carries `present`, true when it is there."""

    name: str
    doc: str
    facts: Mapping[str, FactType]
    availability: Availability = "always"


@dataclass(frozen=True, slots=True)
class ToolSurface:
    """What the policy language needs to know of a tool.

    `always` and `maybe` name the by-tool groups (`customer`, `order`, `method`, `cart`, `offer`) the tool has on every
    call or on some. `results` are dotted paths of its answer (`lines[].title`). `queue` is where a demand of the tool
    itself for a person waits.
    """

    name: str
    effect: Effect
    intent: str
    always: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    args: FactType = field(default_factory=lambda: record({}))
    results: frozenset[str] = frozenset()
    queue: str | None = None


EFFECTS = ("read", "write")
CHANNELS = ("stdio", "http", "cli")
INTENTS = (
    "browse", "order_status", "cart", "price", "refund", "delivery", "cancellation", "exchange", "account",
    "payment", "handoff",
)  # fmt: skip
METHOD_KINDS = ("card", "paypal", "gift_card", "store_credit")
ORDER_STATUSES = ("pending", "processed", "shipped", "delivered", "cancelled")
IMPACT_KINDS = ("none", "refund", "price_reduction", "delivery_change", "account_change")
WITHDRAWAL = ("none", "open", "over")
OFFER_KINDS = ("percent", "amount", "free_shipping")

NOW = timestamp()
"""`now` is the one fact that stands alone, outside any group."""

_CUSTOMER: dict[str, FactType] = {
    "id": string(),
    "age_days": integer("days", lo=0),
    "orders": count(),
    "tags": list_of(string()),
    "address_age_hours": optional(integer("hours", lo=0)),
    "email_age_hours": optional(integer("hours", lo=0)),
    "refunds_30d": count(),
    "refunded_30d": money(lo=0),
    "returns_percent": integer("percent", lo=0, hi=100),
    "disputes": count(),
}

_ORDER: dict[str, FactType] = {
    "id": string(),
    "customer_id": string(),
    "status": enum(*ORDER_STATUSES),
    "total": money(lo=0),
    "captured": money(lo=0),
    "refunded": money(lo=0),
    "refundable": money(lo=0),
    "refunded_percent": integer("percent", lo=0, hi=100),
    "age_hours": integer("hours", lo=0),
    "delivered_days": optional(integer("days", lo=0)),
    "dispatched": boolean(),
    "disputed": boolean(),
    "country": enum(*countries()),
    "method_kind": enum(*METHOD_KINDS),
    "items_changed": boolean(),
    "payment_changes": count(),
    "return_requested": boolean(),
    "exchange_requested": boolean(),
    "withdrawal": enum(*WITHDRAWAL),
    "address_refunds_30d": count(),
    "address_age_hours": optional(integer("hours", lo=0)),
}

_METHOD: dict[str, FactType] = {
    "kind": enum(*METHOD_KINDS),
    "original": boolean(),
    "balance": optional(money(lo=0)),
    "refunds_30d": count(),
    "refunded_30d": money(lo=0),
}

_CART: dict[str, FactType] = {
    "id": string(),
    "subtotal": money(lo=0),
    "discount": money(lo=0),
    "total": money(lo=0),
    "items": count(),
    "offers": list_of(string()),
    "margin": optional(money()),
    "margin_percent": optional(integer("percent", hi=100)),
}

_OFFER: dict[str, FactType] = {
    "code": string(),
    "kind": enum(*OFFER_KINDS),
    "stackable": boolean(),
    "uses_by_customer": count(),
    "ends_in_hours": optional(integer("hours", lo=0)),
    "tags": list_of(string()),
}

_SUBJECT: dict[str, FactType] = {"assurance": ordered(Assurance), "customer_id": optional(string())}

_CALL: dict[str, FactType] = {
    "tool": string(),
    "effect": enum(*EFFECTS),
    "intent": enum(*INTENTS),
    "stated_intent": optional(enum(*INTENTS)),
    "intent_matches": boolean(),
}

_CONVERSATION: dict[str, FactType] = {
    "calls": count(),
    "writes": count(),
    "denied": count(),
    "escalated": count(),
    "orders": count(),
}

_IMPACT: dict[str, FactType] = {"amount": money(lo=0), "kind": enum(*IMPACT_KINDS), "reversible": boolean()}


def _catalogue(groups: Sequence[Group]) -> Mapping[str, Group]:
    return MappingProxyType({group.name: group for group in groups})


CATALOGUE: Mapping[str, Group] = _catalogue(
    [
        Group("subject", "who the call acts for, and how sure we are", _SUBJECT),
        Group("agent", "the client that calls", {"id": string(), "channel": enum(*CHANNELS)}),
        Group("call", "the tool that was called; `tool` is one of the tools on offer", _CALL),
        Group("args", "the tool's own arguments, typed by the tool", {}),
        Group("conversation", "counts since the conversation began, this call included", _CONVERSATION),
        Group("customer", "the customer's record", _CUSTOMER, "by_tool"),
        Group("order", "the order's record", _ORDER, "by_tool"),
        Group("method", "the payment method the plan uses", _METHOD, "by_tool"),
        Group("cart", "the cart's record", _CART, "by_tool"),
        Group("offer", "the offer that is applied or removed", _OFFER, "by_tool"),
        Group("impact", "what the plan would do; `amount` is money leaving the shop", _IMPACT),
        Group("risk", "the assessment by the policy's factors", {"score": count(), "tier": ordered(Tier)}),
        Group("usage", "`usage.<budget>`: what a budget holds, reservations included", {}),
        Group("consent", "who said yes to this exact plan", {"strength": ordered(Consent)}),
        Group("approval", "what reviewers decided on this exact plan", {"granted": boolean(), "count": count()}),
    ]
)


def usage_fields(*, counts: bool) -> Mapping[str, FactType]:
    """The facts of `usage.<budget>`; `left` is a count when the budget limits a count, else money."""
    return {"amount": money(), "count": count(), "left": integer("count") if counts else money()}
