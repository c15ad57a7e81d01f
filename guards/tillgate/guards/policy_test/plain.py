"""The facts of an unremarkable call, for everything a test does not state.

The rule it keeps: facts are always valid, and nothing plain raises an eyebrow. A fact without a line here is the least
its type allows: 0, "0.00", false, the first of its values, an empty list. What may be missing is missing.
"""

from collections.abc import Mapping
from types import MappingProxyType

from tillgate.guards.facts import CATALOGUE, FactType, Kind, ToolSurface
from tillgate.guards.model import Json

NOON = 1_767_268_800
"""`now`, unless it is stated: 2026-01-01T12:00:00Z."""

PLAIN: Mapping[str, Mapping[str, Json]] = MappingProxyType(
    {
        "agent": {"id": "agent", "channel": "stdio"},
        "conversation": {"calls": 1},
        "customer": {"id": "cus_1", "age_days": 365, "orders": 5},
        "order": {"id": "ord_1", "age_hours": 48, "country": "US"},
        "method": {"original": True},
        "cart": {"id": "cart_1", "items": 1},
        "offer": {"code": "OFFER"},
        "impact": {"reversible": True},
    }
)
"""What is plain where the least would be odd: a customer since a year, a refund to where the money came from."""

_USUAL_IMPACT: Mapping[str, str] = MappingProxyType(
    {
        "refund": "refund",
        "cancellation": "refund",
        "price": "price_reduction",
        "delivery": "delivery_change",
        "payment": "account_change",
    }
)


def plain(fact: FactType) -> Json:
    """The least value of a type."""
    match fact.kind:
        case Kind.STRING:
            return "text"
        case Kind.BOOL:
            return False
        case Kind.ENUM | Kind.ORDERED:
            return fact.values[0]
        case Kind.LIST:
            return []
        case Kind.RECORD:
            return {name: plain(inner) for name, inner in fact.fields.items() if not inner.optional}
        case Kind.INT | Kind.MONEY | Kind.TIMESTAMP | Kind.DURATION:
            low, high = fact.bounds
            return min(max(0, low), high)


def group_of(name: str, stated: Mapping[str, Json]) -> dict[str, Json]:
    """A group of the catalogue with what is stated, and plain facts for the rest."""
    facts = {fact: plain(kind) for fact, kind in CATALOGUE[name].facts.items() if not kind.optional}
    return {**facts, **PLAIN.get(name, {}), **stated}


def complete(surface: ToolSurface, stated: Mapping[str, Mapping[str, Json]], now: int | None) -> dict[str, Json]:
    """All facts of a call but `risk` and `usage`. Groups a tool may lack are there only when they are stated."""
    facts: dict[str, Json] = {
        group: {"present": True, **group_of(group, stated.get(group, {}))}
        if group in surface.always or group in stated
        else {"present": False}
        for group in sorted(surface.always | surface.maybe)
    }
    facts["now"] = NOON if now is None else now
    facts["args"] = {**plain(surface.args), **stated.get("args", {})}
    facts["agent"] = group_of("agent", stated.get("agent", {}))
    facts["consent"] = group_of("consent", stated.get("consent", {}))
    _follow(facts, surface, stated)
    return facts


def _follow(facts: dict[str, Json], surface: ToolSurface, stated: Mapping[str, Mapping[str, Json]]) -> None:
    """Plain facts that follow from others, so that a case that states one of them is not contradicted by the rest."""
    customer: str = facts.get("customer", {}).get("id", "cus_1")
    here = facts.get("customer", {}).get("present", False)
    level = stated.get("subject", {}).get("assurance", "IDENTIFIED" if here else "ANONYMOUS")
    known = {} if level == "ANONYMOUS" else {"customer_id": customer}
    facts["subject"] = {"assurance": level, **known, **stated.get("subject", {})}
    if facts.get("order", {}).get("present"):
        facts["order"] |= {**_order(facts["order"], customer, stated.get("order", {})), **stated.get("order", {})}
    if facts.get("cart", {}).get("present"):
        total = facts["cart"]["subtotal"] - facts["cart"]["discount"]
        facts["cart"] |= {"total": total, **stated.get("cart", {})}
    intent = stated.get("call", {}).get("stated_intent", surface.intent)
    facts["call"] = {
        "tool": surface.name,
        "effect": surface.effect,
        "intent": surface.intent,
        "intent_matches": intent == surface.intent,
        **stated.get("call", {}),
    }
    orders = 1 if facts.get("order", {}).get("present") else 0
    facts["conversation"] = group_of("conversation", {"orders": orders, **stated.get("conversation", {})})
    facts["impact"] = group_of("impact", {"kind": _impact(surface), **stated.get("impact", {})})
    facts["approval"] = _approval(stated.get("approval", {}))


def _order(order: Mapping[str, Json], customer: str, stated: Mapping[str, Json]) -> dict[str, Json]:
    captured: int = stated.get("captured", order["total"])
    refunded: int = order["refunded"]
    return {
        "customer_id": customer,
        "captured": captured,
        "refundable": max(0, captured - refunded),
        "refunded_percent": min(100, max(0, refunded * 100 // captured)) if captured > 0 else 0,
        "dispatched": order["status"] in ("shipped", "delivered"),
    }


def _impact(surface: ToolSurface) -> str:
    return _USUAL_IMPACT.get(surface.intent, "none") if surface.effect == "write" else "none"


def _approval(stated: Mapping[str, Json]) -> dict[str, Json]:
    granted: bool = stated.get("granted", stated.get("count", 0) > 0)
    return {"granted": granted, "count": 1 if granted else 0, **stated}
