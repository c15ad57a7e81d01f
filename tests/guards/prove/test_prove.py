"""What the solver says of a policy is what the real decision does: pinned calls, found calls and proofs alike."""

import random
from collections.abc import Iterable
from typing import Any

import pytest
from guards.explain.test_explain import HEAD, SCOPE, policy, quoted
from guards.policy.conftest import FACTS, SURFACES
from guards.policy.test_differential import made_up, random_facts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tillgate.guards.difference import difference, ended
from tillgate.guards.explain import Call, judge
from tillgate.guards.model import Verdict
from tillgate.guards.monotone import is_softer, monotone
from tillgate.guards.needless import needless
from tillgate.guards.openings import openings
from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.proof import Look, Proof, looks
from tillgate.guards.prove import budgets, invariants, verification
from tillgate.guards.solver import Search
from tillgate.guards.verdicts import ends_of, fresh
from tillgate.guards.witness import call_of

pytest.importorskip("z3", reason="the solver is not installed: nothing is proved here")
TOOL = next(surface for surface in SURFACES if surface.name == "issue_refund")
ALL = "  - {id: all, tools: [issue_refund], permit: true}\n"
CALM = [HealthCheck.too_slow]


def made(rules: str, rest: str = "") -> Policy:
    return load_policy(f"{HEAD}{rest}rules:\n{rules}", "policy.yaml", SURFACES)


def seen(policy: Policy) -> tuple[Look, ...]:
    return looks(policy, SURFACES)


def proof(rules: str, then: str, outcome: str = "completed", rest: str = "") -> Proof:
    claim = f'invariants: [{{tools: [issue_refund], when_outcome: {outcome}, then: "{then}"}}]\n'
    [found] = invariants(seen(made(rules, rest + claim)))
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
    assert [each.result for each in budgets(seen(made(ALL, BUDGET % "")))] == ["proved"]
    queued = BUDGET % ", exceeded: {escalate: q}"
    assert [each.result for each in budgets(seen(made(ALL, queued)))] == ["proved"]
    assert proof(ALL, "usage.b.amount <= money('49.99')", rest=BUDGET % "").result == "refuted"


def test_a_band_that_lets_more_money_through_is_found() -> None:
    band = "  - {id: d, tools: [issue_refund], when: \"impact.amount > money('5.00')%s\", deny: no}\n"
    found = {each.claim: each.result for each in monotone(seen(made(ALL + band % "")))}
    assert set(found.values()) == {"proved"}
    hole = made(ALL + band % " && impact.amount < money('900.00')")
    assert "refuted" in [each.result for each in monotone(seen(hole))]


def test_no_call_completes_without_the_proof_that_is_asked_for() -> None:
    rules = ALL + "  - {id: v, tools: [issue_refund], when: order.disputed, verify: stepped_up}\n"
    assert [each.result for each in verification(seen(made(rules)))] == ["proved"]


STRICT = '  - {id: strict, tools: [issue_refund], when: "%s", %s}\n'


def results(found: Iterable[Proof], claim: str) -> set[str]:
    return {each.result for each in found if claim in each.claim}


@pytest.mark.parametrize(
    ("lower", "higher", "result"),
    [
        ("confirm: agent", "confirm: customer", "proved"),
        ("confirm: customer", "confirm: agent", "refuted"),
        ("verify: identified", "verify: stepped_up", "proved"),
        ("verify: stepped_up", "confirm: customer", "proved"),  # neither stands for the other
        ("verify: stepped_up", "escalate: q", "proved"),
        ("escalate: {queue: q, approvals: 2}", "escalate: {queue: q, approvals: 1}", "refuted"),
        ("escalate: q", "confirm: customer", "refuted"),
        ("escalate: q", "deny: no", "proved"),
        ("deny: no", "escalate: {queue: q, approvals: 5}", "refuted"),
    ],
)
def test_more_money_never_meets_a_weaker_demand(lower: str, higher: str, result: str) -> None:
    low = STRICT % ("impact.amount < money('5.00')", lower)
    high = (STRICT % ("impact.amount >= money('5.00')", higher)).replace("strict", "stricter")
    assert results(monotone(seen(made(ALL + low + high))), "more money") == {result}


