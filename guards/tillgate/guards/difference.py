"""What a change of policy changes, not as text: for each outcome that turns into another, one call that shows it.

The rule it keeps: a call is told as found only after both policies, asked for real, answered so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tillgate.guards.decide import NO_PERMIT
from tillgate.guards.encoding import Encoder
from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Confirm, Decision, Requirement, Verdict, Verify
from tillgate.guards.policy.expression import Path
from tillgate.guards.policy.rules import bare
from tillgate.guards.policy.types import Budget, Policy
from tillgate.guards.policy.validate import as_object
from tillgate.guards.policy.wording import lasting
from tillgate.guards.solver import Search, Truth, all_of, any_of, negated
from tillgate.guards.verdicts import Ends, ends_of, fresh
from tillgate.guards.witness import amounts_of, call_of, plainer


@dataclass(frozen=True, slots=True)
class End:
    """How a call ends, and what it waits for first: a level, a strength, or a queue with approvals and hours; of a
    refusal, the code of the first reason.
    """

    verdict: Verdict
    asks: str = ""


_UNNAMED = End(Verdict.DENY, NO_PERMIT.code)
"""What nothing permits."""


@dataclass(frozen=True, slots=True)
class Flip:
    """One tool's calls that ended as `old` and end as `new`. `confirmed` where both policies really answer so."""

    tool: str
    old: End
    new: End
    call: Call
    before: Judged
    after: Judged

    @property
    def confirmed(self) -> bool:
        """Whether the call does what it is shown for."""
        return (ended(self.before.decision), ended(self.after.decision)) == (self.old, self.new)


Sides: TypeAlias = tuple[tuple[Policy, Ends | None], tuple[Policy, Ends | None]]
"""The old policy and the new one; no ends where no rule names the tool."""


def difference(old: Policy, new: Policy, tools: Sequence[ToolSurface]) -> tuple[Flip, ...]:
    """One call for each turn from one outcome to another that exists, and from one demand to another where the outcome
    stays the same. Raises Undecided.
    """
    encoder = fresh()
    changed = [tool for tool in tools if _differs(old, new, tool.name)]
    return tuple(flip for tool in changed for flip in sorted(_of_tool(old, new, tool, encoder), key=_loosest_first))


def _loosest_first(flip: Flip) -> tuple[int, int]:
    order = list(Verdict)
    return -order.index(flip.new.verdict), order.index(flip.old.verdict)


def ended(decision: Decision) -> End:
    """How a decision ends, with what it asks for first, or the first reason why not."""
    if decision.verdict is Verdict.DENY:
        return End(Verdict.DENY, decision.reasons[0].code)
    return End(decision.verdict, asks(decision.unmet[0]) if decision.unmet else "")


def asks(demand: Requirement) -> str:
    """What is asked, in a few words."""
    if isinstance(demand, Verify):
        return demand.level.name
    if isinstance(demand, Confirm):
        return f"the {demand.strength.name.lower()}'s yes"
    approvals = f"{demand.approvals} approvals" if demand.approvals > 1 else "1 approval"
    return f"{demand.queue}, {approvals} within {lasting(demand.expires_seconds)}"


def _differs(old: Policy, new: Policy, tool: str) -> bool:
    """Whether the tool has other rules, factors, tiers or budgets; what says the same is not looked at."""
    return _said(old, tool) != _said(new, tool)


def _said(policy: Policy, tool: str) -> object:
    laid, factors = policy.by_tool.get(tool), policy.factors_by_tool.get(tool)
    rules = (
        [(r.kind, r.mode, bare(r.requirement), r.reason.code, r.when.by_tool[tool]) for r in laid.rules] if laid else []
    )
    points = [(each.contribution.points, each.when.by_tool[tool]) for each in factors.factors] if factors else []
    budgets = [(b.id, b.limit_amount, b.limit_count, bare(_demand(b))) for b in policy.budgets_for(tool)]
    return rules, points, policy.tiers, budgets, policy.mode


def _demand(budget: Budget) -> Requirement | None:
    return None if budget.exceeded == "deny" else budget.exceeded


