"""Default deny, deny wins, then a permit and every demand; order means nothing and an error never opens anything."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tillgate.guards.decide import decide, facts_in_doubt, near_misses
from tillgate.guards.model import (
    Assurance,
    Confirm,
    Consent,
    Decision,
    Escalate,
    Reason,
    RuleHit,
    Verdict,
    Verify,
)
from tillgate.guards.policy.types import Policy

Load = Callable[[str], Policy]
FactsMaker = Callable[..., dict[str, Any]]

PERMIT = "  - {id: allow, tools: [issue_refund], permit: true}\n"


def rules(*lines: str) -> str:
    return "rules:\n" + "".join(f"  - {{tools: [issue_refund], {line}}}\n" for line in lines)


def without_rule(policy: Policy, rule: str) -> Policy:
    """The same policy after its compiled rule fails at run time; only a defect could do that."""
    found = policy.by_tool["issue_refund"]
    index = [each.id for each in found.rules].index(rule)
    broken = list(found.program.conditions)
    broken[index] = object()  # type: ignore[call-overload]
    program = structs.replace(found.program, match=lambda facts: None, conditions=tuple(broken))
    return replace(policy, by_tool={"issue_refund": structs.replace(found, program=program)})


def test_a_policy_without_rules_permits_nothing(load: Load, facts: FactsMaker) -> None:
    decision = decide(load(""), "issue_refund", facts())
    assert decision.verdict is Verdict.DENY
    assert [reason.code for reason in decision.reasons] == ["no_permit"]
    assert decision.reasons[0].rule is None


def test_a_tool_no_rule_names_is_denied_and_so_is_one_that_does_not_exist(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: a, permit: true"))
    for tool in ("get_order", "no_such_tool"):
        assert decide(policy, tool, facts()).verdict is Verdict.DENY
    assert policy.may_permit("issue_refund")
    assert not policy.may_permit("get_order")


def test_a_permit_that_matches_permits_and_names_its_rule_and_the_file(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: a, when: order.status == 'delivered', permit: true"))
    decision = decide(policy, "issue_refund", facts())
    assert decision == Decision(Verdict.PERMIT, (), (), (RuleHit("a", "permit"),), policy.digest)
    assert decide(policy, "issue_refund", facts(order={"status": "pending"})).verdict is Verdict.DENY


def test_every_matched_deny_wins_and_gives_its_reason(load: Load, facts: FactsMaker) -> None:
    policy = load(
        rules(
            "id: a, permit: true",
            "id: b, deny: first, message: One.",
            "id: c, deny: second",
            "id: d, verify: stepped_up",
        )
    )
    decision = decide(policy, "issue_refund", facts())
    assert decision.verdict is Verdict.DENY
    assert decision.reasons == (Reason("first", "One.", "b"), Reason("second", "I'm not able to do that.", "c"))
    assert decision.unmet == ()


def test_demands_are_asked_in_order_and_the_strictest_of_a_kind_first(load: Load, facts: FactsMaker) -> None:
    policy = load(
        rules(
            "id: e1, escalate: desk",
            "id: c1, confirm: agent",
            "id: v1, verify: authenticated",
            "id: c2, confirm: customer",
            "id: v2, verify: stepped_up",
            "id: e2, escalate: {queue: desk, approvals: 2, expires: 1h}",
            "id: e3, escalate: {queue: desk, approvals: 2, expires: 30m}",
            "id: ok, permit: true",
        )
    )

    def unmet(**changed: Any) -> tuple[str, list[str | None]]:
        decision = decide(policy, "issue_refund", facts(**changed))
        assert [reason.rule for reason in decision.reasons] == [demand.reason.rule for demand in decision.unmet]
        return decision.verdict.value, [demand.reason.rule for demand in decision.unmet]

    assert unmet(subject={"assurance": "IDENTIFIED"}) == ("verify", ["v2", "v1", "c2", "c1", "e3", "e2", "e1"])
    assert unmet() == ("verify", ["v2", "c2", "c1", "e3", "e2", "e1"])
    verified = {"subject": {"assurance": "STEPPED_UP"}}
    assert unmet(**verified) == ("confirm", ["c2", "c1", "e3", "e2", "e1"])
    assert unmet(**verified, consent={"strength": "CLIENT"}) == ("confirm", ["c2", "e3", "e2", "e1"])
    confirmed = {**verified, "consent": {"strength": "CUSTOMER"}}
    assert unmet(**confirmed) == ("escalate", ["e3", "e2", "e1"])
    assert unmet(**confirmed, approval={"granted": True, "count": 1}) == ("escalate", ["e3", "e2"])
    assert unmet(**confirmed, approval={"granted": False, "count": 2}) == ("escalate", ["e3", "e2", "e1"])
    assert unmet(**confirmed, approval={"granted": True, "count": 2}) == ("permit", [])


def test_demands_alone_permit_nothing(load: Load, facts: FactsMaker) -> None:
    decision = decide(load(rules("id: v, verify: identified")), "issue_refund", facts())
    assert (decision.verdict, decision.reasons[0].code) == (Verdict.DENY, "no_permit")


def test_a_full_budget_denies_or_asks_a_person(load: Load, facts: FactsMaker) -> None:
    policy = load(
        "budgets:\n"
        "  - {id: hard, tools: [issue_refund], per: customer.id, window: 30d, limit: '9.00', message: No more.}\n"
        "  - {id: soft, tools: [issue_refund], per: customer.id, window: 1d, limit: {count: 3},\n"
        "     exceeded: {escalate: desk}}\n"
        "rules:\n" + PERMIT
    )
    hard, soft = policy.budgets_for("issue_refund")
    denied = decide(policy, "issue_refund", facts(), exceeded=[hard, soft])
    assert denied.verdict is Verdict.DENY
    assert denied.reasons == (Reason("budget_exceeded", "No more.", "hard"),)
    asked = decide(policy, "issue_refund", facts(), exceeded=[soft])
    assert asked.verdict is Verdict.ESCALATE
    assert asked.unmet == (soft.exceeded,)
    assert (
        decide(policy, "issue_refund", facts(approval={"granted": True, "count": 1}), [soft]).verdict is Verdict.PERMIT
    )


def test_the_tools_own_demands_join_those_of_the_policy(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: a, permit: true", "id: c, confirm: agent"))
    own = Verify(Assurance.STEPPED_UP, Reason("own", "Prove it."))
    person = Escalate("desk", 1, 60, Reason("own", "Ask."))
    decision = decide(policy, "issue_refund", facts(), requires=[person, own])
    assert decision.verdict is Verdict.VERIFY
    assert [type(demand) for demand in decision.unmet] == [Verify, Confirm, Escalate]


def test_facts_that_are_not_valid_are_a_denial_that_tells_the_customer_nothing(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: a, when: impact.amount <= money('50.00'), permit: true"))
    for amount in (True, 5.0, "5", None, 2**60, -500, ...):
        broken = facts(impact={"amount": amount})
        decision = decide(policy, "issue_refund", broken)
        assert (decision.verdict, decision.reasons[0].code) == (Verdict.DENY, "facts_invalid")
        assert "impact" not in decision.reasons[0].message
        assert facts_in_doubt(policy, "issue_refund", broken) == ("impact.amount",)


@pytest.mark.parametrize("broken", [None, 5, [], {}, {"impact": None}, {"impact": []}, {"impact": {"amount": {}}}])
def test_no_facts_whatever_make_a_decision_raise(load: Load, broken: Any) -> None:
    policy = load(rules("id: a, permit: true, when: impact.amount > money('1.00')", "id: b, confirm: agent"))
    assert decide(policy, "issue_refund", broken).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("broken", "verdict"),
    [
        ({"subject": {"assurance": "stepped_up"}}, Verdict.VERIFY),
        ({"subject": {"assurance": 3}}, Verdict.VERIFY),
        ({"subject": {"assurance": ["STEPPED_UP"]}}, Verdict.VERIFY),
        ({"subject": None}, Verdict.VERIFY),
        ({"consent": {"strength": True}}, Verdict.CONFIRM),
        ({"approval": {"granted": 1, "count": 1}}, Verdict.ESCALATE),
        ({"approval": {"granted": True, "count": True}}, Verdict.ESCALATE),
        ({"approval": {"granted": True}}, Verdict.ESCALATE),
    ],
)
def test_a_demand_is_never_met_by_a_malformed_fact(
    load: Load, facts: FactsMaker, broken: dict[str, Any], verdict: Verdict
) -> None:
    policy = load(
        rules("id: p, permit: true", "id: v, verify: stepped_up", "id: c, confirm: agent", "id: e, escalate: q")
    )
    good = facts(
        subject={"assurance": "STEPPED_UP"}, consent={"strength": "AGENT"}, approval={"granted": True, "count": 1}
    )
    assert decide(policy, "issue_refund", good).verdict is Verdict.PERMIT
    assert decide(policy, "issue_refund", {**good, **broken}).verdict is verdict


def test_a_restricting_rule_that_cannot_be_evaluated_counts_as_matched(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: p, permit: true", "id: d, when: order.disputed, deny: no_way"))
    assert decide(policy, "issue_refund", facts()).verdict is Verdict.PERMIT
    decision = decide(without_rule(policy, "d"), "issue_refund", facts())
    assert decision.verdict is Verdict.DENY
    assert decision.hits == (RuleHit("d", "deny", errored=True), RuleHit("p", "permit"))


def test_a_permit_that_cannot_be_evaluated_counts_as_unmatched(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: p, permit: true", "id: q, when: order.disputed, permit: true"))
    assert decide(without_rule(policy, "q"), "issue_refund", facts()).hits == (RuleHit("p", "permit"),)
    assert decide(without_rule(policy, "p"), "issue_refund", facts()).verdict is Verdict.DENY


def test_a_compiled_function_that_fails_changes_no_decision(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: p, permit: true", "id: d, when: order.disputed, deny: x", "id: c, confirm: agent"))
    found = policy.by_tool["issue_refund"]
    failing = structs.replace(found, program=structs.replace(found.program, match=lambda facts: None))
    doubtful = replace(policy, by_tool={"issue_refund": failing})
    for disputed in (True, False):
        given = facts(order={"disputed": disputed})
        assert decide(doubtful, "issue_refund", given) == decide(policy, "issue_refund", given)
    broken = facts(order={"disputed": "no"})
    assert decide(doubtful, "issue_refund", broken) == decide(policy, "issue_refund", broken)


def test_a_watching_rule_changes_nothing_and_says_what_it_would_have_done(load: Load, facts: FactsMaker) -> None:
    policy = load(rules("id: p, permit: true", "id: d, deny: x, mode: shadow", "id: q, permit: true, mode: shadow"))
    decision = decide(policy, "issue_refund", facts())
    assert (decision.verdict, decision.shadow, decision.reasons) == (Verdict.PERMIT, Verdict.DENY, ())
    assert {hit.rule for hit in decision.hits} == {"p", "d", "q"}
    only = load(rules("id: q, permit: true, mode: shadow"))
    assert not only.may_permit("issue_refund")
    alone = decide(only, "issue_refund", facts())
    assert (alone.verdict, alone.shadow) == (Verdict.DENY, Verdict.PERMIT)


def test_a_watching_file_permits_and_says_what_it_would_have_done(load: Load, facts: FactsMaker) -> None:
    policy = load("mode: shadow\n" + rules("id: p, permit: true", "id: v, verify: stepped_up"))
    decision = decide(policy, "issue_refund", facts())
    assert (decision.verdict, decision.unmet, decision.shadow) == (Verdict.PERMIT, (), Verdict.VERIFY)
    assert decide(policy, "get_order", facts()).shadow is Verdict.DENY
    own = Escalate("desk", 1, 60, Reason("own", "Ask."))
    person = decide(policy, "issue_refund", facts(), requires=[own])
    assert (person.verdict, person.unmet) == (Verdict.ESCALATE, (own,))


def test_a_near_miss_is_a_restriction_but_for_one_condition(load: Load, facts: FactsMaker) -> None:
    policy = load(
        rules(
            "id: p, permit: true",
            "id: near, when: order.dispatched && impact.amount > money('25.00'), deny: x",
            "id: far, when: order.disputed && impact.amount > money('25.00'), deny: x",
            "id: single, when: order.disputed, deny: x",
            "id: hit, when: order.dispatched && impact.amount > money('1.00'), confirm: agent",
            "id: allow, when: order.disputed && order.dispatched, permit: true",
            "id: guarded, when: has(order.delivered_days) && order.delivered_days > 2, deny: x",
        )
    )
    assert near_misses(policy, "issue_refund", facts(order={"delivered_days": 1})) == ("guarded", "near")
    assert near_misses(policy, "issue_refund", facts(order={"delivered_days": ...})) == ("near",)
    assert near_misses(policy, "nothing", facts()) == ()


CONDITIONS = (
    "order.disputed",
    "impact.amount > money('20.00')",
    "order.status == 'delivered'",
    "has(order.delivered_days) && order.delivered_days > 3",
    "subject.assurance >= AUTHENTICATED",
    "customer.tags.exists(t, t == 'eu')",
    "risk.tier >= HIGH",
    "true",
)
RISK = """risk:
  factors: [{id: f, when: "order.present && order.disputed", points: 70, because: x}]
  tiers: {medium: 30, high: 60, critical: 90}
