"""What is sound and yet surely not meant: rules that never apply, never matter or say what another says already, tools
nothing permits, and neighbouring thresholds with a hole or an overlap between them.

The rule it keeps: a warning is certain. What `regions` cannot decide is not warned of.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tillgate.guards.facts import Kind
from tillgate.guards.model import Confirm, Escalate, Requirement, Verify
from tillgate.guards.money import currency
from tillgate.guards.policy.diagnostics import Diagnostic, in_order
from tillgate.guards.policy.expression import Const, Expr
from tillgate.guards.policy.files import unpacked
from tillgate.guards.policy.operators import name_of
from tillgate.guards.policy.regions import Range, Region, meet, regions
from tillgate.guards.policy.types import Policy, Rule

_MOST_TOOLS = 6


@dataclass(frozen=True, slots=True)
class _Seen:
    """A rule as one tool sees it: where it applies and where it does not, None where that is too much to look at."""

    rule: Rule
    here: tuple[Region, ...] | None
    outside: tuple[Region, ...] | None
    needs: frozenset[Expr]

    def inside(self, other: "_Seen") -> bool:
        """Whether the other certainly applies wherever this does."""
        if self.here is None or other.outside is None:
            return False
        if not all(other.needs <= region.keys() for region in self.here):
            return False
        return not any(meet(a, b) is not None for a in self.here for b in other.outside)


def lint(policy: Policy, text: str, offered: Collection[str], now: datetime) -> tuple[Diagnostic, ...]:
    """Warnings about a policy that loaded from `text`, in order of place; `offered` are the tools there are.

    `now` says which end dates are past.
    """
    finder = _Finder(policy, text)
    finder.rules()
    finder.expired(int(now.timestamp()))
    finder.tools(offered)
    return in_order(finder.found)


class _Finder:
    """Collects the warnings of one policy."""

    def __init__(self, policy: Policy, text: str) -> None:
        self.policy = policy
        files = unpacked(text)
        self.lines = {policy.source: files.text.splitlines()} | {n: t.splitlines() for n, t in files.others.items()}
        self.found: list[Diagnostic] = []
        self._seen: dict[int, _Seen] = {}

    def warn(self, code: str, message: str, rule: Rule, hint: str | None = None) -> None:
        """A warning at the line where a rule begins."""
        lines = self.lines[rule.source]
        excerpt = lines[rule.line - 1] if rule.line <= len(lines) else ""
        column = max(0, excerpt.find(rule.id))
        span = len(rule.id)
        self.found.append(Diagnostic(code, message, rule.source, rule.line, column + 1, excerpt, span, hint, "warning"))

    def rules(self) -> None:
        """Dead, shadowed and redundant rules, and thresholds that do not meet."""
        by_tool = {tool: self._of(tool) for tool in self.policy.by_tool}
        dead = self._dead(by_tool)
        live = {tool: [seen for seen in found if seen.rule.id not in dead] for tool, found in by_tool.items()}
        self._covered(live)
        for tool, found in live.items():
            self._thresholds(tool, found)

    def tools(self, offered: Collection[str]) -> None:
        """Tools that nothing permits, unless a rule denies them outright and so says that this is meant."""
        meant = {tool for tool, laid in self.policy.by_tool.items() if any(map(_outright, laid.rules))}
        closed = [tool for tool in offered if tool not in meant and not self.policy.may_permit(tool)]
        for tool in closed:
            if tool in self.policy.by_tool:
                rule = self.policy.by_tool[tool].rules[0]
                self.warn("P113", f"nothing permits `{tool}`, so every call of it is denied", rule)
        unnamed = [tool for tool in closed if tool not in self.policy.by_tool]
        if unnamed:
            names = ", ".join(f"`{tool}`" for tool in unnamed[:_MOST_TOOLS]) + (", …" if unnamed[_MOST_TOOLS:] else "")
            lines = self.lines[self.policy.source]
            line = next((at for at, text in enumerate(lines) if text.startswith("rules:")), 0)
            message = f"no rule names {names}, so every call of {'it' if len(unnamed) == 1 else 'them'} is denied"
            hint = "deny them outright if that is meant"
            self.found.append(
                Diagnostic("P117", message, self.policy.source, line + 1, 1, lines[line], 5, hint, "warning")
            )

    def expired(self, now: int) -> None:
        """Rules whose last day is over."""
        for rule in self.policy.rules:
            if rule.ends is not None and rule.ends <= now:
                hint = "take it out, or give it a later day"
                self.warn("P114", f"rule `{rule.id}` is over and applies to nothing any more", rule, hint)

    def _of(self, tool: str) -> list[_Seen]:
        return [self._see(rule, rule.when.by_tool[tool]) for rule in self.policy.by_tool[tool].rules]

    def _see(self, rule: Rule, when: Expr) -> _Seen:
        """Tools of one kind share the checked condition, so it is looked at once."""
        if id(when) not in self._seen or self._seen[id(when)].rule is not rule:
            here, outside = regions(when), regions(when, holds=False)
            # Where every region outside is about one value alone, whatever is inside must say something of each.
            single = outside is not None and all(len(region) == 1 for region in outside)
            needs = frozenset(key for region in outside or () for key in region) if single else frozenset[Expr]()
            self._seen[id(when)] = _Seen(rule, here, outside, needs)
        return self._seen[id(when)]

    def _dead(self, by_tool: Mapping[str, Sequence[_Seen]]) -> set[str]:
        lives = {seen.rule.id for found in by_tool.values() for seen in found if seen.here is None or seen.here}
        for rule in self.policy.rules:
            if rule.id not in lives:
                self.warn("P110", f"rule `{rule.id}` never applies: its condition cannot be true", rule)
        return {rule.id for rule in self.policy.rules} - lives

    def _covered(self, by_tool: Mapping[str, Sequence[_Seen]]) -> None:
        """Rules that for every tool lie within another rule that makes them idle; each is told once."""
        covers: dict[str, list[set[tuple[str, str]]]] = {}
        for found in by_tool.values():
            for seen in found:
                if seen.rule.mode == "enforce":
                    covers.setdefault(seen.rule.id, []).append(set(_covers(seen, found)))
        for rule in self.policy.rules:
            idle = covers.get(rule.id, [])
            common: set[tuple[str, str]] = idle[0].intersection(*idle[1:]) if idle else set()
            for code, other in sorted(common)[:1]:
                self.warn(code, _IDLE[code].format(rule=rule.id, other=other), rule)

    def _thresholds(self, tool: str, found: Sequence[_Seen]) -> None:
        bands: dict[object, list[tuple[Range, Expr, Rule]]] = {}
        for seen in found:
            for key, band, rest in _bands(seen):
                bands.setdefault((seen.rule.kind, key, rest), []).append((band, key, seen.rule))
        for each in bands.values():
            self._neighbours(tool, sorted(each, key=lambda band: band[0].low))

    def _neighbours(self, tool: str, bands: Sequence[tuple[Range, Expr, Rule]]) -> None:
        for (below, key, lower), (above, _, upper) in pairwise(bands):
            low, high = key.type.bounds
            if below.high == high or above.low == low or lower.id == upper.id:
                continue
            if below.high + 1 < above.low:
                gap = self._span(key, below.high + 1, above.low - 1)
                message = f"for `{tool}` neither `{lower.id}` nor `{upper.id}` applies where {name_of(key)} is {gap}"
                self.warn("P115", message, upper, "let the thresholds meet, if no hole is meant")
            elif below.high >= above.low and below.high < above.high:
                both = self._span(key, above.low, below.high)
                message = f"for `{tool}` both `{lower.id}` and `{upper.id}` apply where {name_of(key)} is {both}"
                self.warn("P116", message, upper, "let the thresholds meet, if no overlap is meant")

    def _span(self, key: Expr, low: int, high: int) -> str:
        if key.type.kind is Kind.MONEY:
            money = currency(self.policy.currency)
            first, last = money.format(low), money.format(high)
        else:
            first, last = str(low), str(high)
        return first if low == high else f"from {first} to {last}"


_IDLE = {
    "P111": "rule `{rule}` never matters: `{other}` denies whatever it applies to",
    "P112": "rule `{rule}` is redundant: `{other}` already says so wherever it applies",
}


def _outright(rule: Rule) -> bool:
    always = all(isinstance(when, Const) for when in rule.when.by_tool.values())
    return always and rule.kind == "deny" and rule.mode == "enforce"


def _covers(seen: _Seen, others: Sequence[_Seen]) -> Iterator[tuple[str, str]]:
    """The codes and rules by which a rule is idle for one tool."""
    rule = seen.rule
    for other in others:
        by = other.rule
        if by is rule or by.mode != "enforce":
            continue
        denied = by.kind == "deny" and rule.kind != "deny"
        same = by.kind == rule.kind and _as_strict(by.requirement, rule.requirement)
        if not (denied or same) or not seen.inside(other):
            continue
        if denied:
            yield "P111", by.id
        elif not (other.inside(seen) and _as_strict(rule.requirement, by.requirement)) or by.id < rule.id:
            yield "P112", by.id  # of two that say the same, the later name is the one too many


def _as_strict(one: Requirement | None, other: Requirement | None) -> bool:
    """Whether meeting the first always meets the second."""
    if isinstance(one, Verify) and isinstance(other, Verify):
        return one.level >= other.level
    if isinstance(one, Confirm) and isinstance(other, Confirm):
        return one.strength >= other.strength
    if isinstance(one, Escalate) and isinstance(other, Escalate):
        return (one.queue, one.expires_seconds) == (other.queue, other.expires_seconds) and (
            one.approvals >= other.approvals
        )
    return one is None and other is None


def _bands(seen: _Seen) -> Iterator[tuple[Expr, Range, frozenset[tuple[Expr, object]]]]:
    """The ranges of whole numbers a rule names, each with everything else it asks for."""
    if seen.here is None or len(seen.here) != 1:
        return
    [region] = seen.here
    for key, left in region.items():
        if isinstance(left, Range) and key.type.kind is not Kind.ORDERED and left.low < left.high:
            yield key, left, frozenset((other, rest) for other, rest in region.items() if other is not key)
