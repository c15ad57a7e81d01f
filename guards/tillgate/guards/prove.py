"""Proves what a policy claims of itself, or shows a call that breaks the claim.

The rule it keeps: "proved" is said only when the solver found that no call can break it, "refuted" only when the real
decision was asked and broke it; anything between is "unconfirmed".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tillgate.guards.encoding import Encoder
from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Verdict, Verify
from tillgate.guards.policy.expression import Expr
from tillgate.guards.policy.interpret import FactError, holds
from tillgate.guards.policy.types import OutcomeStatus, Policy
from tillgate.guards.solver import Search, Truth, Undecided, added, all_of, any_of, compared, negated
from tillgate.guards.verdicts import Ends, call_of, ends_of, fresh

Result: TypeAlias = Literal["proved", "refuted", "unconfirmed"]
VERDICTS: dict[OutcomeStatus, Verdict] = {
    "completed": Verdict.PERMIT,
    "denied": Verdict.DENY,
    "verification_required": Verdict.VERIFY,
    "confirmation_required": Verdict.CONFIRM,
    "escalated": Verdict.ESCALATE,
}
STRICTNESS = {Verdict.PERMIT: 0, Verdict.VERIFY: 1, Verdict.CONFIRM: 1, Verdict.ESCALATE: 1, Verdict.DENY: 2}
"""What completes, what waits for something, what is refused. Which of several demands is named first is no step."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim of one tool. `call` breaks it, `other` is the second call of a claim about two."""

    claim: str
    tool: str
    result: Result
    call: Call | None = None
    judged: Judged | None = None
    other: Judged | None = None


def invariants(policy: Policy, tools: Sequence[ToolSurface]) -> Iterator[Proof]:
    """Every claim under `invariants:`, tool by tool."""
    for claim in policy.invariants:
        for tool in tools:
            if tool.name in claim.tools and tool.name in policy.by_tool and claim.when_outcome in VERDICTS:
                text = f"{claim.when_outcome} => {claim.then.text}"
                yield _invariant(policy, tool, VERDICTS[claim.when_outcome], claim.then.by_tool[tool.name], text)


def _invariant(policy: Policy, tool: ToolSurface, verdict: Verdict, then: Expr, text: str) -> Proof:
    ends = ends_of(policy, tool, fresh(), (then,))

    def breaks(judged: Judged) -> bool:
        try:
            return judged.decision.verdict is verdict and not holds(then, judged.facts)
        except FactError:
            return True

    return _search(ends, (ends.when[verdict], negated(ends.also[0])), text, breaks)


def verification(policy: Policy, tools: Sequence[ToolSurface]) -> Iterator[Proof]:
    """No call completes with less assurance than a rule that applies to it asks for."""
    for tool in _named(policy, tools):
        laid = policy.by_tool[tool.name]
        asked = [(r.requirement, r.when.by_tool[tool.name]) for i, r in enumerate(laid.rules) if i not in laid.watched]
        rules = [(demand, when) for demand, when in asked if isinstance(demand, Verify)]
        ends = ends_of(policy, tool, fresh(), [when for _, when in rules])
        level = ends.encoder.unknowns.facts.get("subject.assurance")
        if level is None:
            continue
        less = [
            all_of([t, compared("<", level.term, int(d.level))]) for (d, _), t in zip(rules, ends.also, strict=True)
        ]
        text = "completed => every proof of identity that is asked for was given"
        yield _search(ends, (ends.when[Verdict.PERMIT], any_of(less)), text, _completes)


def budgets(policy: Policy, tools: Sequence[ToolSurface]) -> Iterator[Proof]:
    """A call that completes without a person's approval leaves each of its budgets within its limit."""
    for tool in _named(policy, tools):
        for budget in policy.budgets_for(tool.name) if tool.effect == "write" else ():
            ends = ends_of(policy, tool, fresh())
            facts = ends.encoder.unknowns
            over: list[Truth] = []
            for name, limit in (("amount", budget.limit_amount), ("count", budget.limit_count)):
                fact = facts.facts[f"usage.{budget.id}.{name}"]
                over += [compared(">", fact.term, limit)] if limit is not None else []
            acts, granted = facts.flags["the call acts"].term, facts.flags["approval.granted"].term
            text = f"completed without approval => budget {budget.id} holds"
            breaks = (ends.when[Verdict.PERMIT], acts, negated(granted), any_of(over))
            yield _search(ends, breaks, text, _completes)