"""
RESTRICTIONS = (
    "deny: no",
    "verify: stepped_up",
    "verify: identified",
    "confirm: agent",
    "confirm: customer",
    "escalate: q",
    "escalate: {queue: q, approvals: 2}",
)


def made_rules(chance: random.Random, effects: tuple[str, ...], mark: str, count: int) -> list[str]:
    return [
        f'  - {{id: {mark}{n}, tools: [issue_refund], when: "{chance.choice(CONDITIONS)}", {chance.choice(effects)}}}\n'
        for n in range(count)
    ]


def made_facts(chance: random.Random, facts: FactsMaker) -> dict[str, Any]:
    return facts(
        order={
            "disputed": chance.random() < 0.3,
            "status": chance.choice(("delivered", "pending")),
            "delivered_days": chance.choice((..., 1, 5)),
        },
        impact={"amount": chance.choice((0, 2000, 2001, 9000))},
        subject={"assurance": chance.choice([level.name for level in Assurance])},
        consent={"strength": chance.choice([strength.name for strength in Consent])},
        approval={"granted": chance.random() < 0.5, "count": chance.randint(0, 2)},
        risk={"tier": chance.choice(("LOW", "HIGH"))},
    )


SEVERITY = [Verdict.PERMIT, Verdict.ESCALATE, Verdict.CONFIRM, Verdict.VERIFY, Verdict.DENY]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_adding_a_restricting_rule_never_opens_anything(seed: int, load: Load, facts: FactsMaker) -> None:
    chance = random.Random(seed)
    lines = made_rules(chance, ("permit: true", *RESTRICTIONS), "r", chance.randint(0, 6))
    before = load(RISK + ("rules:\n" + "".join(lines) if lines else ""))
    after = load(RISK + "rules:\n" + "".join([*lines, *made_rules(chance, RESTRICTIONS, "added", 1)]))
    for _ in range(10):
        given_facts = made_facts(chance, facts)
        old, new = (decide(policy, "issue_refund", given_facts) for policy in (before, after))
        assert SEVERITY.index(new.verdict) >= SEVERITY.index(old.verdict)
        assert set(old.unmet) <= set(new.unmet) or new.verdict is Verdict.DENY


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_the_order_of_rules_never_matters(seed: int, load: Load, facts: FactsMaker) -> None:
    chance = random.Random(seed)
    lines = made_rules(chance, ("permit: true", *RESTRICTIONS), "r", 7)
    one = load(RISK + "rules:\n" + "".join(lines))
    chance.shuffle(lines)
    other = load(RISK + "rules:\n" + "".join(lines))
    for _ in range(10):
        given_facts = made_facts(chance, facts)
        a, b = (decide(policy, "issue_refund", given_facts) for policy in (one, other))
        assert structs.replace(a, policy="") == structs.replace(b, policy="")


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_breaking_any_rule_never_opens_anything(seed: int, load: Load, facts: FactsMaker) -> None:
    chance = random.Random(seed)
    policy = load(RISK + "rules:\n" + "".join(made_rules(chance, ("permit: true", *RESTRICTIONS), "r", 6)))
    for rule in policy.rules:
        broken = without_rule(policy, rule.id)
        given_facts = made_facts(chance, facts)
        old, new = (decide(each, "issue_refund", given_facts) for each in (policy, broken))
        assert SEVERITY.index(new.verdict) >= SEVERITY.index(old.verdict)
