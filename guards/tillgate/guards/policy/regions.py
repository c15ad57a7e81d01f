"""The facts under which a condition holds, as a union of regions: for each value it looks at, which values are left.

The rule it keeps: a region is dropped only when no facts lie in it. Two facts compared are one value, their difference.
What is not understood (tests of text, quantifiers) is a value of its own that is true or false. So "no facts" and "all
of those" are certain, and everything else is only possible.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, TypeVar

from msgspec import Struct

from tillgate.guards.facts import Kind
from tillgate.guards.policy.expression import (
    And,
    Choose,
    Compare,
    Comparison,
    Const,
    Expr,
    Not,
    OneOf,
    Or,
    spelled,
)
from tillgate.guards.policy.operators import NUMERIC
from tillgate.guards.policy.sums import Asked, asked

MOST_REGIONS = 128
"""Regions of one condition that are still looked at one by one."""

MOST_STEPS = 1_000
"""Steps in the search for something that lies in several unions."""


class Range(Struct, frozen=True):
    """Whole numbers from `low` to `high`, both included; empty when `low` is above `high`."""

    low: int
    high: int

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return self.low > self.high

    def both(self, other: "Left") -> "Left":
        """What is in both; a range meets ranges only."""
        return Range(max(self.low, other.low), min(self.high, other.high)) if isinstance(other, Range) else self

    def holds(self, other: "Left") -> bool:
        """Whether all of the other is in this."""
        return isinstance(other, Range) and self.low <= other.low and other.high <= self.high


class Among(Struct, frozen=True):
    """One of these values, or, where `not_`, any value but these; `all_of` are the values there can be, when closed."""

    values: frozenset[int | str | bool]
    not_: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is left."""
        return not self.not_ and not self.values

    def both(self, other: "Left") -> "Left":
        """What is in both."""
        if not isinstance(other, Among):
            return other
        if self.not_ and other.not_:
            return Among(self.values | other.values, not_=True)
        if self.not_:
            return Among(other.values - self.values)
        return Among(self.values - other.values if other.not_ else self.values & other.values)

    def holds(self, other: "Left") -> bool:
        """Whether all of the other is in this."""
        return isinstance(other, Among) and other.both(Among(self.values, not_=not self.not_)).empty


Left: TypeAlias = Range | Among
Region: TypeAlias = Mapping[Expr, Left]
"""What is left of each value, by the expression that gives it; a value that is not mentioned is free."""

Key = TypeVar("Key", bound=Hashable)

_TRUE, _FALSE = Among(frozenset({True})), Among(frozenset({False}))
_TURNED: Mapping[Comparison, Comparison] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def regions(expr: Expr, *, holds: bool = True) -> tuple[Region, ...] | None:
    """Where the condition holds, or does not; empty when nowhere, None when there are too many to look at."""
    try:
        return tuple(_regions(expr, holds))
    except _TooMany:
        return None


def meet(one: Mapping[Key, Left], other: Mapping[Key, Left]) -> Mapping[Key, Left] | None:
    """What lies in both, or None when nothing does. Keys may be anything that is the same for the same value."""
    both = dict(one)
    for key, left in other.items():
        here = both.get(key)
        both[key] = meeting = left if here is None else here.both(left)
        if meeting.empty:
            return None
    return both


def meets(unions: Iterable[Sequence[Mapping[Key, Left]] | None]) -> bool | None:
    """Whether something lies in all of these unions; None where that is too much to look at.

    A union that is None may hold anything: it takes nothing away. The first way through all of them is enough, so it
    is looked for depth first, the unions of few regions before those of many.
    """
    known = sorted((union for union in unions if union is not None), key=len)
    open_: list[tuple[Mapping[Key, Left], int, int]] = [({}, 0, 0)]
    steps = MOST_STEPS
    while open_:
        left, at, first = open_.pop()
        while at < len(known):
            found = _first(left, known[at], first)
            if found is None:
                break
            both, after = found
            if both is not left and after < len(known[at]):
                open_.append((left, at, after))
            left, at, first, steps = both, at + 1, 0, steps - 1
        else:
            return True
        if steps < 0:
            return None
    return False


def _first(
    left: Mapping[Key, Left], union: Sequence[Mapping[Key, Left]], at: int
) -> tuple[Mapping[Key, Left], int] | None:
    """What is left in the first region from `at` on that leaves anything, and where to look on."""
    for after, region in enumerate(union[at:], at + 1):
        both = _narrowed(left, region)
        if both is not None:
            return both, after
    return None


