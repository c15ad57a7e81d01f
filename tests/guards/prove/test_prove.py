"""What the solver says of a policy is what the real decision does: pinned calls, found calls and proofs alike."""

import random
from typing import Any

import pytest
from guards.explain.test_explain import HEAD, SCOPE, policy, quoted
from guards.policy.conftest import FACTS, SURFACES
from guards.policy.test_differential import made_up, random_facts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tillgate.guards.difference import difference
from tillgate.guards.explain import Call, judge
from tillgate.guards.model import Verdict
from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.prove import Proof, budgets, invariants, monotone, verification
from tillgate.guards.solver import Search
from tillgate.guards.verdicts import ends_of, fresh, tried

pytest.importorskip("z3", reason="the solver is not installed: nothing is proved here")
TOOL = next(surface for surface in SURFACES if surface.name == "issue_refund")
ALL = "  - {id: all, tools: [issue_refund], permit: true}\n"
CALM = [HealthCheck.too_slow]


def made(rules: str, rest: str = "") -> Policy:
    return load_policy(f"{HEAD}{rest}rules:\n{rules}", "policy.yaml", SURFACES)


def proof(rules: str, then: str, outcome: str = "completed", rest: str = "") -> Proof:
    claim = f'invariants: [{{tools: [issue_refund], when_outcome: {outcome}, then: "{then}"}}]\n'
    [found] = invariants(made(rules, rest + claim), SURFACES)
    return found


LARGE = "  - {id: large, tools: [issue_refund], when: \"impact.amount > money('100.00')%s\", escalate: q}\n"
CLAIM = "impact.amount <= money('100.00') || approval.granted"


def test_an_invariant_that_holds_is_proved() -> None:
    assert proof(ALL + LARGE % "", CLAIM).result == "proved"


def test_a_loophole_for_one_segment_is_found_with_a_call_that_goes_through() -> None:
    found = proof(ALL + LARGE % " && !('vip' in customer.tags)", CLAIM)
    assert found.result == "refuted"
    assert found.call is not None
    assert found.judged is not None
    assert found.judged.decision.verdict is Verdict.PERMIT
    assert found.call.facts["impact"]["amount"] > 10000
    assert "vip" in found.call.facts["customer"]["tags"]


def test_a_rule_that_only_watches_proves_nothing() -> None:
    assert proof(ALL + LARGE.replace("escalate", "mode: shadow, escalate") % "", CLAIM).result == "refuted"


RISK = """risk:
  factors:
    - {id: a, tools: [issue_refund], when: "customer.age_days < 30", points: 40, because: a}
    - {id: b, tools: [issue_refund], when: "order.disputed", points: 30, because: b}
  tiers: {medium: 30, high: 60, critical: 90}
"""


def test_risk_is_worked_out_exactly() -> None:
    high = ALL + "  - {id: h, tools: [issue_refund], when: risk.tier >= HIGH, deny: no}\n"
    assert proof(high, "customer.age_days >= 30 || !order.disputed", rest=RISK).result == "proved"
    assert proof(high, "customer.age_days >= 30", rest=RISK).result == "refuted"
    assert proof(high, "risk.score != 70", rest=RISK).result == "proved"


BUDGET = 'budgets: [{id: b, tools: [issue_refund], per: customer.id, window: 1d, limit: "50.00"%s}]\n'


def test_budgets_are_worked_out_exactly() -> None:
    assert [each.result for each in budgets(made(ALL, BUDGET % ""), SURFACES)] == ["proved"]
    queued = BUDGET % ", exceeded: {escalate: q}"
    assert [each.result for each in budgets(made(ALL, queued), SURFACES)] == ["proved"]
    assert proof(ALL, "usage.b.amount <= money('49.99')", rest=BUDGET % "").result == "refuted"


def test_a_band_that_lets_more_money_through_is_found() -> None:
    band = "  - {id: d, tools: [issue_refund], when: \"impact.amount > money('5.00')%s\", deny: no}\n"
    found = {each.claim: each.result for each in monotone(made(ALL + band % ""), [TOOL])}
    assert set(found.values()) == {"proved"}
    hole = made(ALL + band % " && impact.amount < money('900.00')")
    assert "refuted" in [each.result for each in monotone(hole, [TOOL])]