@pytest.mark.parametrize(("when", "result"), [("risk.tier >= HIGH", "proved"), ("risk.tier == HIGH", "refuted")])
def test_more_risk_never_leads_to_less(when: str, result: str) -> None:
    rules, risk = ALL + STRICT % (when, "escalate: q"), RISK.replace("points: 30", "points: 60")
    assert results(monotone(seen(made(rules, risk))), "more risk") == {result}


def test_risk_that_cannot_be_raised_is_proved() -> None:
    """HIGH is the most the factors add up to, so nothing is above it."""
    rules = ALL + STRICT % ("risk.tier == HIGH", "escalate: q")
    assert results(monotone(seen(made(rules, RISK))), "more risk") == {"proved"}


WAITS = "%s, %d approval within %d h"
LIMIT = "impact.amount > money('100.00')"


@pytest.mark.parametrize(
    ("when", "does", "result"),
    [
        (LIMIT, "escalate: q", "proved"),
        (f"{LIMIT} || order.disputed", "escalate: q", "proved"),
        (f"{LIMIT} && !('vip' in customer.tags)", "escalate: q", "refuted"),
        (f"{LIMIT} && order.country != 'CA'", "verify: stepped_up", "refuted"),
        (f"{LIMIT} && customer.orders < 50", "confirm: customer", "refuted"),
        (f"{LIMIT} && order.method_kind != 'gift_card'", "deny: too_much", "refuted"),
    ],
)
def test_what_is_asked_above_an_amount_is_asked_of_everybody(when: str, does: str, result: str) -> None:
    assert results(openings(seen(made(ALL + STRICT % (when, does)))), "above some amount") == {result}


def test_an_exception_above_which_there_is_another_limit_is_no_opening() -> None:
    some = STRICT % (f"{LIMIT} && customer.age_days < 30", "escalate: q")
    everyone = (STRICT % ("impact.amount > money('500.00')", "escalate: q")).replace("strict", "all-of-them")
    assert results(openings(seen(made(ALL + some + everyone))), "above some amount") == {"proved"}


def test_an_opening_is_shown_by_the_one_thing_that_makes_it() -> None:
    rules = ALL + STRICT % (f"{LIMIT} && !('vip' in customer.tags)", "escalate: q")
    assert results(openings(seen(made(rules, BUDGET % ""))), "above some amount") == {"proved"}  # the budget ends it
    [found] = [each for each in openings(seen(made(rules))) if "above" in each.claim]
    assert found.call is not None
    assert (found.call.amount, found.call.facts["customer"]["tags"]) == (10001, ["vip"])
    assert found.call.facts["customer"]["age_days"] == 365


@pytest.mark.parametrize("when", [f"{LIMIT} && order.disputed && !order.disputed", "agent.channel == 'http'"])
def test_what_is_asked_of_nobody_or_of_one_kind_of_caller_makes_no_claim(when: str) -> None:
    assert results(openings(seen(made(ALL + STRICT % (when, "verify: stepped_up")))), "above some amount") == set()


def test_money_without_end_asks_something_of_somebody() -> None:
    assert results(openings(seen(made(ALL))), "money does not leave") == {"refuted"}
    for does in ("verify: authenticated", "confirm: agent", "escalate: q", "deny: no"):
        assert results(openings(seen(made(ALL + STRICT % (LIMIT, does)))), "money does not leave") == {"proved"}


def test_a_worse_standing_never_helps_to_a_refund() -> None:
    for when, result in (("customer.age_days < 30", "proved"), ("customer.age_days >= 30", "refuted")):
        found = monotone(seen(made(ALL + STRICT % (when, "verify: stepped_up"))))
        assert results(found, "a newer customer") == {result}


def test_what_the_solver_cannot_look_into_is_not_called_proved() -> None:
    inside = "args.lines.exists(l, l.quantity > 1 && subject.assurance >= AUTHENTICATED)"
    found = monotone(seen(made(ALL + STRICT % (inside, "escalate: q"))))
    assert results(found, "less assurance") == {"unconfirmed"}


