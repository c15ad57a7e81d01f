"""What makes decisions fast changes none: conditions that share a beginning, and decisions that are remembered."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.guards.decide import MOST_SETTLED, decide
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Assurance, Reason, Verdict, Verify
from tillgate.guards.money import currency
from tillgate.guards.policy.check import check_condition
from tillgate.guards.policy.compile import compile_conditions
from tillgate.guards.policy.conditions import Conditions
from tillgate.guards.policy.diagnostics import Findings
from tillgate.guards.policy.expression import Expr
from tillgate.guards.policy.interpret import holds
from tillgate.guards.policy.parser import parse
from tillgate.guards.policy.scope import Scope
from tillgate.guards.policy.types import Policy
from tillgate.guards.risk import assess

Load = Callable[[str], Policy]
FactsMaker = Callable[..., dict[str, Any]]

TERMS = (
    "true",
    "false",
    "order.disputed",
    "order.disputed || order.dispatched",
    "order.status == 'delivered'",
    "has(order.delivered_days)",
    "!has(order.delivered_days) || order.delivered_days > 3",
    "customer.tags.exists(t, t == 'eu')",
    "risk.tier >= HIGH",
)


@pytest.fixture(scope="module")
def scope(surfaces: tuple[ToolSurface, ...]) -> Scope:
    by_name = {surface.name: surface for surface in surfaces}
    return Conditions(Findings("x", ""), by_name, currency("USD")).scope("issue_refund")


def checked(text: str, scope: Scope) -> Expr:
    expr, _ = check_condition(parse(text), scope)
    assert expr is not None, text
    return expr


def some_facts(chance: random.Random, facts: FactsMaker) -> dict[str, Any]:
    return facts(
        order={
            "disputed": chance.random() < 0.5,
            "dispatched": chance.random() < 0.5,
            "status": chance.choice(("delivered", "pending")),
            "delivered_days": chance.choice((..., 1, 5)),
        },
        customer={"tags": chance.choice(([], ["eu"]))},
        risk={"tier": chance.choice(("LOW", "HIGH"))},
        impact={"reversible": chance.random() < 0.5},
        subject={"assurance": chance.choice(("IDENTIFIED", "STEPPED_UP"))},
        consent={"strength": chance.choice(("NONE", "CUSTOMER"))},
        approval={"granted": chance.random() < 0.5, "count": chance.randint(0, 2)},
    )


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_conditions_that_begin_alike_still_hold_each_on_its_own(seed: int, scope: Scope, facts: FactsMaker) -> None:
    chance = random.Random(seed)
    few = chance.sample(TERMS, 4)
    texts = [" && ".join(f"({each})" for each in chance.choices(few, k=chance.randint(1, 12))) for _ in range(12)]
    exprs = [checked(text, scope) for text in texts]
    program = compile_conditions(exprs, scope)
    for _ in range(10):
        given_facts = some_facts(chance, facts)
        wanted = [index for index, expr in enumerate(exprs) if holds(expr, given_facts)]
        assert sorted(program.match(given_facts) or ()) == wanted, program.source


def test_conditions_may_begin_alike_for_as_long_as_they_like(scope: Scope, facts: FactsMaker) -> None:
    terms = [f"risk.score!={n}" for n in range(1, 121)]
    exprs = [checked("&&".join(terms[: n + 1]), scope) for n in range(120)]
    program = compile_conditions(exprs, scope)
    assert sorted(program.match(facts()) or ()) == list(range(120))
    assert sorted(program.match(facts(risk={"score": 60})) or ()) == list(range(59))


def test_what_began_alike_is_told_in_the_order_of_the_policy(load: Load, facts: FactsMaker) -> None:
    alike = "order.dispatched && impact.amount > money('1.00')"
    whens = {"a": alike, "b": "!order.disputed", "c": alike, "d": "true", "e": "order.dispatched"}
    each = [f'{{id: {name}, tools: [issue_refund], when: "{when}"' for name, when in whens.items()]
    factors = "".join(f"    - {one}, points: 1, because: x}}\n" for one in each)
    denies = "".join(f"  - {one}, deny: no}}\n" for one in each)
    policy = load(f"risk:\n  tiers: {{medium: 30, high: 60, critical: 85}}\n  factors:\n{factors}rules:\n{denies}")
    assert [each.factor for each in assess(policy, "issue_refund", facts()).contributions] == [*whens]
    for own in ([], [], [MET]):
        decision = decide(policy, "issue_refund", facts(), (), own)
        assert [hit.rule for hit in decision.hits] == [reason.rule for reason in decision.reasons] == [*whens]


def test_of_the_texts_in_the_generated_source_none_is_the_policys(scope: Scope) -> None:
    texts = (
        "args.order_id == 'sold'",
        "order.id == 'total'",
        "call.tool == 'get_order'",
        "'vip' in customer.tags",
    )
    source = compile_conditions([checked(text, scope) for text in texts], scope).source
    assert set(re.findall(r"""['"](\w*)['"]""", source)) == {
        "args", "call", "customer", "id", "order", "present", "tags", "tool",
    }  # fmt: skip
    assert not re.search(r"sold|total|get_order|vip|order_id", source)


