"""A small shop's tools and one complete set of facts; tests write policies against them."""

import copy
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from tillgate.guards.facts import ToolSurface, boolean, enum, integer, list_of, money, optional, record, string
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy

Load = Callable[[str], Policy]
FactsMaker = Callable[..., dict[str, Any]]

LINE = record({"line_id": string(), "quantity": integer(lo=1, hi=99), "note": optional(string())})
REFUND = record(
    {
        "order_id": string(),
        "amount": optional(money()),
        "reason": enum("damaged", "late", "other"),
        "lines": list_of(LINE),
        "gift": boolean(),
        "address": optional(record({"city": string(), "line2": optional(string())})),
    }
)
RESULTS = frozenset({"id", "status", "placed_at", "total", "lines[].title", "lines[].quantity", "payments[].last4"})


def _surfaces() -> tuple[ToolSurface, ...]:
    customer, full = frozenset({"customer"}), frozenset({"customer", "order", "method"})
    maybe = frozenset({"cart", "offer"})
    order_id = record({"order_id": string()})
    cart_id = record({"cart_id": optional(string())})
    city = record({"shipping_address": string()})
    seen = RESULTS | frozenset({"shipping_address.city"})
    return (
        ToolSurface("search_products", "read", "browse", maybe=customer, args=record({"query": optional(string())})),
        ToolSurface("get_product", "read", "browse", maybe=customer, args=record({"product_id": string()})),
        ToolSurface("list_offers", "read", "price", maybe=customer | {"cart"}, args=cart_id),
        ToolSurface("get_order", "read", "order_status", always=full - {"method"}, args=order_id, results=seen),
        ToolSurface("list_orders", "read", "order_status", always=customer),
        ToolSurface("issue_refund", "write", "refund", always=full, maybe=maybe, args=REFUND),
        ToolSurface("cancel_order", "write", "cancellation", always=full, args=order_id),
        ToolSurface("return_items", "write", "refund", always=full, args=order_id),
        ToolSurface("update_address", "write", "delivery", always=customer, maybe=frozenset({"order"}), args=city),
    )


SURFACES = _surfaces()

FACTS: dict[str, Any] = {
    "subject": {"assurance": "AUTHENTICATED", "customer_id": "cus_1"},
    "agent": {"id": "agent_1", "channel": "stdio"},
    "call": {"tool": "issue_refund", "effect": "write", "intent": "refund", "intent_matches": True},
    "args": {
        "order_id": "ord_1",
        "reason": "damaged",
        "lines": [{"line_id": "l_1", "quantity": 2}, {"line_id": "l_2", "quantity": 1, "note": "broken"}],
        "gift": False,
    },
    "conversation": {"calls": 3, "writes": 1, "denied": 0, "escalated": 0, "orders": 1},
    "customer": {
        "present": True,
        "id": "cus_1",
        "age_days": 400,
        "orders": 5,
        "tags": ["eu"],
        "refunds_30d": 0,
        "refunded_30d": 0,
        "returns_percent": 10,
        "disputes": 0,
    },
    "order": {
        "present": True,
        "id": "ord_1",
        "customer_id": "cus_1",
        "status": "delivered",
        "total": 4800,
        "captured": 4800,
        "refunded": 0,
        "refundable": 4800,
        "refunded_percent": 0,
        "age_hours": 200,
        "delivered_days": 5,
        "dispatched": True,
        "disputed": False,
        "country": "US",
        "method_kind": "card",
        "items_changed": False,
        "payment_changes": 0,
        "return_requested": False,
        "exchange_requested": False,
    },
    "method": {"present": True, "kind": "card", "original": True},
    "cart": {"present": False},
    "offer": {"present": False},
    "impact": {"amount": 2000, "kind": "refund", "reversible": False},
    "risk": {"score": 0, "tier": "LOW"},
    "usage": {},
    "consent": {"strength": "NONE"},
    "approval": {"granted": False, "count": 0},
    "now": 1767225600,
}


@pytest.fixture(scope="session")
def surfaces() -> tuple[ToolSurface, ...]:
    return SURFACES


@pytest.fixture(scope="session")
def load() -> Load:
    """Loads the sections of a policy under a good header."""

    def _load(body: str) -> Policy:
        return load_policy("policy: test\nversion: 1\ncurrency: USD\n" + textwrap.dedent(body), "policy.yaml", SURFACES)

    return _load


@pytest.fixture(scope="session")
def facts() -> FactsMaker:
    """Complete facts with some changed: `facts(impact={"amount": 5})`; a value of `...` takes a fact away."""

    def _facts(**changed: Any) -> dict[str, Any]:
        made = copy.deepcopy(FACTS)
        for group, values in changed.items():
            if not isinstance(values, dict):
                made[group] = values
                continue
            for name, value in values.items():
                if value is ...:
                    made[group].pop(name, None)
                else:
                    made.setdefault(group, {})[name] = value
        return made

    return _facts
