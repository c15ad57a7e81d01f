"""A warning is certain: what is called dead, idle or redundant makes no difference to any facts there can be."""

import copy
import random
import textwrap
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from guards.policy.conftest import FACTS, SURFACES

from tillgate.guards.decide import decide
from tillgate.guards.model import Decision
from tillgate.guards.policy.diagnostics import Diagnostic
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy_lint.lint import lint

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEAD = "policy: test\nversion: 1\ncurrency: USD\nrules:\n"


def found(rules: str, tools: tuple[str, ...] = (), now: datetime = NOW) -> list[Diagnostic]:
    text = HEAD + rules
    offered = [surface for surface in SURFACES if surface.name in tools or surface.name in text]
    told = lint(load_policy(text, "policy.yaml", SURFACES), text, offered, now)
    return [each for each in told if each.code != "P122"]  # the queues of these rules are declared nowhere


def rule(name: str, does: str, when: str | None = None, tools: str = "[issue_refund]", extra: str = "") -> str:
    condition = f'when: "{when}", ' if when else ""
    return f"  - {{id: {name}, tools: {tools}, {condition}{extra}{does}}}\n"


ALL = rule("all", "permit: true")
CASES = yaml.safe_load((Path(__file__).parent / "lint.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_is_surely_not_meant_is_warned_of(case: dict[str, Any]) -> None:
    told = found(textwrap.indent(case["rules"], "  "))
    assert [f"{each.code} {each.excerpt[each.column - 1 :][: each.span]}" for each in told] == case["warns"]


def test_a_hole_is_told_to_the_cent() -> None:
    hole = next(case for case in CASES if case["name"] == "a hole")
    [warning] = found(textwrap.indent(hole["rules"], "  "))
    assert "where `impact.amount` is from 50.01 to 60.00" in warning.message


def test_tools_that_nothing_permits() -> None:
    offered = ("issue_refund", "get_order", "update_address")
    rules = ALL + rule("d", "deny: no", "order.disputed", "[get_order]")
    assert [each.code for each in found(rules, offered)] == ["P117", "P113"]
    closed = rules + rule("closed", "deny: not_offered", tools="[get_order, update_address]")
    assert [each.code for each in found(closed, offered)] == ["P112"]


# -- against every case there is

AMOUNTS = (0, 100, 150, 200, 300)
STATUSES = ("pending", "shipped", "delivered")
ATOMS = [
    *[f"impact.amount {op} money('{n}.00')" for op in ("<", "<=", ">", ">=", "==", "!=") for n in (1, 2)],
    *[f"order.status {op} '{status}'" for op in ("==", "!=") for status in STATUSES],
    "order.status in ['pending', 'shipped']", "order.disputed", "order.disputed == false",
    "has(order.delivered_days)", "order.age_hours > order.payment_changes",
]  # fmt: skip


def _condition(chance: random.Random, depth: int = 2) -> str:
    kind = chance.random()
    if depth == 0 or kind < 0.3:
        return chance.choice(ATOMS)
    if kind < 0.45:
        return f"!({_condition(chance, depth - 1)})"
    if kind < 0.55:
        return f"({' ? '.join([_condition(chance, 0), _condition(chance, 0)])} : {_condition(chance, 0)})"
    joint = " && " if kind < 0.85 else " || "
    return "(" + joint.join(_condition(chance, depth - 1) for _ in range(chance.choice([2, 3]))) + ")"


def _every() -> Iterator[Mapping[str, Any]]:
    for amount, status, disputed, delivered, more in product(AMOUNTS, STATUSES, *[(True, False)] * 3):
        facts = copy.deepcopy(FACTS)
        facts["impact"]["amount"] = amount
        facts["order"] |= {"status": status, "disputed": disputed, "age_hours": 1 if more else 0}
        if not delivered:
            del facts["order"]["delivered_days"]
        yield facts


SPACE = list(_every())
DOES = ["deny: no", "permit: true", "verify: stepped_up", "verify: identified", "confirm: customer", "escalate: desk"]


def _answer(decision: Decision) -> tuple[Any, ...]:
    return decision.verdict, {(type(each), getattr(each, "level", 0)) for each in decision.unmet[:1]}


@pytest.mark.parametrize("seed", range(150))
def test_a_rule_that_is_warned_of_makes_no_difference(seed: int) -> None:
    chance = random.Random(seed)
    lines = [rule(f"r{n}", chance.choice(DOES), _condition(chance)) for n in range(5)]
    whole = load_policy(HEAD + "".join(lines), "policy.yaml", SURFACES)
    for warning in found("".join(lines)):
        if warning.code not in ("P110", "P111", "P112", "P118"):
            continue
        less = "".join(line for line in lines if f"id: r{warning.excerpt.split('id: r')[1][0]}," not in line)
        other = load_policy(HEAD + (less or "  []\n"), "policy.yaml", SURFACES)
        for facts in SPACE:
            assert _answer(decide(whole, "issue_refund", facts)) == _answer(decide(other, "issue_refund", facts))


@pytest.mark.parametrize("seed", range(150))
def test_a_rule_that_no_case_ever_meets_is_found_dead(seed: int) -> None:
    """The space holds every combination the atoms can tell apart, so nothing that is dead may be missed."""
    chance = random.Random(1000 + seed)
    condition = _condition(chance)
    text = ALL + rule("x", "deny: no", condition)
    policy = load_policy(HEAD + text, "policy.yaml", SURFACES)
    met = any("x" in [hit.rule for hit in decide(policy, "issue_refund", facts).hits] for facts in SPACE)
    assert ("P110" in [each.code for each in found(text)]) is not met, condition
