"""The rules and the calls that the benchmarks of decisions have in common, made by seeded chance."""

import random
import time

from tillgate.guards.facts import ToolSurface, integer, money, record
from tillgate.guards.model import Facts
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy

CALLS = 400

TEMPLATES = (
    ("subject.assurance >= IDENTIFIED && order.status == 'delivered'", "permit: true"),
    ("impact.amount > money('{n}.00')", "deny: over_limit"),
    ("order.disputed", "deny: in_dispute"),
    ("order.refunded + impact.amount > money('{n}0.00')", "deny: too_much"),
    ("customer.age_days < {n} && impact.amount > money('{n}.00')", "verify: stepped_up"),
    ("has(order.delivered_days) && order.delivered_days > {n}", "escalate: desk"),
    ("order.status in ['shipped', 'cancelled'] && args.quantity > {n}", "deny: moved"),
    ("customer.tags.exists(t, t == 'vip{n}')", "confirm: agent"),
    ("risk.tier >= HIGH || conversation.denied > {n}", "escalate: desk"),
    ("order.id == 'ord_{n}' && customer.refunds_30d > 2", "confirm: customer"),
)
"""Condition and effect; `{n}` is a number from 200 to 990."""


def tools_for(rules: int) -> int:
    """Over how many tools so many rules are spread: 2 to 40."""
    return min(40, max(2, rules // 10))


def surfaces(rules: int) -> list[ToolSurface]:
    """The tools of a policy of so many rules, all alike."""
    groups = frozenset({"customer", "order"})
    args = record({"quantity": integer(lo=0, hi=999), "amount": money()})
    return [ToolSurface(f"t{n}", "write", "refund", always=groups, args=args) for n in range(tools_for(rules))]


def policy_text(rules: int) -> str:
    """A policy of so many rules."""
    chance, tools = random.Random(7), tools_for(rules)
    lines = ["policy: bench", "version: 1", "currency: USD", "rules:"]
    for number in range(rules):
        when, effect = TEMPLATES[number // tools % len(TEMPLATES)]
        condition = when.replace("{n}", str(chance.randint(200, 990)))
        lines.append(f'  - {{id: r{number}, tools: [t{number % tools}], when: "{condition}", {effect}}}')
    return "\n".join(lines)


def policy_of(rules: int) -> tuple[Policy, float]:
    """A policy of so many rules, and the seconds it took to load."""
    text, tools = policy_text(rules), surfaces(rules)
    began = time.perf_counter()
    return load_policy(text, "bench.yaml", tools), time.perf_counter() - began


def calls(rules: int) -> list[tuple[str, Facts]]:
    """Different calls; six of ten are calm, so that no rule but a permit matches and none is decided early."""
    chance, tools = random.Random(11), tools_for(rules)
    return [(f"t{number % tools}", _facts(chance, calm=number % 10 < 6)) for number in range(CALLS)]


def _facts(chance: random.Random, *, calm: bool) -> Facts:
    amount = chance.randint(100, 15_000) if calm or chance.random() < 0.5 else chance.randint(15_000, 99_000)
    odd = not calm and chance.random() < 0.7
    facts: Facts = {
        "subject": {"assurance": chance.choice(("IDENTIFIED", "STEPPED_UP")) if odd else "STEPPED_UP"},
        "args": {"quantity": chance.randint(1, 999) if odd else chance.randint(1, 20), "amount": amount},
        "conversation": {"calls": 3, "writes": 1, "denied": 0, "escalated": 0, "orders": 1},
        "customer": {
            "present": True, "id": "cus_1", "age_days": chance.randint(100, 500) if odd else 1200, "orders": 9,
            "tags": [f"vip{chance.randint(200, 990)}" for _ in range(3)] if odd else ["newsletter", "eu"],
            "refunds_30d": chance.randint(0, 9 if odd else 3), "refunded_30d": 0, "returns_percent": 4, "disputes": 0,
        },
        "order": {
            "present": True, "id": f"ord_{chance.randint(200, 990)}" if odd else "ord_1", "customer_id": "cus_1",
            "total": 99_000, "captured": 99_000,
            "status": chance.choice(("shipped", "delivered")) if odd else "delivered",
            "refunded": 0, "refundable": 99_000, "refunded_percent": 0, "age_hours": 400,
            "delivered_days": chance.randint(1, 990 if odd else 60),
            "dispatched": True, "disputed": not calm and chance.random() < 0.1,
            "country": "US", "method_kind": "card",
            "items_changed": False, "payment_changes": 0, "return_requested": False, "exchange_requested": False,
        },
        "impact": {"amount": amount, "kind": "refund", "reversible": False},
        "risk": {"score": 10, "tier": "LOW" if calm or chance.random() < 0.5 else "HIGH"},
        "consent": {"strength": "NONE"},
        "approval": {"granted": False, "count": 0},
        "now": 1_767_225_600,
    }  # fmt: skip
    if odd and chance.random() < 0.3:
        del facts["order"]["delivered_days"]
    return facts