# -- decisions that are remembered

MET = Verify(Assurance.ANONYMOUS, Reason("met", "Always met."))

RULES = """
budgets:
  - {id: hard, tools: [issue_refund], per: customer.id, window: 30d, limit: '9.00'}
rules:
  - {id: p, tools: [issue_refund], permit: true}
  - {id: p2, tools: [get_order], when: order.dispatched, permit: true}
  - {id: d, tools: [issue_refund, get_order], when: order.disputed, deny: no}
  - {id: v, tools: [issue_refund], when: impact.reversible, verify: stepped_up}
  - {id: c, tools: [issue_refund], when: order.status == 'delivered', confirm: customer}
  - {id: e, tools: [issue_refund], when: "customer.tags.exists(t, t == 'eu')", escalate: {queue: desk, approvals: 2}}
  - {id: w, tools: [issue_refund], when: order.dispatched, deny: no, mode: shadow}
"""


@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_a_decision_is_the_same_whether_or_not_it_is_remembered(mode: str, load: Load, facts: FactsMaker) -> None:
    chance, policy = random.Random(5), load(f"mode: {mode}\n{RULES}")
    [hard] = policy.budgets
    seen = set()
    for _ in range(600):
        tool, given_facts = chance.choice(("issue_refund", "get_order", "nothing")), some_facts(chance, facts)
        exceeded = [hard] if chance.random() < 0.2 else []
        decision = decide(policy, tool, given_facts, exceeded)
        assert decision == decide(policy, tool, given_facts, exceeded, [MET])  # what a call brings is never remembered
        seen.add((decision.verdict, decision.shadow, len(decision.unmet)))
    assert len(policy.ready["issue_refund"].settled) > 50
    assert len(seen) > (8 if mode == "enforce" else 3)


def test_a_changed_policy_does_not_speak_from_the_memory_of_the_old_one(load: Load, facts: FactsMaker) -> None:
    policy = load(RULES)
    enforced = decide(policy, "get_order", facts(order={"disputed": True}))
    watching = replace(policy, mode="shadow", digest="sha256:new")
    watched = decide(watching, "get_order", facts(order={"disputed": True}))
    assert (enforced.verdict, enforced.shadow, enforced.policy) == (Verdict.DENY, None, policy.digest)
    assert (watched.verdict, watched.shadow, watched.policy) == (Verdict.PERMIT, Verdict.DENY, "sha256:new")


def test_a_tool_does_not_speak_from_the_memory_of_another(load: Load, facts: FactsMaker) -> None:
    policy = load(
        "rules:\n  - {id: p, tools: [get_order], permit: true}\n  - {id: d, tools: [issue_refund], deny: no}\n"
    )
    for tool, verdict in (("get_order", Verdict.PERMIT), ("issue_refund", Verdict.DENY)) * 2:
        assert decide(policy, tool, facts()).verdict is verdict


def test_a_full_budget_and_a_plans_own_demand_are_heard_whatever_is_remembered(load: Load, facts: FactsMaker) -> None:
    policy = load(RULES)
    own = Verify(Assurance.STEPPED_UP, Reason("own", "Prove it."))
    given_facts = facts(order={"status": "pending", "dispatched": False}, customer={"tags": []})
    for _ in range(2):
        assert decide(policy, "issue_refund", given_facts).verdict is Verdict.PERMIT
        assert decide(policy, "issue_refund", given_facts, policy.budgets).verdict is Verdict.DENY
        assert decide(policy, "issue_refund", given_facts, (), [own]).unmet == (own,)


def test_a_policy_remembers_only_so_many_decisions(load: Load, facts: FactsMaker) -> None:
    policy = load("rules:\n  - {id: e, tools: [issue_refund], escalate: desk}\n  - {id: p, tools: '*', permit: true}\n")
    for count in range(MOST_SETTLED + 100):
        decision = decide(policy, "issue_refund", facts(approval={"granted": True, "count": count}))
        assert decision.verdict is (Verdict.PERMIT if count else Verdict.ESCALATE)
    assert len(policy.ready["issue_refund"].settled) == MOST_SETTLED


def test_one_more_proof_is_never_answered_with_what_was_decided_without_it(load: Load, facts: FactsMaker) -> None:
    verify = "  - {id: v, tools: [get_order], verify: authenticated}\n"
    policy = load("rules:\n  - {id: p, tools: [get_order], permit: true}\n" + verify)
    for _ in range(2):
        found = [decide(policy, "get_order", facts(subject={"assurance": each.name})).verdict for each in Assurance]
        assert found == [Verdict.VERIFY, Verdict.VERIFY, Verdict.PERMIT, Verdict.PERMIT]
