"""The smallest change of facts that would make a call end otherwise.

The rule it keeps: a change is only told after the real decision, made again with it, came out as claimed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import CATALOGUE, FactType, Kind, ToolSurface
from tillgate.guards.model import Assurance, Confirm, Consent, Facts, Json, Verdict, Verify
from tillgate.guards.policy.expression import Compare, Const, Expr, Has, Load, OneOf, Path, parts
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.validate import as_object

MOST_TRIED = 120
"""Changes of one fact that are looked at; two together are tried of these."""

MOST_VALUES = 20
"""Values of a closed list that are looked at beside those a condition names: of countries there are hundreds."""

_FIXED = {"impact.kind", "order.customer_id", "subject.customer_id", "agent.id", "agent.channel"}
"""What the call is and whose it is: with another value it would be another call."""

_DERIVED = ("risk", "usage", "call", "approval")
GONE: Any = object()
"""The value of a fact that is taken away."""


@dataclass(frozen=True, slots=True)
class Change:
    """One fact with another value; `after` is GONE for a fact that is missing then, `before` for one that is now."""

    path: Path
    before: Json
    after: Json
    type: FactType

    @property
    def distance(self) -> int:
        """How far it is: the difference of numbers, steps between levels, two to forget a fact, else one."""
        if type(self.before) is int and type(self.after) is int:
            return abs(self.after - self.before)
        if self.type.kind is Kind.ORDERED and self.before in self.type.values:
            return abs(self.type.values.index(self.after) - self.type.values.index(self.before))
        return 2 if self.after is GONE else 1


@dataclass(frozen=True, slots=True)
class Nearest:
    """An outcome that the call could have had, and what would lead to it."""

    verdict: Verdict
    changes: tuple[Change, ...]


def nearest(policy: Policy, call: Call, judged: Judged, surface: ToolSurface) -> tuple[Nearest, ...]:
    """For each other outcome within two changes of facts, the one with the fewest changes and the least distance."""
    tries = _changes(policy, call, judged, surface)[:MOST_TRIED]
    found: dict[Verdict, Nearest] = {}
    for many in (1, 2):
        best: dict[Verdict, tuple[int, tuple[Change, ...]]] = {}
        for changes in combinations(tries, many):
            if len({change.path for change in changes}) < many:
                continue
            verdict = judge(policy, call, changed(call.facts, changes)).decision.verdict
            distance = sum(change.distance for change in changes)
            if verdict is judged.decision.verdict or verdict in found:
                continue
            if verdict not in best or distance < best[verdict][0]:
                best[verdict] = (distance, changes)
        found |= {verdict: Nearest(verdict, changes) for verdict, (_, changes) in best.items()}
    return tuple(found[verdict] for verdict in Verdict if verdict in found)


def changed(facts: Facts, changes: tuple[Change, ...]) -> dict[str, Json]:
    """The facts with these changes; the facts themselves stay as they are."""
    made: dict[str, Json] = dict(facts)
    for change in changes:
        group, *inner = change.path
        holder = made[group] = dict(made.get(group, {}))
        for name in inner[:-1]:
            holder[name] = dict(holder.get(name, {}))
            holder = holder[name]
        if change.after is GONE:
            holder.pop(inner[-1], None)
        else:
            holder[inner[-1]] = change.after
    return made


def _changes(policy: Policy, call: Call, judged: Judged, surface: ToolSurface) -> list[Change]:
    """Every value at which a condition or demand of this tool turns, nearest first."""
    found: dict[tuple[Path, str], Change] = {}
    for path, fact, value in _turns(policy, call, judged):
        name = ".".join(path)
        if name in _FIXED or path[0] in _DERIVED or path[-1] == "id" or len(path) < 2:
            continue
        before = _at(call.facts, path)
        if _same(before, value) or not _holder(call.facts, path) or (value is GONE and not fact.optional):
            continue
        found.setdefault((path, repr(value)), Change(path, before, value, fact))
    return sorted(found.values(), key=lambda change: (change.distance, change.path))


def _turns(policy: Policy, call: Call, judged: Judged) -> Iterator[tuple[Path, FactType, Json]]:
    laid, factors = policy.by_tool.get(call.tool), policy.factors_by_tool.get(call.tool)
    conditions = [rule.when.by_tool[call.tool] for rule in laid.rules] if laid else []
    conditions += [factor.when.by_tool[call.tool] for factor in factors.factors] if factors else []
    for condition in conditions:
        yield from _turning(condition)
    for demand in [rule.requirement for rule in laid.rules] if laid else []:
        match demand:
            case Verify(level=level):
                yield ("subject", "assurance"), _fact("subject", "assurance"), Assurance(level).name
            case Confirm(strength=strength):
                yield ("consent", "strength"), _fact("consent", "strength"), Consent(strength).name
            case _:
                pass
    for budget in judged.exceeded:
        if budget.limit_amount is not None:
            used = judged.facts["usage"][budget.id]["amount"] - judged.facts["impact"]["amount"]
            yield ("impact", "amount"), _fact("impact", "amount"), max(0, budget.limit_amount - used)


def _turning(expr: Expr) -> Iterator[tuple[Path, FactType, Json]]:
    match expr:
        case Compare(left=Load(bound=False) as load, right=Const(value=value)):
            yield from _around(load, value)
        case Compare(left=Const(value=value), right=Load(bound=False) as load):
            yield from _around(load, value)
        case OneOf(item=Load(bound=False) as load, items=items):
            for each in items[:20]:
                if isinstance(each, Const):
                    yield from _around(load, each.value)
        case Load(bound=False) if expr.type.kind is Kind.BOOL:
            yield expr.path, expr.type, True
            yield expr.path, expr.type, False
        case Has(bound=False, path=path):
            fact = _fact(*path) if len(path) == 2 and path[0] in CATALOGUE and path[0] != "args" else None
            if fact is not None:
                yield path, fact, GONE
        case _:
            pass
    for part in parts(expr):
        yield from _turning(part)


def _around(load: Load, value: int | str | bool) -> Iterator[tuple[Path, FactType, Json]]:
    fact = load.type
    if fact.kind is Kind.ORDERED:
        yield from ((load.path, fact, each) for each in fact.values)
    elif fact.kind is Kind.ENUM:
        yield from ((load.path, fact, each) for each in (str(value), *fact.values[:MOST_VALUES]))
    elif isinstance(value, bool):
        yield from ((load.path, fact, each) for each in (True, False))
    elif isinstance(value, int):
        low, high = fact.bounds
        yield from ((load.path, fact, each) for each in (value, value - 1, value + 1) if low <= each <= high)
    else:
        yield load.path, fact, value
        yield load.path, fact, f"other than {value}"


def _fact(group: str, name: str) -> FactType:
    return CATALOGUE[group].facts[name]


def _at(facts: Facts, path: Path) -> Json:
    here: Any = facts
    for name in path:
        inner = as_object(here)
        if inner is None or name not in inner:
            return GONE
        here = inner[name]
    return here


def _holder(facts: Facts, path: Path) -> bool:
    """Whether the group is there to hold the fact."""
    holder = as_object(_at(facts, path[:-1]))
    return holder is not None and holder.get("present", True) is True


def _same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and one == other