def test_a_claim_of_what_never_happens_is_said_to_say_nothing() -> None:
    found = proof(ALL + STRICT % ("order.disputed || !order.disputed", "deny: no"), "order.disputed")
    assert (found.result, "says nothing of it" in (found.note or "")) == ("proved", True)
    assert proof(ALL, "impact.amount >= money('0.00')").note is None


def test_facts_compared_in_a_circle_are_found_by_the_solver() -> None:
    circle = "order.refunded > order.captured && order.captured > order.total && order.total > order.refunded"
    [found] = needless(seen(made(ALL + STRICT % (circle, "deny: no"))))
    assert (found.claim, found.note) == (
        "rule strict makes a difference",
        "it never applies: its condition cannot be true",
    )


def test_factors_that_exclude_each_other_do_not_add_up() -> None:
    apart = RISK.replace("order.disputed", "customer.age_days > 700").replace("high: 60", "high: 50")
    rules = ALL + STRICT % ("risk.tier >= HIGH", "escalate: q")
    assert [each.claim for each in needless(seen(made(rules, apart)))] == [
        "rule strict makes a difference",
        "some call is HIGH",
    ]


def test_a_file_that_only_watches_proves_nothing() -> None:
    text = ALL + LARGE % ""
    claim = f'mode: shadow\ninvariants: [{{tools: [issue_refund], when_outcome: completed, then: "{CLAIM}"}}]\n'
    assert results(invariants(seen(made(text, claim))), "completed") == {"refuted"}
    assert list(needless(seen(made(text, claim)))) == []


DOES = [
    "deny: no", "permit: true", "verify: stepped_up", "verify: identified", "confirm: customer", "confirm: agent",
    "escalate: q", "escalate: p", "escalate: {queue: q, approvals: 2}",
]  # fmt: skip


def _lines(chance: random.Random) -> list[str]:
    when = [quoted(made_up(chance, 2, SCOPE)) for _ in range(4)]
    lines = [f"  - {{id: r{n}, tools: [issue_refund], when: {w}, {chance.choice(DOES)}}}\n" for n, w in enumerate(when)]
    return [ALL] * chance.randint(0, 1) + lines


def _of(lines: list[str]) -> Policy | None:
    try:
        return policy("rules:\n" + ("".join(lines) or "  []\n"))
    except PolicyError:
        return None


def _random(chance: random.Random) -> Policy | None:
    return _of(_lines(chance))


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
    verdicts = {(was.verdict, is_.verdict) for was, is_ in told}
    for _ in range(40):
        call = Call("issue_refund", _facts(chance), {}, False, 0)
        was, is_ = ended(judge(old, call).decision), ended(judge(new, call).decision)
        if was.verdict is is_.verdict and was.verdict is not Verdict.DENY:
            assert was == is_ or (was, is_) in told
        else:
            assert was == is_ or (was.verdict, is_.verdict) in verdicts


@settings(max_examples=40, deadline=None, suppress_health_check=CALM)
@given(seed=st.integers(0, 2**40))
def test_a_rule_that_is_called_needless_makes_no_difference(seed: int) -> None:
    chance = random.Random(seed)
    lines = _lines(chance)
    whole = _of(lines)
    if whole is None:
        return
    names = {each.claim.split()[1] for each in needless(seen(whole))}
    less = _of([line for line in lines if line.split("id: ")[1].split(",")[0] not in names])
    assert less is not None
    for _ in range(40):
        call = Call("issue_refund", _facts(chance), {}, False, 0)
        assert ended(judge(whole, call).decision) == ended(judge(less, call).decision)


