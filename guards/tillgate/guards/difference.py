"""What a change of policy changes, not as text: for each outcome that turns into another, one call that shows it.

The rule it keeps: a call is told as found only after both policies, asked for real, answered so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tillgate.guards.encoding import Encoder
from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Verdict
from tillgate.guards.policy.expression import Path
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.validate import as_object
from tillgate.guards.solver import Answer, Search, Truth, compared
from tillgate.guards.verdicts import Ends, call_of, ends_of, fresh

_NARROWING = 40


@dataclass(frozen=True, slots=True)
class Flip:
    """One tool's calls that ended as `old` and end as `new`. `confirmed` where both policies really answer so."""

    tool: str
    old: Verdict
    new: Verdict
    call: Call
    before: Judged
    after: Judged

    @property
    def confirmed(self) -> bool:
        """Whether the call does what it is shown for."""
        return self.before.decision.verdict is self.old and self.after.decision.verdict is self.new


def difference(old: Policy, new: Policy, tools: Sequence[ToolSurface]) -> tuple[Flip, ...]:
    """One call for each turn from one outcome to another that exists. Raises Undecided."""
    return tuple(flip for tool in tools if _differs(old, new, tool.name) for flip in _of_tool(old, new, tool))


def _differs(old: Policy, new: Policy, tool: str) -> bool:
    """Whether the tool has other rules, factors, tiers or budgets; what says the same is not looked at."""
    return _said(old, tool) != _said(new, tool)


def _said(policy: Policy, tool: str) -> object:
    laid, factors = policy.by_tool.get(tool), policy.factors_by_tool.get(tool)
    rules = [(r.kind, r.mode, _demand(r.requirement), r.when.by_tool[tool]) for r in laid.rules] if laid else []
    points = [(each.contribution.points, each.when.by_tool[tool]) for each in factors.factors] if factors else []
    budgets = [(b.id, b.limit_amount, b.limit_count, _demand(b.exceeded)) for b in policy.budgets_for(tool)]
    return rules, points, policy.tiers, budgets


def _demand(demand: object) -> object:
    named = (getattr(demand, name, None) for name in ("level", "strength", "queue", "approvals"))
    return type(demand).__name__, *named


def _of_tool(old: Policy, new: Policy, tool: ToolSurface) -> list[Flip]:
    if tool.name not in old.by_tool and tool.name not in new.by_tool:
        return []
    base = fresh()
    ours = {budget.id for budget in old.budgets_for(tool.name)}
    own = [("usage", b.id) if b.id not in ours else ("usage", b.id, "left") for b in new.budgets_for(tool.name)]
    then, now = _ends(old, tool, base), _ends(new, tool, Encoder(base.unknowns, "'", (("risk",), *own), base))
    search = Search()
    search.require(*(then.sound if then else ()), *(now.sound if now else ()))
    found: list[Flip] = []
    for was in Verdict:
        for is_ in Verdict:
            if was is not is_:
                flip = _flip(search, (then, old), (now, new), was, is_)
                found += [flip] if flip else []
    return found


def _ends(policy: Policy, tool: ToolSurface, encoder: Encoder) -> Ends | None:
    return ends_of(policy, tool, encoder) if tool.name in policy.by_tool else None


def _flip(
    search: Search, then: tuple[Ends | None, Policy], now: tuple[Ends | None, Policy], was: Verdict, is_: Verdict
) -> Flip | None:
    wanted = (_when(then[0], was), _when(now[0], is_))
    answer = search.find(*wanted)
    if answer is None:
        return None
    answer = _least(search, wanted, answer, now[0] or then[0])
    call = _both(answer, then[0], now[0])
    return Flip(call.tool, was, is_, call, judge(then[1], call), judge(now[1], call))


def _when(ends: Ends | None, verdict: Verdict) -> Truth:
    """A tool that no rule names is denied."""
    return ends.when[verdict] if ends is not None else verdict is Verdict.DENY


def _least(search: Search, wanted: tuple[Truth, ...], answer: Answer, ends: Ends | None) -> Answer:
    """An answer with the least money: the threshold at which it turns, not some number above it."""
    fact = ends.encoder.unknowns.facts.get("impact.amount") if ends else None
    if fact is None:
        return answer
    high = answer.number(fact.term) or 0
    if high and (nothing := search.find(*wanted, compared("<=", fact.term, 0))) is not None:
        return nothing
    low = 1
    for _ in range(_NARROWING):
        if low >= high:
            break
        middle = (low + high) // 2
        other = search.find(*wanted, compared("<=", fact.term, middle))
        if other is None:
            low = middle + 1
        else:
            answer, high = other, other.number(fact.term) or 0
    return answer


def _both(answer: Answer, then: Ends | None, now: Ends | None) -> Call:
    """One call that has what either policy looks at."""
    calls = [call_of(answer, ends) for ends in (then, now) if ends is not None]
    if len(calls) == 1:
        return calls[0]
    first, second = calls
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