def _of_tool(old: Policy, new: Policy, tool: ToolSurface, base: Encoder) -> Iterator[Flip]:
    if tool.name not in old.by_tool and tool.name not in new.by_tool:
        return
    ours = {budget.id for budget in old.budgets_for(tool.name)}
    own = [("usage", b.id) if b.id not in ours else ("usage", b.id, "left") for b in new.budgets_for(tool.name)]
    now = Encoder(base.unknowns, f"'{tool.name}", (("risk",), *own), base)
    sides = (old, _ends(old, tool, base)), (new, _ends(new, tool, now))
    search = Search()
    for _, ends in sides:
        search.require(*(ends.sound if ends else ()))
    before, after = (_labelled(ends) for _, ends in sides)
    amounts = {*amounts_of(old, tool.name), *amounts_of(new, tool.name)}
    search.require(any_of(all_of([term, negated(after.get(end, False))]) for end, term in before.items()))
    found: set[tuple[End, End]] = set()
    while (answer := search.find()) is not None:
        call = _both(answer, sides)
        turn = _really(sides, call)
        if turn in found or turn[0] == turn[1] or turn[0] not in before or turn[1] not in after:
            # What the answer leaves open was filled in otherwise than the solver takes it, or is not told exactly.
            was, is_ = (next(end for end, term in ends.items() if answer.holds(term)) for ends in (before, after))
            turn = was, is_
        found.add(turn)
        yield _flip(sides, tool, call, turn, amounts)
        search.require(negated(_alike(*turn, before, after)))


def _ends(policy: Policy, tool: ToolSurface, encoder: Encoder) -> Ends | None:
    return ends_of(policy, tool, encoder) if tool.name in policy.by_tool else None


def _labelled(ends: Ends | None) -> dict[End, Truth]:
    """When calls end how, and of those that wait, for what; a tool that no rule names is denied."""
    if ends is None:
        return {_UNNAMED: True}
    found: dict[End, Truth] = {End(Verdict.PERMIT): ends.when[Verdict.PERMIT]}
    refusals = [(End(Verdict.DENY, reason.code), term) for reason, term in ends.refusals]
    demands = [(End(verdict_of(demand), asks(demand)), term) for demand, term in ends.open]
    for possible, listed in ((negated(ends.allowed), [*refusals, (_UNNAMED, True)]), (ends.allowed, demands)):
        before: list[Truth] = []
        for end, term in listed:
            first = all_of([possible, term, negated(any_of(before))])
            found[end] = any_of([found.get(end, False), first])
            before.append(term)
    return found


def verdict_of(demand: Requirement) -> Verdict:
    """The verdict of a call that waits for this first."""
    if isinstance(demand, Verify):
        return Verdict.VERIFY
    return Verdict.CONFIRM if isinstance(demand, Confirm) else Verdict.ESCALATE


def _alike(was: End, is_: End, before: Mapping[End, Truth], after: Mapping[End, Truth]) -> Truth:
    """The calls that turn as these do: from one outcome to another, whatever is asked; else from demand to demand. That
    a refusal has another reason is shown once.
    """
    if was.verdict is is_.verdict and was.verdict is not Verdict.DENY:
        return all_of([before[was], after[is_]])
    sides = ((was, before), (is_, after))
    return all_of([any_of(term for each, term in ends.items() if each.verdict is end.verdict) for end, ends in sides])


def _flip(sides: Sides, tool: ToolSurface, call: Call, turn: tuple[End, End], amounts: set[int]) -> Flip:
    (old, _), (new, _) = sides

    def shows(each: Call) -> bool:
        return _really(sides, each) == turn

    if shows(call):
        call = plainer(tool, call, shows, amounts)
    return Flip(tool.name, *turn, call, judge(old, call), judge(new, call))


def _really(sides: Sides, call: Call) -> tuple[End, End]:
    """How both policies answer a call."""
    (old, _), (new, _) = sides
    return ended(judge(old, call).decision), ended(judge(new, call).decision)


def _both(answer: Any, sides: Sides) -> Call:
    """One call that has what either policy looks at."""
    calls = [call_of(answer, ends) for _, ends in sides if ends is not None]
    if len(calls) == 1:
        return calls[0]
    first, second = calls
    then = sides[0][1]
    facts = {name: _over(first.facts.get(name), group, _read(then, name)) for name, group in second.facts.items()}
    usage: dict[str, Mapping[str, Any]] = {**second.usage, **first.usage}
    return Call(first.tool, facts, usage, first.counts or second.counts, facts["impact"]["amount"], ())


def _read(ends: Ends | None, group: str) -> set[str]:
    """The facts of a group that a policy looks at, or asks the presence of."""
    paths: list[Path] = [getattr(unknown, "path", ()) for unknown in ends.used] if ends else []
    read = {path[1] for path in paths if len(path) > 1 and path[0] == group}
    return read | ({"present"} if (group,) in paths else set[str]())


def _over(first: Any, second: Any, read: set[str]) -> Any:
    """The second policy's view of a group, with what the first one looks at as it saw it."""
    here, there = as_object(first), as_object(second)
    if here is None or there is None:
        return second
    if "present" in read and here.get("present") != there.get("present"):
        return here
    made = {name: value for name, value in there.items() if name not in read}
    return {**made, **{name: value for name, value in here.items() if name in read or name not in there}}