def _completes(judged: Judged) -> bool:
    return judged.decision.verdict is Verdict.PERMIT


def monotone(policy: Policy, tools: Sequence[ToolSurface]) -> Iterator[Proof]:
    """More money never makes an outcome less restrictive, nor does less assurance."""
    for tool in _named(policy, tools):
        if tool.effect == "write":
            yield _pair(policy, tool, ("impact", "amount"), ">", "more money is never less restricted")
        yield _pair(policy, tool, ("subject", "assurance"), "<", "less assurance is never less restricted")


def _pair(policy: Policy, tool: ToolSurface, path: tuple[str, str], op: Literal["<", ">"], text: str) -> Proof:
    """Two calls that differ in one fact, and in what follows from it."""
    base = fresh()
    one = ends_of(policy, tool, base)
    other = ends_of(policy, tool, Encoder(base.unknowns, "+", (path, ("risk",), ("usage",)), base))
    facts, name = base.unknowns.facts, ".".join(path)
    less, more = facts.get(name), facts.get(f"{name}+")
    if less is None or more is None:
        return Proof(text, tool.name, "proved")
    needs: list[Truth] = [*one.sound, *other.sound, compared(op, more.term, less.term)]
    grown = added(more.term, less.term, -1) if path == ("impact", "amount") else 0
    for budget in policy.budgets_for(tool.name):
        used, then = facts.get(f"usage.{budget.id}.amount"), facts.get(f"usage.{budget.id}.amount+")
        times, later = facts.get(f"usage.{budget.id}.count"), facts.get(f"usage.{budget.id}.count+")
        if used and then and times and later:
            acts = base.unknowns.flag(("the call acts",)).term
            same = compared("==", then.term, used.term)
            needs += [
                any_of(
                    [all_of([acts, compared("==", then.term, added(used.term, grown))]), all_of([negated(acts), same])]
                )
            ]
            needs += [compared("==", times.term, later.term)]
    softer = [
        all_of([one.when[strict], other.when[soft]])
        for strict in Verdict
        for soft in Verdict
        if STRICTNESS[soft] < STRICTNESS[strict]
    ]
    return _compared(needs, any_of(softer), one, other, text)


def _compared(needs: list[Truth], softer: Truth, one: Ends, other: Ends, text: str) -> Proof:
    search = Search()
    search.require(*needs)
    try:
        answer = search.find(softer)
    except Undecided:
        return Proof(text, one.surface.name, "unconfirmed")
    if answer is None:
        return Proof(text, one.surface.name, "proved")
    first, second = call_of(answer, one), call_of(answer, other)
    facts = {**first.facts, "impact": second.facts["impact"], "subject": second.facts["subject"]}
    before = judge(one.policy, first)
    after = judge(
        one.policy, Call(first.tool, facts, second.usage or first.usage, first.counts, facts["impact"]["amount"])
    )
    softened = STRICTNESS[after.decision.verdict] < STRICTNESS[before.decision.verdict]
    return Proof(text, one.surface.name, "refuted" if softened else "unconfirmed", first, before, after)


def _named(policy: Policy, tools: Sequence[ToolSurface]) -> list[ToolSurface]:
    return [tool for tool in tools if tool.name in policy.by_tool]


def _search(ends: Ends, breaks: tuple[Truth, ...], text: str, really: Callable[[Judged], bool]) -> Proof:
    search = Search()
    search.require(*ends.sound)
    try:
        answer = search.find(*breaks)
    except Undecided:
        return Proof(text, ends.surface.name, "unconfirmed")
    if answer is None:
        return Proof(text, ends.surface.name, "proved")
    call = call_of(answer, ends)
    judged = judge(ends.policy, call)
    return Proof(text, ends.surface.name, "refuted" if really(judged) else "unconfirmed", call, judged)
