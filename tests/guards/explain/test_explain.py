"""An explanation says what the decision was made from, and a change it proposes leads where it says."""

import random
from typing import Any

import pytest
from guards.policy.conftest import FACTS, SURFACES
from guards.policy.test_differential import Maker, made_up, random_facts
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.guards.explain import NOT_EVALUATED, Call, Told, judge, rules_told, told
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Verdict
from tillgate.guards.money import currency
from tillgate.guards.nearest import GONE, changed, nearest
from tillgate.guards.policy.check import check_condition
from tillgate.guards.policy.conditions import Conditions
from tillgate.guards.policy.diagnostics import Findings, PolicyError
from tillgate.guards.policy.interpret import holds
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.parser import parse
from tillgate.guards.policy.scope import Scope
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.wording import words

HEAD = "policy: test\nversion: 1\ncurrency: USD\n"
RULES = """rules:
  - {id: all, tools: [issue_refund], when: "has(order.delivered_days) && order.delivered_days <= 30", permit: true}
  - {id: proof, tools: [issue_refund], when: "impact.amount > money('25.00')", verify: stepped_up}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('100.00') || risk.tier >= HIGH", escalate: desk}
  - {id: dispute, tools: [issue_refund], when: "order.disputed && impact.kind == 'refund'", deny: no}
"""
USD = currency("USD")
TOOLS: dict[str, ToolSurface] = {surface.name: surface for surface in SURFACES}
SCOPE: Scope = Conditions(Findings("x", ""), TOOLS, USD).scope("issue_refund")
EASIER = [Verdict.PERMIT, Verdict.VERIFY, Verdict.CONFIRM, Verdict.ESCALATE, Verdict.DENY]


def policy(text: str = RULES) -> Policy:
    return load_policy(HEAD + text, "policy.yaml", SURFACES)


def call(**over: dict[str, Any]) -> Call:
    facts = {name: {**group, **over.get(name, {})} if isinstance(group, dict) else group
             for name, group in FACTS.items()}  # fmt: skip
    return Call("issue_refund", facts, {}, True, facts["impact"]["amount"])


def paths(made: Policy, asked: Call) -> dict[Verdict, list[tuple[str, Any]]]:
    found = nearest(made, asked, judge(made, asked), TOOLS["issue_refund"])
    return {each.verdict: [(".".join(change.path), change.after) for change in each.changes] for each in found}


def test_the_rules_that_fired_and_that_nearly_did_with_their_values() -> None:
    asked = call(order={"delivered_days": 41}, impact={"amount": 2501})
    made = policy()
    found = {each.rule.id: each for each in rules_told(made, asked, judge(made, asked))}
    assert {name: each.state for name, each in found.items()} == {"proof": "fired", "dispute": "nearly"}
    assert found["proof"].condition == Told("impact.amount > money('25.00')", "true", ("impact.amount = 25.01 USD",))


def test_what_is_passed_over_is_not_evaluated() -> None:
    facts = call(order={"delivered_days": ...}).facts
    del facts["order"]["delivered_days"]
    tree = told(policy().by_tool["issue_refund"].rules[1].when.by_tool["issue_refund"], facts, USD)
    assert [part.value for part in tree.parts] == ["false", NOT_EVALUATED]


def test_a_fact_that_is_damaged_is_said_to_be() -> None:
    facts = call(impact={"amount": "lots"}).facts
    rule = next(rule for rule in policy().rules if rule.id == "proof")
    assert told(rule.when.by_tool["issue_refund"], facts, USD).value.startswith("cannot be evaluated")


@pytest.mark.parametrize(
    ("over", "wanted"),
    [
        ({"impact": {"amount": 2501}}, {Verdict.PERMIT: [("impact.amount", 2500)]}),
        ({"order": {"delivered_days": 31}}, {Verdict.PERMIT: [("order.delivered_days", 30)]}),
        ({"order": {"disputed": True}}, {Verdict.PERMIT: [("order.disputed", False)]}),
        ({}, {Verdict.DENY: [("order.disputed", True)], Verdict.VERIFY: [("impact.amount", 2501)]}),
    ],
)
def test_the_smallest_change(over: dict[str, Any], wanted: dict[Verdict, list[tuple[str, Any]]]) -> None:
    found = paths(policy(), call(**over))
    assert {verdict: found[verdict] for verdict in wanted} == wanted


def test_two_changes_where_one_is_not_enough() -> None:
    found = paths(policy(), call(impact={"amount": 2501}, order={"disputed": True}))
    assert found[Verdict.PERMIT] == [("impact.amount", 2500), ("order.disputed", False)]


def test_of_a_long_list_of_values_the_one_a_rule_names_is_found() -> None:
    text = RULES + "  - {id: home, tools: [issue_refund], when: \"order.country != 'US'\", deny: abroad}\n"
    assert paths(policy(text), call(order={"country": "SE"}))[Verdict.PERMIT] == [("order.country", "US")]


def test_a_budget_that_is_full_is_followed_by_the_amount() -> None:
    budget = 'budgets: [{id: b, tools: [issue_refund], per: customer.id, window: 1d, limit: "50.00"}]\n'
    made = policy(budget + RULES)
    asked = Call("issue_refund", call().facts, {"b": {"amount": 6000, "count": 3}}, True, 2000)
    assert judge(made, asked).decision.verdict is Verdict.DENY
    assert paths(made, asked)[Verdict.PERMIT] == [("impact.amount", 1000)]


def test_nothing_that_makes_the_call_another_one_is_proposed() -> None:
    text = RULES + "  - {id: who, tools: [issue_refund], when: \"order.id == 'ord_1'\", deny: no}\n"
    assert Verdict.PERMIT not in paths(policy(text), call())


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_every_part_has_the_value_the_interpreter_gives_and_can_be_read_back(seed: int) -> None:
    chance = random.Random(seed)
    expr, _ = check_condition(parse(Maker(chance).truth(3).ours), SCOPE)
    if expr is None:
        return
    facts = random_facts(SCOPE, chance)
    assert told(expr, facts, USD).value == ("true" if holds(expr, facts) else "false")
    again, _ = check_condition(parse(words(expr, USD)), SCOPE)
    assert again is not None, words(expr, USD)
    assert holds(again, facts) == holds(expr, facts)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_a_proposed_change_leads_exactly_where_it_says(seed: int) -> None:
    chance = random.Random(seed)
    does = ["deny: no", "permit: true", "verify: stepped_up", "confirm: customer", "escalate: desk"]
    when = [quoted(made_up(chance, 2, SCOPE)) for _ in range(5)]
    lines = [
        f"  - {{id: r{n}, tools: [issue_refund], when: {each}, {chance.choice(does)}}}\n" for n, each in enumerate(when)
    ]
    try:
        made = policy("rules:\n" + "".join(lines))
    except PolicyError:
        return
    facts = random_facts(SCOPE, chance)
    asked = Call("issue_refund", facts, {}, True, facts["impact"]["amount"])
    judged = judge(made, asked)
    for each in nearest(made, asked, judged, TOOLS["issue_refund"]):
        assert each.verdict is not judged.decision.verdict
        assert judge(made, asked, changed(facts, each.changes)).decision.verdict is each.verdict
        assert all(change.after is not GONE or change.type.optional for change in each.changes)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
