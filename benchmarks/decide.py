"""Measures one decision: facts in, verdict and reasons out, validation included.

Run `python benchmarks/decide.py`. A policy of N rules over 40 tools is loaded from text, then 400 different calls are
decided many times; each call counts with its fastest pass, so the spread is between calls and not between moments.
"""

import gc
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guards"))

from tillgate.guards.decide import decide
from tillgate.guards.facts import ToolSurface, integer, money, record
from tillgate.guards.model import Facts
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy

TOOLS = 40
CALLS = 400
PASSES = 25

CONDITIONS = [
    ("impact.amount > money('{n}.00')", "deny: over_limit"),
    ("order.disputed", "deny: in_dispute"),
    ("order.refunded + impact.amount > money('{n}0.00')", "deny: too_much"),
    ("customer.age_days < {n} && impact.amount > money('{n}.00')", "verify: stepped_up"),
    ("has(order.delivered_days) && order.delivered_days > {n}", "escalate: desk"),
    ("order.status in ['shipped', 'cancelled'] && args.quantity > {n}", "deny: moved"),
    ("customer.tags.exists(t, t == 'vip{n}')", "confirm: agent"),
    ("risk.tier >= HIGH || conversation.denied > {n}", "escalate: desk"),
    ("subject.assurance >= IDENTIFIED && order.status == 'delivered'", "permit: true"),
    ("order.id == 'ord_{n}' && customer.refunds_30d > 2", "confirm: customer"),
]


def surfaces() -> list[ToolSurface]:
    """Forty tools alike."""
    groups = frozenset({"customer", "order"})
    args = record({"quantity": integer(lo=0, hi=999), "amount": money()})
    return [ToolSurface(f"t{n}", "write", "refund", always=groups, args=args) for n in range(TOOLS)]


def policy_text(rules: int) -> str:
    """A policy of so many rules."""
    chance = random.Random(7)
    lines = ["policy: bench", "version: 1", "currency: USD", "rules:"]
    for number in range(rules):
        when, effect = CONDITIONS[number // TOOLS % len(CONDITIONS)]
        condition = when.replace("{n}", str(chance.randint(200, 990)))
        lines.append(f'  - {{id: r{number}, tools: [t{number % TOOLS}], when: "{condition}", {effect}}}')
    return "\n".join(lines)


def policy_of(rules: int) -> tuple[Policy, float]:
    """A policy of so many rules, and the seconds it took to load."""
    text = policy_text(rules)
    began = time.perf_counter()
    return load_policy(text, "bench.yaml", surfaces()), time.perf_counter() - began


def calls() -> list[tuple[str, Facts]]:
    """Different calls; six of ten are calm, so that no rule stops the search early."""
    chance = random.Random(11)
    return [(f"t{number % TOOLS}", _facts(chance, calm=number % 10 < 6)) for number in range(CALLS)]


def _facts(chance: random.Random, *, calm: bool) -> Facts:
    amount = chance.randint(100, 15_000) if calm else chance.randint(15_000, 99_000)
    return {
        "subject": {"assurance": "STEPPED_UP", "customer_id": "cus_1"},
        "args": {"quantity": chance.randint(1, 20), "amount": amount},
        "conversation": {"calls": 3, "writes": 1, "denied": 0, "escalated": 0, "orders": 1},
        "customer": {
            "present": True, "id": "cus_1", "age_days": 1200, "orders": 9, "tags": ["newsletter", "eu"],
            "refunds_30d": chance.randint(0, 3), "refunded_30d": 0, "returns_percent": 4, "disputes": 0,
        },
        "order": {
            "present": True, "id": "ord_1", "customer_id": "cus_1", "status": "delivered", "total": 99_000,
            "captured": 99_000, "refunded": 0, "refundable": 99_000, "refunded_percent": 0, "age_hours": 400,
            "delivered_days": chance.randint(1, 60), "dispatched": True, "disputed": not calm and chance.random() < 0.2,
            "country": "US", "method_kind": "card", "items_changed": False, "payment_changes": 0,
            "return_requested": False, "exchange_requested": False,
        },
        "impact": {"amount": amount, "kind": "refund", "reversible": False},
        "risk": {"score": 10, "tier": "LOW" if calm else "HIGH"},
        "consent": {"strength": "NONE"},
        "approval": {"granted": False, "count": 0},
        "now": 1_767_225_600,
    }  # fmt: skip


def measure(policy: Policy) -> list[float]:
    """Microseconds of each call, fastest of all passes, sorted."""
    asked = calls()
    best = [float("inf")] * len(asked)
    clock = time.perf_counter_ns
    gc.disable()
    for _ in range(PASSES):
        for index, (tool, facts) in enumerate(asked):
            began = clock()
            decide(policy, tool, facts)
            best[index] = min(best[index], (clock() - began) / 1000)
    gc.enable()
    return sorted(best)


def main() -> None:
    """Prints one line for each size."""
    for rules in (100, 1_000, 10_000):
        policy, seconds = policy_of(rules)
        times = measure(policy)
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
        print(f"{rules:>6} rules, {TOOLS} tools: p50 {p50:.2f} µs, p99 {p99:.2f} µs; loaded in {seconds:.2f} s")


if __name__ == "__main__":
    main()