def test_no_call_completes_without_the_proof_that_is_asked_for() -> None:
    rules = ALL + "  - {id: v, tools: [issue_refund], when: order.disputed, verify: stepped_up}\n"
    assert [each.result for each in verification(made(rules), SURFACES)] == ["proved"]


def _random(chance: random.Random) -> Policy | None:
    does = ["deny: no", "permit: true", "verify: stepped_up", "confirm: customer", "escalate: q"]
    when = [quoted(made_up(chance, 2, SCOPE)) for _ in range(4)]
    lines = [f"  - {{id: r{n}, tools: [issue_refund], when: {w}, {chance.choice(does)}}}\n" for n, w in enumerate(when)]
    try:
        return policy("rules:\n" + ALL * chance.randint(0, 1) + "".join(lines))
    except PolicyError:
        return None


def _facts(chance: random.Random) -> dict[str, Any]:
    facts = random_facts(SCOPE, chance)
    facts["call"] |= {"tool": "issue_refund", "effect": TOOL.effect, "intent": TOOL.intent}
    granted = facts["approval"]["granted"]
    facts["approval"] |= {"count": max(1, facts["approval"].get("count", 1)) if granted else 0}
    facts["impact"]["amount"] = abs(facts["impact"]["amount"])
    return facts


@settings(max_examples=60, deadline=None, suppress_health_check=CALM)
@given(seed=st.integers(0, 2**40))
def test_an_outcome_that_is_ruled_out_never_happens(seed: int) -> None:
    chance = random.Random(seed)
    found = _random(chance)
    if found is None:
        return
    ends = ends_of(found, TOOL, fresh())
    search = Search()
    search.require(*ends.sound)
    possible = {verdict for verdict, term in ends.when.items() if search.find(term) is not None}
    for _ in range(40):
        assert judge(found, Call("issue_refund", _facts(chance), {}, False, 0)).decision.verdict in possible


@settings(max_examples=40, deadline=None, suppress_health_check=CALM)
@given(seed=st.integers(0, 2**40))
def test_where_two_policies_differ_on_some_call_a_difference_is_told(seed: int) -> None:
    chance = random.Random(seed)
    old, new = _random(chance), _random(chance)
    if old is None or new is None:
        return
    told = {(flip.old, flip.new) for flip in difference(old, new, [TOOL])}
    for _ in range(40):
        facts = _facts(chance)
        call = Call("issue_refund", facts, {}, False, 0)
        pair = judge(old, call).decision.verdict, judge(new, call).decision.verdict
        assert pair[0] is pair[1] or pair in told


def test_what_is_found_on_plain_conditions_is_confirmed() -> None:
    old = made(ALL + LARGE % "")
    new = made(ALL + LARGE.replace("100.00", "80.00") % "")
    [flip] = difference(old, new, [TOOL])
    assert (flip.old, flip.new, flip.confirmed) == (Verdict.PERMIT, Verdict.ESCALATE, True)
    assert flip.call.facts["impact"]["amount"] == 8001
    assert difference(old, old, [TOOL]) == ()


def test_a_tool_that_a_policy_forgets_is_told() -> None:
    other = "  - {id: o, tools: [get_order], permit: true}\n"
    [flip] = difference(made(ALL + other), made(other), [TOOL])
    assert (flip.old, flip.new, flip.confirmed) == (Verdict.PERMIT, Verdict.DENY, True)


def test_answers_become_calls_that_are_valid() -> None:
    ends = ends_of(made(ALL + LARGE % ""), TOOL, fresh())
    search = Search()
    search.require(*ends.sound)
    answer = search.find(ends.when[Verdict.ESCALATE])
    assert answer is not None
    call, judged = tried(answer, ends)
    assert judged.decision.verdict is Verdict.ESCALATE
    assert set(call.facts) >= set(FACTS) - {"risk", "usage", "offer", "cart"}
