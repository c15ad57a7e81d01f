"""Neighbouring thresholds that do not meet: a hole where no rule applies, or an overlap where two do.

The rule it keeps: only rules that ask the same of everything else are neighbours, and a hole or an overlap is told only
where one of them ends and the other begins.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

from tillgate.guards.facts import Kind
from tillgate.guards.money import Currency
from tillgate.guards.policy.expression import Expr
from tillgate.guards.policy.operators import name_of
from tillgate.guards.policy.regions import Left, Range
from tillgate.guards.policy.rules import bare
from tillgate.guards.policy.types import Rule
from tillgate.guards.policy_lint.seeing import Regions, Sight, Value


@dataclass(frozen=True, slots=True)
class Band:
    """The values of one number a rule names, with all else it asks for."""

    rule: Rule
    key: Value
    left: Range
    rest: frozenset[tuple[Value, Left]]

    @property
    def begins(self) -> bool:
        """Whether there are values below it."""
        return self.left.low > self.key.expr.type.bounds[0]

    @property
    def ends(self) -> bool:
        """Whether there are values above it."""
        return self.left.high < self.key.expr.type.bounds[1]


@dataclass(frozen=True, slots=True)
class Unmet:
    """Two rules between whose thresholds is a hole or an overlap, from `low` to `high`."""

    tool: str
    kind: Literal["hole", "overlap"]
    lower: Rule
    upper: Rule
    key: Expr
    low: int
    high: int

    def words(self, money: Currency) -> str:
        """The values in words."""
        low, high = (money.format(n) if self.key.type.kind is Kind.MONEY else str(n) for n in (self.low, self.high))
        return f"{name_of(self.key)} is {low if self.low == self.high else f'from {low} to {high}'}"


def thresholds(sight: Sight) -> Iterator[Unmet]:
    """Thresholds of one tool that do not meet."""
    bands = [band for seen in sight.rules if seen.rule.mode == "enforce" for band in _bands(seen.rule, seen.written)]
    alike: dict[object, list[Band]] = {}
    for band in bands:
        alike.setdefault((band.key, band.rest), []).append(band)
    for group in alike.values():
        kinds: dict[str, list[Band]] = {}
        for band in sorted(group, key=lambda band: (band.left.low, band.left.high)):
            kinds.setdefault(band.rule.kind, []).append(band)
        for same in kinds.values():
            yield from (found for pair in pairwise(same) for found in _neighbours(sight.tool.name, *pair))
        demands = [band for kind, each in kinds.items() if kind != "permit" for band in each]
        yield from _unasked(sight.tool.name, demands)
    yield from _refused(sight.tool.name, bands)


def _bands(rule: Rule, written: Regions | None) -> Iterator[Band]:
    if written is None or len(written) != 1:
        return
    [region] = written
    for key, left in region.items():
        if isinstance(left, Range) and key.expr.type.kind is not Kind.ORDERED and left.low < left.high:
            yield Band(rule, key, left, frozenset((k, rest) for k, rest in region.items() if k is not key))


def _neighbours(tool: str, below: Band, above: Band) -> Iterator[Unmet]:
    """Two of one kind. What is done alike at both ends of a scale leaves the middle out on purpose."""
    if not below.ends or not above.begins or below.rule is above.rule:
        return
    ends_alike = not below.begins and not above.ends and bare(below.rule.requirement) == bare(above.rule.requirement)
    if below.left.high + 1 < above.left.low and not ends_alike:
        yield _hole(tool, below, above)
    elif below.left.high >= above.left.low and below.left.high < above.left.high:
        yield _overlap(tool, below, above)


def _unasked(tool: str, demands: Sequence[Band]) -> Iterator[Unmet]:
    """A band of demands that ends where nothing is asked, before something else is asked again."""
    for below, above in pairwise(sorted(demands, key=lambda band: band.left.low)):
        if below.rule.kind == above.rule.kind or not below.ends:
            continue
        meant = below.begins or below.key.path == ("impact", "amount")
        covered = any(band.left.low <= below.left.high + 1 <= band.left.high for band in demands)
        if meant and not covered and below.left.high + 1 < above.left.low:
            yield _hole(tool, below, above)
        elif below.left.high == above.left.low:
            yield _overlap(tool, below, above)


def _refused(tool: str, bands: Sequence[Band]) -> Iterator[Unmet]:
    """A permit and a denial that face each other: one up to a threshold, the other from one on."""
    permits = [band for band in bands if band.rule.kind == "permit"]
    denials = [band for band in bands if band.rule.kind == "deny"]
    for permit, denial in product(permits, denials):
        if permit.key != denial.key or not denial.rest <= permit.rest:
            continue
        for below, above in ((permit, denial), (denial, permit)):
            outer = above if above is denial else below
            if not below.ends or not above.begins or (outer.begins and outer.ends):
                continue
            if below.left.high >= above.left.low and below.left.low < above.left.low:
                yield _overlap(tool, below, above)
            elif below.left.high + 1 < above.left.low and denial.rest == permit.rest:
                yield _hole(tool, below, above)


def _hole(tool: str, below: Band, above: Band) -> Unmet:
    return Unmet(tool, "hole", below.rule, above.rule, above.key.expr, below.left.high + 1, above.left.low - 1)


def _overlap(tool: str, below: Band, above: Band) -> Unmet:
    high = min(below.left.high, above.left.high)
    return Unmet(tool, "overlap", below.rule, above.rule, above.key.expr, above.left.low, high)