@settings(max_examples=40, deadline=None, suppress_health_check=CALM)
@given(seed=st.integers(0, 2**40))
def test_what_is_proved_monotone_holds_of_every_pair_of_calls(seed: int) -> None:
    chance = random.Random(seed)
    found = _random(chance)
    if found is None:
        return
    proved = {each.claim for each in monotone(seen(found)) if each.result == "proved"}
    for _ in range(40):
        new = {"consent": {"strength": "NONE"}, "approval": {"granted": False, "count": 0}}
        facts = _facts(chance) | new
        more = facts | {"impact": facts["impact"] | {"amount": facts["impact"]["amount"] + chance.randint(1, 10**6)}}
        less = facts | {"subject": facts["subject"] | {"assurance": "ANONYMOUS"}}
        for claim, other in (("more money", more), ("less assurance", less)):
            pair = (judge(found, Call("issue_refund", each, {}, False, 0)).decision for each in (facts, other))
            if any(claim in each for each in proved):
                assert not is_softer(*pair)


def test_what_is_found_on_plain_conditions_is_confirmed() -> None:
    old = made(ALL + LARGE % "")
    new = made(ALL + LARGE.replace("100.00", "80.00") % "")
    [flip] = difference(old, new, [TOOL])
    assert (flip.old.verdict, flip.new.verdict, flip.confirmed) == (Verdict.PERMIT, Verdict.ESCALATE, True)
    assert flip.call.facts["impact"]["amount"] == 8001
    assert difference(old, old, [TOOL]) == ()


def test_a_tool_that_a_policy_forgets_is_told() -> None:
    other = "  - {id: o, tools: [get_order], permit: true}\n"
    [flip] = difference(made(ALL + other), made(other), [TOOL])
    assert (flip.old.verdict, flip.new.verdict, flip.confirmed) == (Verdict.PERMIT, Verdict.DENY, True)


@pytest.mark.parametrize(
    ("old", "new", "asks"),
    [
        ("escalate: q", "escalate: p", (WAITS % ("q", 1, 24), WAITS % ("p", 1, 24))),
        ("escalate: {queue: q, approvals: 2}", "escalate: q", ("q, 2 approvals within 24 h", WAITS % ("q", 1, 24))),
        ("escalate: q", "escalate: {queue: q, expires: 24d}", (WAITS % ("q", 1, 24), "q, 1 approval within 24 d")),
        ("verify: authenticated", "verify: stepped_up", ("AUTHENTICATED", "STEPPED_UP")),
        ("confirm: client", "confirm: agent", ("the client's yes", "the agent's yes")),
    ],
)
def test_a_call_that_waits_for_something_else_is_a_difference(old: str, new: str, asks: tuple[str, str]) -> None:
    before, after = (made(ALL + STRICT % (LIMIT, does)) for does in (old, new))
    found = difference(before, after, [TOOL])
    same = [flip for flip in found if flip.old.verdict is flip.new.verdict]
    assert [(flip.old.asks, flip.new.asks, flip.confirmed) for flip in same] == [(*asks, True)]


def test_a_fact_that_only_has_to_be_there_is_put_into_the_call() -> None:
    arrived = ALL.replace("permit", 'when: "has(order.delivered_days)", permit')
    found = difference(made(arrived), made(arrived + STRICT % ("order.disputed", "escalate: q")), [TOOL])
    assert [(flip.old.verdict, flip.new.verdict, flip.confirmed) for flip in found] == [
        (Verdict.PERMIT, Verdict.ESCALATE, True)
    ]
    assert "delivered_days" in found[0].call.facts["order"]


def test_a_policy_that_comes_to_watch_only_lets_everything_through() -> None:
    rules = ALL + STRICT % (LIMIT, "deny: too_much")
    [flip] = difference(made(rules), made(rules, "mode: shadow\n"), [TOOL])
    assert (flip.old.verdict, flip.new.verdict, flip.confirmed) == (Verdict.DENY, Verdict.PERMIT, True)


def test_answers_become_calls_that_are_valid() -> None:
    ends = ends_of(made(ALL + LARGE % ""), TOOL, fresh())
    search = Search()
    search.require(*ends.sound)
    answer = search.find(ends.when[Verdict.ESCALATE])
    assert answer is not None
    call = call_of(answer, ends)
    assert judge(ends.policy, call).decision.verdict is Verdict.ESCALATE
    assert set(call.facts) >= set(FACTS) - {"risk", "usage", "offer", "cart"}
