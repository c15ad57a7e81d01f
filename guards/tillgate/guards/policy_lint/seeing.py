"""The rules of a policy as each tool sees them: where they hold and where they do not, as far as any call can go.

The rule it keeps: what is taken as known holds of every call of the tool, whoever makes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tillgate.guards.facts import BOUND, CATALOGUE, ToolSurface
from tillgate.guards.model import Confirm, Requirement, Tier, Verify
from tillgate.guards.policy.expression import Expr, Load, Path, Span
from tillgate.guards.policy.regions import Among, Left, Range, meet, regions
from tillgate.guards.policy.types import Policy, RiskFactor, Rule


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One value that conditions speak of; the same one for all of them, so that it is compared by being itself."""

    expr: Expr

    @property
    def path(self) -> Path | None:
        """The path of a fact; None for what is worked out from facts."""
        return self.expr.path if isinstance(self.expr, Load) and not self.expr.bound else None


Region: TypeAlias = Mapping[Value, Left]
Regions: TypeAlias = tuple[Region, ...]
Known: TypeAlias = Mapping[Path | None, Left]
"""What a fact can be at most, by its path."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule as one tool sees it: where it applies (`written`, and `here` within what is known) and where it does not.

    `unmet` is where what it demands is not there yet. None stands for too much to look at.
    """

    rule: Rule
    written: Regions | None
    here: Regions | None
    outside: Regions | None
    unmet: Region


@dataclass(frozen=True, slots=True)
class Sight:
    """One tool, what is known of its calls, its rules, and the risk factors that can apply to it."""

    tool: ToolSurface
    known: Known
    rules: tuple[Seen, ...]
    factors: frozenset[str]
    most: int

    def counting(self, kind: str) -> Iterator[Seen]:
        """The rules of a kind that change answers."""
        return (seen for seen in self.rules if seen.rule.kind == kind and seen.rule.mode == "enforce")


def sights(policy: Policy, tools: Sequence[ToolSurface]) -> tuple[Sight, ...]:
    """Every tool a rule names, as it sees the policy."""
    looking = _Looking(policy)
    return tuple(looking.at(tool) for tool in tools if tool.name in policy.by_tool)


def where(policy: Policy, found: Sequence[Sight]) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The tools each rule and each factor can apply to, by `rules` and `factors` and then by id."""
    rules: dict[str, tuple[str, ...]] = {rule.id: () for rule in policy.rules}
    factors: dict[str, tuple[str, ...]] = {factor.id: () for factor in policy.factors}
    for sight in found:
        for seen in sight.rules:
            rules[seen.rule.id] += (sight.tool.name,) if seen.here != () else ()
        for factor in sight.factors:
            factors[factor] += (sight.tool.name,)
    return {"rules": rules, "factors": factors}


@dataclass(slots=True)
class _Looking:
    """Tools of one kind share the checked condition, so each is taken apart once."""

    policy: Policy
    _values: dict[Expr, Value] = field(default_factory=dict[Expr, Value])
    _apart: dict[int, tuple[Expr, Regions | None, Regions | None]] = field(
        default_factory=dict[int, tuple[Expr, Regions | None, Regions | None]]
    )

    def at(self, tool: ToolSurface) -> Sight:
        known = _own(tool)
        laid = self.policy.factors_by_tool.get(tool.name)
        factors = [each for each in laid.factors if self._applies(each, tool, known)] if laid else []
        most = sum(each.contribution.points for each in factors)
        known = {**known, **_risk(self.policy, most)}
        rules = tuple(self._see(rule, tool, known) for rule in self.policy.by_tool[tool.name].rules)
        return Sight(tool, known, rules, frozenset(each.id for each in factors), most)

    def _applies(self, factor: RiskFactor, tool: ToolSurface, known: Known) -> bool:
        here, _ = self._regions(factor.when.by_tool[tool.name])
        return here is None or within(here, known) != ()

    def _see(self, rule: Rule, tool: ToolSurface, known: Known) -> Seen:
        written, outside = self._regions(rule.when.by_tool[tool.name])
        unmet = self._unmet(rule.requirement) if rule.requirement else dict[Value, Left]()
        return Seen(rule, written, within(written, known), within(outside, known), unmet)

    def _regions(self, when: Expr) -> tuple[Regions | None, Regions | None]:
        if id(when) not in self._apart:
            self._apart[id(when)] = when, self._named(regions(when)), self._named(regions(when, holds=False))
        return self._apart[id(when)][1:]

    def _named(self, found: Sequence[Mapping[Expr, Left]] | None) -> Regions | None:
        if found is None:
            return None
        return tuple({self._value(expr): left for expr, left in region.items()} for region in found)

    def _value(self, expr: Expr) -> Value:
        if expr not in self._values:
            self._values[expr] = Value(expr)
        return self._values[expr]

    def _unmet(self, demand: Requirement) -> Region:
        """Where a demand is not met yet."""
        if isinstance(demand, Verify):
            return {self._fact("subject", "assurance"): Range(0, demand.level - 1)}
        if isinstance(demand, Confirm):
            return {self._fact("consent", "strength"): Range(0, demand.strength - 1)}
        return {self._fact("approval", "count"): Range(0, max(1, demand.approvals) - 1)}

    def _fact(self, group: str, name: str) -> Value:
        return self._value(Load((group, name), CATALOGUE[group].facts[name], False, Span(0, 0)))


def within(found: Regions | None, known: Known) -> Regions | None:
    """What is left of regions by what is known of the facts they speak of."""
    if found is None or not any(key.path in known for region in found for key in region):
        return found
    narrowed = (meet(region, {key: known[key.path] for key in region if key.path in known}) for region in found)
    return tuple(region for region in narrowed if region is not None)


def _own(tool: ToolSurface) -> dict[Path | None, Left]:
    """What a tool says of itself. Money never comes in, and what only reads moves none."""
    read = tool.effect == "read"
    known: dict[Path | None, Left] = {
        ("call", "tool"): Among(frozenset({tool.name})),
        ("call", "effect"): Among(frozenset({tool.effect})),
        ("call", "intent"): Among(frozenset({tool.intent})),
        ("impact", "amount"): Range(0, 0 if read else BOUND),
    }
    return known | ({("impact", "kind"): Among(frozenset({"none"}))} if read else {})


def _risk(policy: Policy, most: int) -> Known:
    """The scores that factors can add up to, at most, and their tiers."""
    top = policy.tiers.of(most) if policy.tiers else Tier.LOW
    return {("risk", "score"): Range(0, most), ("risk", "tier"): Range(0, top)}
