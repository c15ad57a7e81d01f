"""More money, more risk, less assurance or a worse standing never helps: two calls that differ in nothing else.

The rule it keeps: an outcome is less restrictive only where nothing about it is stricter. A refusal is the strictest;
then more people to approve; then proof and consent, of which neither stands for the other. Both calls are new ones:
nobody has agreed to them or approved them yet.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tillgate.guards.decide import decide
from tillgate.guards.encoding import Encoder
from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import CATALOGUE
from tillgate.guards.model import Confirm, Decision, Escalate, Facts, Requirement, RiskAssessment, Verdict, Verify
from tillgate.guards.policy.expression import Path
from tillgate.guards.policy.types import Tiers
from tillgate.guards.proof import Look, Proof
from tillgate.guards.solver import Answer, Number, Truth, Undecided, added, all_of, any_of, compared, negated
from tillgate.guards.unknowns import Fact
from tillgate.guards.verdicts import Ends, ends_of
from tillgate.guards.witness import amounts_of, call_of, plainer

MONEY, ASSURANCE, RISK = ("impact", "amount"), ("subject", "assurance"), ("risk", "score")


@dataclass(frozen=True, slots=True)
class Step:
    """What one call has more or less of than the other."""

    path: Path
    op: Literal["<", ">"]
    text: str


STEPS = (
    Step(MONEY, ">", "more money is never less restricted"),
    Step(RISK, ">", "more risk is never less restricted"),
    Step(ASSURANCE, "<", "less assurance is never less restricted"),
)
STANDING = (
    Step(("customer", "age_days"), "<", "a newer customer is never less restricted"),
    Step(("customer", "refunds_30d"), ">", "more refunds before are never less restricted"),
    Step(("customer", "disputes"), ">", "more disputes are never less restricted"),
)
"""Of refunds only: elsewhere, as with a discount for newcomers, it is often meant otherwise."""

REFUNDS = frozenset({"refund", "cancellation"})
"""The intents of tools that give money back."""


def monotone(found: Sequence[Look]) -> Iterator[Proof]:
    """Each of these for every tool, money only where a tool can move some, standing where a rule or factor reads it."""
    for look in found:
        for step in STEPS:
            if step.path is not MONEY or look.tool.effect == "write":
                yield _step(look, step)
        read = {unknown.path for unknown in look.ends.used if isinstance(unknown, Fact)}
        for step in STANDING if look.tool.intent in REFUNDS else ():
            if step.path in read:
                yield _step(look, step)


def size(demand: Requirement) -> tuple[type[Requirement], int]:
    """The kind of a demand, and how much of it is asked."""
    if isinstance(demand, Verify):
        return Verify, demand.level
    return (Confirm, demand.strength) if isinstance(demand, Confirm) else (Escalate, max(1, demand.approvals))


def is_softer(before: Decision, after: Decision) -> bool:
    """Whether the second decision is less restrictive than the first."""
    if after.verdict is Verdict.DENY or before.verdict is Verdict.DENY:
        return after.verdict is not Verdict.DENY
    approve, prove, agree = (_most(after, kind) - _most(before, kind) for kind in (Escalate, Verify, Confirm))
    return approve < 0 or (approve == 0 and min(prove, agree) < 0 and max(prove, agree) <= 0)


def _most(decision: Decision, kind: type[Requirement]) -> int:
    return max((asked for found, asked in map(size, decision.unmet) if found is kind), default=0)


def _softer(one: Ends, other: Ends) -> Truth:
    """The same of two calls, for the solver."""
    less_people, same_people = _less(one, other, Escalate), negated(_less(other, one, Escalate))
    prove, agree = _less(one, other, Verify), _less(one, other, Confirm)
    not_more = [negated(_less(other, one, kind)) for kind in (Verify, Confirm)]
    weaker = any_of([less_people, all_of([same_people, any_of([prove, agree]), *not_more])])
    return all_of([other.allowed, any_of([negated(one.allowed), weaker])])


def _less(one: Ends, other: Ends, kind: type[Requirement]) -> Truth:
    """Whether the second call is asked for less of a kind than the first."""
    sizes = {asked for found, asked in (size(demand) for demand, _ in (*one.open, *other.open)) if found is kind}
    return any_of(all_of([_asks(one, kind, n), negated(_asks(other, kind, n))]) for n in sizes)


def _asks(ends: Ends, kind: type[Requirement], least: int) -> Truth:
    terms = [(size(demand), term) for demand, term in ends.open]
    return any_of(term for (found, asked), term in terms if found is kind and asked >= least)


def _step(look: Look, step: Step) -> Proof:
    base, (group, name) = look.ends.encoder, step.path
    own = (("risk",),) if step.path is RISK else (step.path, ("risk",), ("usage",))
    tag = f"+{group}.{name}"
    other = ends_of(look.policy, look.tool, Encoder(base.unknowns, tag, own, base), raised=step.path is RISK)
    kind = CATALOGUE[group].facts[name]
    less, more = (base.unknowns.fact(step.path, kind, each) for each in ("", tag))
    needs = [*other.sound, *_new(look), compared(step.op, more.term, less.term)]
    needs += _budgets(look, step) if len(own) > 1 else ()
    try:
        answer = look.search.find(*needs, _softer(look.ends, other))
    except Undecided:
        return Proof(step.text, look.tool.name, "unconfirmed")
    if answer is None:
        return Proof(step.text, look.tool.name, "proved")
    return _shown(look, step, other, answer)


def _new(look: Look) -> Iterator[Truth]:
    """Nobody has agreed or approved."""
    facts = look.ends.encoder.unknowns.facts
    known = (facts.get(name) for name in ("consent.strength", "approval.count"))
    yield from (compared("==", fact.term, 0) for fact in known if fact is not None)


def _budgets(look: Look, step: Step) -> Iterable[Truth]:
    """Budgets hold as much more as the call moves, where it acts."""
    tag, unknowns = "+" + ".".join(step.path), look.ends.encoder.unknowns
    grown: Number = 0
    if step.path is MONEY:
        grown = added(unknowns.facts[f"impact.amount{tag}"].term, unknowns.facts["impact.amount"].term, -1)
    for budget in look.policy.budgets_for(look.tool.name):
        names = [f"usage.{budget.id}.{fact}" for fact in ("amount", "count")]
        here, there = ([unknowns.facts.get(f"{name}{end}") for name in names] for end in ("", tag))
        (used, times), (then, later) = here, there
        if used and then and times and later:
            acts = unknowns.flag(("the call acts",)).term
            moved = compared("==", then.term, added(used.term, grown))
            yield any_of([all_of([acts, moved]), all_of([negated(acts), compared("==", then.term, used.term)])])
            yield compared("==", times.term, later.term)


def _shown(look: Look, step: Step, other: Ends, answer: Answer) -> Proof:
    """The two calls, as plain as they can be while the second is really less restricted."""
    first, second = call_of(answer, look.ends), call_of(answer, other)
    after = _after(look, step, second, answer, other)

    def softened(call: Call) -> bool:
        return is_softer(judge(look.policy, call).decision, after(call).decision)

    if not softened(first):
        return Proof(step.text, look.tool.name, "unconfirmed", first, judge(look.policy, first), after(first))
    amounts = amounts_of(look.policy, look.tool.name) if step.path is not MONEY else ()
    call = plainer(look.tool, first, softened, amounts)
    return Proof(step.text, look.tool.name, "refuted", call, judge(look.policy, call), after(call))


def _after(look: Look, step: Step, second: Call, answer: Answer, other: Ends) -> Callable[[Call], Judged]:
    """How a call ends once it has more or less of the one thing."""
    group, name = step.path
    if step.path is not RISK:

        def changed(call: Call) -> Judged:
            facts = {**call.facts, group: {**call.facts[group], name: second.facts[group][name]}}
            return judge(look.policy, call, facts)

        return changed
    score = answer.number(other.encoder.unknowns.facts[f"risk.score{other.encoder.tag}"].term) or 0

    def raised(call: Call) -> Judged:
        before = judge(look.policy, call)
        return _at_risk(look, call, before, max(score, before.risk.score))

    return raised


def _at_risk(look: Look, call: Call, before: Judged, score: int) -> Judged:
    tiers: Tiers | None = look.policy.tiers
    risk = RiskAssessment(score, tiers.of(score), ()) if tiers else before.risk
    facts: Facts = {**before.facts, "risk": {"score": risk.score, "tier": risk.tier.name}}
    decision = decide(look.policy, call.tool, facts, before.exceeded, call.requires)
    return Judged(facts, risk, before.exceeded, decision)
