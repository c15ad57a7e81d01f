"""Where each tool leads, for every risk tier, level of assurance and band of money: the table a business reads.

The rule it keeps: the table is worked out from the policy, never written. A cell holds every outcome that is possible
there, each with the words of the condition it hangs on; what is said without a condition is certain. Consent and
approval are taken as not given yet, and risk as already assessed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias, TypeVar

from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Assurance, Confirm, Escalate, Requirement, Tier, Verdict, Verify
from tillgate.guards.money import Currency, currency
from tillgate.guards.policy.expression import (
    And,
    Choose,
    Compare,
    Const,
    Expr,
    Load,
    Not,
    OneOf,
    Or,
    Path,
    compared_with,
)
from tillgate.guards.policy.rules import strictness
from tillgate.guards.policy.types import Policy, Rule
from tillgate.guards.policy.wording import words

AMOUNT: Path = ("impact", "amount")
_ASSURANCE: Path = ("subject", "assurance")
_TIER: Path = ("risk", "tier")

T = TypeVar("T")
Bounds: TypeAlias = tuple[int, int]
Known: TypeAlias = Mapping[Path, Bounds | str]
"""What is fixed in a cell: numbers and ranks from and to, texts as they are."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that may happen to a call, by which rule, and on what condition (None: always)."""

    verdict: Verdict
    does: str
    rule: str
    condition: str | None = None

    def __str__(self) -> str:
        """`does if condition (rule)`."""
        return f"{self.does}{f' if {self.condition}' if self.condition else ''} ({self.rule})"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a call leads to: `refusals` and `demands` in the order they are asked, `permits` of which one must hold."""

    refusals: tuple[Step, ...]
    permits: tuple[Step, ...]
    demands: tuple[Step, ...]

    @property
    def verdicts(self) -> frozenset[Verdict]:
        """Every outcome that is possible."""
        if any(step.condition is None for step in self.refusals) or not self.permits:
            return frozenset({Verdict.DENY})
        found = {Verdict.DENY} if self.refusals else set[Verdict]()
        if all(step.condition is not None for step in self.permits):
            found.add(Verdict.DENY)
        for step in self.demands:
            found.add(step.verdict)
            if step.condition is None:
                return frozenset(found)
        return frozenset(found | {Verdict.PERMIT})

    def lines(self) -> Iterator[str]:
        """The cell in sentences: what is certain first."""
        certain = next((step for step in self.refusals if step.condition is None), None)
        if certain is not None:
            yield str(certain)
            return
        if not self.permits:
            yield "refused: nothing permits it"
            return
        yield from map(str, self.refusals)
        if all(step.condition is not None for step in self.permits):
            alternatives = " or ".join(f"{step.condition} ({step.rule})" for step in self.permits)
            yield f"refused unless {alternatives}"
        yield from _asked(self.demands)
        if all(step.condition is not None for step in self.demands):
            yield "completes otherwise" if self.demands or self.refusals else "completes"


def _asked(demands: Sequence[Step]) -> Iterator[str]:
    """The demands, each thing once: what is asked anyway is not asked on a condition as well."""
    sure = {step.does for step in demands if step.condition is None}
    for does in dict.fromkeys(step.does for step in demands):
        alike = [step for step in demands if step.does == does]
        if does in sure:
            yield f"{does} ({', '.join(step.rule for step in alike if step.condition is None)})"
        else:
            yield from map(str, alike)


@dataclass(frozen=True, slots=True)
class Row:
    """One cell with where it holds: tiers and levels from and to, and minor units from and to (None: any)."""

    tiers: tuple[Tier, Tier]
    levels: tuple[Assurance, Assurance]
    band: Bounds | None
    cell: Cell


@dataclass(frozen=True, slots=True)
class Route:
    """The rows of one tool, in order of band, level and tier; as few as say it all."""

    intent: str
    tool: str
    rows: tuple[Row, ...]

    @property
    def everywhere(self) -> tuple[str, ...]:
        """What holds in every row, where there are several."""
        if len(self.rows) < 2:
            return ()
        first, *others = [list(row.cell.lines()) for row in self.rows]
        return tuple(line for line in first if all(line in other for other in others))

    def only(self, row: Row) -> list[str]:
        """What a row says beyond that."""
        return [line for line in row.cell.lines() if line not in self.everywhere]


def routes(policy: Policy, tools: Sequence[ToolSurface]) -> tuple[Route, ...]:
    """The routes of every tool a rule names, by intent and name."""
    known = sorted((tool for tool in tools if tool.name in policy.by_tool), key=lambda tool: (tool.intent, tool.name))
    return tuple(Route(tool.intent, tool.name, _rows(policy, tool)) for tool in known)


def _rows(policy: Policy, tool: ToolSurface) -> tuple[Row, ...]:
    money = currency(policy.currency)
    bands = _bands(policy, tool)
    grid = {
        (band, level, tier): cell(policy, tool, money, band, level, tier)
        for band in bands
        for level in Assurance
        for tier in Tier
    }
    tiers = _merged(list(Tier), lambda tier: [grid[band, level, tier] for band in bands for level in Assurance])
    levels = _merged(list(Assurance), lambda level: [grid[band, level, tier] for band in bands for tier in Tier])
    joined = _merged(bands, lambda band: [grid[band, level, tier] for level in Assurance for tier in Tier])
    whole = len(joined) == 1
    return tuple(
        Row((t[0], t[-1]), (a[0], a[-1]), None if whole else (b[0][0], b[-1][1]), grid[b[0], a[0], t[0]])
        for b in joined
        for a in levels
        for t in tiers
    )


def _merged(values: Sequence[T], cells: Callable[[T], list[Cell]]) -> list[list[T]]:
    """Neighbours that lead to the same everywhere, put together."""
    groups: list[list[T]] = []
    for value in values:
        if groups and cells(groups[-1][-1]) == cells(value):
            groups[-1].append(value)
        else:
            groups.append([value])
    return groups


def _bands(policy: Policy, tool: ToolSurface) -> list[Bounds]:
    """Bands of `impact.amount` between which no condition of the tool can tell a difference."""
    top = 2**53
    cuts = {0}
    for rule in policy.by_tool[tool.name].rules:
        for value in compared_with(rule.when.by_tool[tool.name], AMOUNT):
            cuts |= {cut for cut in (int(value), int(value) + 1) if 0 < cut <= top}
    starts = sorted(cuts)
    return [(low, high - 1) for low, high in zip(starts, [*starts[1:], top + 1], strict=True)]


def cell(policy: Policy, tool: ToolSurface, money: Currency, band: Bounds, level: Assurance, tier: Tier) -> Cell:
    """What calls of a tool lead to at one amount band, level and tier."""
    known: dict[Path, Bounds | str] = {
        AMOUNT: band,
        _ASSURANCE: (level, level),
        _TIER: (tier, tier),
        ("call", "tool"): tool.name,
        ("call", "effect"): tool.effect,
        ("call", "intent"): tool.intent,
    }
    laid = policy.by_tool[tool.name]
    found = [
        (rule, residue)
        for at, rule in enumerate(laid.rules)
        if at not in laid.watched and (residue := partial(rule.when.by_tool[tool.name], known)) is not False
    ]
    refusals = [_step(rule, residue, money) for rule, residue in found if rule.kind == "deny"]
    permits = [_step(rule, residue, money) for rule, residue in found if rule.kind == "permit"]
    demands = [
        (rule.requirement, _step(rule, residue, money))
        for rule, residue in found
        if rule.requirement is not None and not _is_met(rule.requirement, level)
    ]
    for budget in policy.budgets_for(tool.name) if tool.effect == "write" else ():
        condition = f"budget {budget.id} is used up"
        if budget.exceeded == "deny":
            refusals.append(Step(Verdict.DENY, "refused", budget.id, condition))
        else:
            demands.append((budget.exceeded, Step(Verdict.ESCALATE, _asks(budget.exceeded), budget.id, condition)))
    demands.sort(key=lambda each: strictness(each[0]))
    return Cell(tuple(refusals), tuple(permits), tuple(step for _, step in demands))


def _is_met(demand: Requirement, level: Assurance) -> bool:
    return isinstance(demand, Verify) and level >= demand.level


def _step(rule: Rule, residue: Expr | bool, money: Currency) -> Step:
    condition = None if isinstance(residue, bool) else words(residue, money)
    if rule.requirement is None:
        verdict = Verdict.DENY if rule.kind == "deny" else Verdict.PERMIT
        return Step(verdict, "refused" if rule.kind == "deny" else "completes", rule.id, condition)
    verdict = {Verify: Verdict.VERIFY, Confirm: Verdict.CONFIRM, Escalate: Verdict.ESCALATE}[type(rule.requirement)]
    return Step(verdict, _asks(rule.requirement), rule.id, condition)


def _asks(demand: Requirement) -> str:
    if isinstance(demand, Verify):
        return f"verifies to {demand.level.name}"
    if isinstance(demand, Confirm):
        return f"asks for the {demand.strength.name.lower()}'s confirmation"
    return f"goes to {demand.queue}" + (f", {demand.approvals} approvals" if demand.approvals > 1 else "")


def partial(expr: Expr, known: Known) -> Expr | bool:
    """The condition where some facts are fixed: true, false, or what is left of it."""
    match expr:
        case Const(value=bool(value)):
            return value
        case Not(item=item):
            inner = partial(item, known)
            return not inner if isinstance(inner, bool) else Not(inner, expr.span)
        case And(items=items):
            return _joined(And, expr, [partial(item, known) for item in items], ends=False)
        case Or(items=items):
            return _joined(Or, expr, [partial(item, known) for item in items], ends=True)
        case Choose(test=test, then=then, other=other):
            chosen = partial(test, known)
            if isinstance(chosen, bool):
                return partial(then if chosen else other, known)
            return expr
        case Compare(left=Load(path=path), right=Const(value=value)) if path in known:
            return _compared(expr, known[path], value)
        case OneOf(item=Load(path=path), items=items) if isinstance(known.get(path), str):
            return any(isinstance(each, Const) and each.value == known[path] for each in items)
        case _:
            return expr


def _joined(kind: type[And] | type[Or], expr: And | Or, items: list[Expr | bool], *, ends: bool) -> Expr | bool:
    if any(item is ends for item in items):
        return ends
    left = tuple(item for item in items if not isinstance(item, bool))
    if not left:
        return not ends
    return left[0] if len(left) == 1 else kind(left, expr.span)


def _compared(expr: Compare, fixed: Bounds | str, value: int | str | bool) -> Expr | bool:
    """Whether a comparison comes out one way for everything in the bounds."""
    if isinstance(fixed, str):
        return (fixed == value) is (expr.op == "==")
    low, high = fixed
    number = int(value)
    always, never = {
        "==": (low == high == number, not low <= number <= high),
        "!=": (not low <= number <= high, low == high == number),
        "<": (high < number, low >= number),
        "<=": (high <= number, low > number),
        ">": (low > number, high <= number),
        ">=": (low >= number, high < number),
    }[expr.op]
    return True if always else False if never else expr


def place(row: Row, money: Currency) -> tuple[str, str, str]:
    """Where a row holds: its amounts, levels and tiers in words."""
    return _band(row, money), _range(*row.levels), _range(*row.tiers)


def _range(first: IntEnum, last: IntEnum) -> str:
    if first.value == 0 and last.value == len(type(first)) - 1:
        return "any"
    return first.name if first is last else f"{first.name} to {last.name}"


def _band(row: Row, money: Currency) -> str:
    if row.band is None:
        return "any"
    low, high = row.band
    if high >= 2**53:
        return f"from {money.format(low)}"
    return f"to {money.format(high)}" if low == 0 else f"{money.format(low)} to {money.format(high)}"
