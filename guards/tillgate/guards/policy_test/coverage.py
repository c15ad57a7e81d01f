"""What the tests of a policy never saw: rules that never fired, and operands of conditions that were only ever one way.

The rule it keeps: an operand counts as seen only when the decision needed it; what `&&` and `||` pass over was not
tested, and what a guard proves cannot be otherwise is not asked for.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from tillgate.guards.model import Facts
from tillgate.guards.policy.expression import And, Choose, Const, Expr, Not, Or, Quantify
from tillgate.guards.policy.interpret import Bound, evaluate
from tillgate.guards.policy.types import Condition, Policy
from tillgate.guards.policy.where import Places, Spot, Way
from tillgate.guards.policy_test.run import Result

Kind: TypeAlias = Literal["rule", "factor", "budget"]
_NEVER: Mapping[Kind, str] = {"rule": "fired", "factor": "applied", "budget": "exceeded"}
_NOTHING: Bound = {}


class Owner(NamedTuple):
    """A rule, risk factor or budget."""

    kind: Kind
    id: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something no test showed: the owner itself, or the operand `spot` being `value`."""

    owner: Owner
    spot: Spot
    value: bool | None = None

    def __str__(self) -> str:
        """Place and sentence."""
        head = f"{self.spot.place}  {self.owner.kind} {self.owner.id}"
        if self.value is None:
            return f"{head} never {_NEVER[self.owner.kind]}"
        return f"{head}: `{self.spot.words}` was never {'true' if self.value else 'false'}"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the tests of one policy reached: in how many cases each part counted, and how many branches were taken.

    A branch is one operand being true, or being false.
    """

    policy: Policy
    reached: Mapping[Owner, int]
    branches: int
    unseen: tuple[Unseen, ...]

    @property
    def branches_seen(self) -> int:
        """How many branches some test took."""
        return self.branches - sum(each.value is not None for each in self.unseen)

    @property
    def percent(self) -> float:
        """Percent of the rules that fired in a test; a policy without rules is covered."""
        reached, known = self.of("rule")
        return 100 * reached / known if known else 100.0

    def of(self, kind: Kind) -> tuple[int, int]:
        """How many parts of a kind were reached, of how many."""
        counts = [count for owner, count in self.reached.items() if owner.kind == kind]
        return sum(map(bool, counts)), len(counts)


def coverage(policy: Policy, text: str, results: Iterable[Result]) -> Coverage:
    """What the cases of one policy reached; `text` is what it was loaded from."""
    watch, hits = _Watch(), Counter[Owner]()
    for result in results:
        hits.update(_counted(result))
        for owner, condition in _conditions_of(policy, result.case.tool):
            watch.holds(owner, condition.by_tool[result.case.tool], result.facts)
    places = Places(policy, text)
    owners = [*dict(_conditions(policy)), *(Owner("budget", budget.id) for budget in policy.budgets)]
    unseen = [Unseen(owner, places.owner(*owner)) for owner in owners if not hits[owner]]
    branches = [
        (Unseen(owner, places.operand(*owner, condition, way), value), value in watch.seen.get((owner, way), ()))
        for owner, condition in _conditions(policy)
        for way in _ways(condition)
        for value in (True, False)
    ]
    unseen += [branch for branch, seen in branches if not seen]
    unseen.sort(key=lambda each: (each.spot.source, each.spot.line, each.spot.column))
    return Coverage(policy, {owner: hits[owner] for owner in owners}, len(branches), tuple(unseen))


def _counted(result: Result) -> Iterator[Owner]:
    """What counted in a case, each once."""
    yield from (Owner("rule", name) for name in result.fired)
    yield from (Owner("factor", each.factor) for each in result.risk.contributions)
    yield from (Owner("budget", budget.id) for budget in result.exceeded)


def _conditions(policy: Policy) -> Iterator[tuple[Owner, Condition]]:
    yield from ((Owner("rule", rule.id), rule.when) for rule in policy.rules)
    yield from ((Owner("factor", factor.id), factor.when) for factor in policy.factors)


def _conditions_of(policy: Policy, tool: str) -> Iterator[tuple[Owner, Condition]]:
    if tool in policy.by_tool:
        yield from ((Owner("rule", rule.id), rule.when) for rule in policy.by_tool[tool].rules)
    if tool in policy.factors_by_tool:
        yield from ((Owner("factor", each.id), each.when) for each in policy.factors_by_tool[tool].factors)


@dataclass(slots=True)
class _Watch:
    """Evaluates conditions as the decision does, and notes which way each operand went."""

    seen: dict[tuple[Owner, Way], set[bool]] = field(default_factory=dict[tuple[Owner, Way], set[bool]])

    def holds(self, owner: Owner, expr: Expr, facts: Facts, way: Way = (), bound: Bound = _NOTHING) -> bool:
        """Whether a condition holds, its operands noted."""
        match expr:
            case And(items=items):
                return all(self.holds(owner, item, facts, (*way, at), bound) for at, item in enumerate(items))
            case Or(items=items):
                return any(self.holds(owner, item, facts, (*way, at), bound) for at, item in enumerate(items))
            case Not(item=item) if _is_whole(item):
                return not self.holds(owner, item, facts, (*way, 0), bound)
            case Choose(test=test, then=then, other=other):
                chosen = self.holds(owner, test, facts, (*way, 0), bound)
                return self.holds(owner, then if chosen else other, facts, (*way, 1 if chosen else 2), bound)
            case Quantify(over=over, body=body, variable=variable) if _is_whole(body):
                for item in evaluate(over, facts, bound):
                    self.holds(owner, body, facts, (*way, 0), {**bound, variable: item})
            case _:
                pass
        value = evaluate(expr, facts, bound) is True
        if not _is_fixed(expr):
            self.seen.setdefault((owner, way), set()).add(value)
        return value


def _is_whole(expr: Expr) -> bool:
    """Whether a part is made of operands, and not one itself."""
    return isinstance(expr, And | Or | Choose) or (isinstance(expr, Not) and _is_whole(expr.item))


def _is_fixed(expr: Expr) -> bool:
    """Whether an operand cannot come out otherwise, such as the `present` of a group the tool always has."""
    return isinstance(expr, Const) or (isinstance(expr, Not) and _is_fixed(expr.item))


def _ways(condition: Condition) -> list[Way]:
    """The operands that can come out both ways for some tool; tools differ in what they always have."""
    checked = {id(expr): expr for expr in condition.by_tool.values()}
    return list(dict.fromkeys(way for expr in checked.values() for way in _operands(expr)))


def _operands(expr: Expr, way: Way = ()) -> Iterator[Way]:
    inner: tuple[Expr, ...] = ()
    match expr:
        case And(items=items) | Or(items=items):
            inner = items
        case Choose(test=test, then=then, other=other):
            inner = (test, then, other)
        case Not(item=item) if _is_whole(item):
            inner = (item,)
        case Quantify(body=body) if _is_whole(body):
            yield way
            inner = (body,)
        case _:
            if not _is_fixed(expr):
                yield way
    for at, part in enumerate(inner):
        yield from _operands(part, (*way, at))