def _narrowed(one: Mapping[Key, Left], other: Mapping[Key, Left]) -> Mapping[Key, Left] | None:
    """What lies in both; the first itself where the second takes nothing away."""
    for key, left in other.items():
        here = one.get(key)
        if here is None or not left.holds(here):
            return meet(one, other)
    return one


class _TooMany(Exception):
    """The condition falls apart into more regions than are worth looking at."""


def _regions(expr: Expr, holds: bool) -> list[Region]:
    match expr:
        case Const(value=value):
            return [{}] if value is holds else []
        case Not(item=item):
            return _regions(item, not holds)
        case And(items=items) if holds:
            return _all_of(items, holds)
        case Or(items=items) if not holds:
            return _all_of(items, holds)
        case And(items=items) | Or(items=items):
            return _bounded(region for item in items for region in _regions(item, holds))
        case Choose(test=test, then=then, other=other):
            first = _meets(_regions(test, True), _regions(then, holds))
            return _bounded([*first, *_meets(_regions(test, False), _regions(other, holds))])
        case Compare(op=op):
            return list(_compared(expr, op if holds else _TURNED[op]))
        case OneOf(item=item, items=items) if all(isinstance(each, Const) for each in items):
            values = [each.value for each in items if isinstance(each, Const)]
            return list(_listed(item, frozenset(values), holds))
        case _:
            return [{expr: _TRUE if holds else _FALSE}]


def _all_of(items: tuple[Expr, ...], holds: bool) -> list[Region]:
    found: list[Region] = [{}]
    for item in items:
        found = _meets(found, _regions(item, holds))
    return found


def _meets(ones: Sequence[Mapping[Key, Left]], others: Sequence[Mapping[Key, Left]]) -> list[Mapping[Key, Left]]:
    met = (meet(one, other) for one in ones for other in others)
    return _bounded(region for region in met if region is not None)


def _bounded(found: Iterable[Mapping[Key, Left]]) -> list[Mapping[Key, Left]]:
    kept: list[Mapping[Key, Left]] = []
    for region in found:
        kept.append(region)
        if len(kept) > MOST_REGIONS:
            raise _TooMany
    return kept


def _compared(expr: Compare, op: Comparison) -> Iterator[Region]:
    left, right = expr.left, expr.right
    if left.type.kind in NUMERIC:
        yield from _measured(asked(expr, op))
    elif isinstance(left, Const) != isinstance(right, Const):
        fact, text = (right, left) if isinstance(left, Const) else (left, right)
        value = text.value if isinstance(text, Const) else ""
        yield from _listed(fact, frozenset({value}), op == "==")
    else:
        # Two facts: whether they are equal is the value, whichever stands first.
        one, other = sorted((left, right), key=spelled)
        yield {Compare("==", one, other, expr.span): _TRUE if op == "==" else _FALSE}


def _measured(found: Asked) -> Iterator[Region]:
    if found.key is None:
        yield from [{}] if found.holds else []
        return
    for part in _ranges(found.op, found.value, *found.key.type.bounds):
        if not part.empty:
            yield {found.key: part}


def _ranges(op: Comparison, value: int, low: int, high: int) -> tuple[Range, ...]:
    match op:
        case "==":
            return (Range(max(low, value), min(high, value)),)
        case "!=":
            return Range(low, min(high, value - 1)), Range(max(low, value + 1), high)
        case "<":
            return (Range(low, min(high, value - 1)),)
        case "<=":
            return (Range(low, min(high, value)),)
        case ">":
            return (Range(max(low, value + 1), high),)
        case ">=":
            return (Range(max(low, value), high),)


def _listed(item: Expr, values: frozenset[int | str | bool], holds: bool) -> Iterator[Region]:
    if item.type.kind in NUMERIC:
        numbers = sorted(int(value) for value in values)
        low, high = item.type.bounds
        if holds:
            yield from ({item: Range(number, number)} for number in numbers if low <= number <= high)
            return
        for number in numbers:
            if low < number:
                yield {item: Range(low, number - 1)}
            low = max(low, number + 1)
        if low <= high:
            yield {item: Range(low, high)}
        return
    closed = _closed(item)
    left = Among(values, not_=not holds) if closed is None else Among(values & closed if holds else closed - values)
    if not left.empty:
        yield {item: left}


def _closed(item: Expr) -> frozenset[int | str | bool] | None:
    """The values there can be, where they are few and known."""
    if item.type.kind is Kind.BOOL:
        return frozenset({True, False})
    return frozenset(item.type.values) if item.type.kind is Kind.ENUM else None
