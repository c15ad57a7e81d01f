"""A policy, checked and frozen: rules, factors, budgets, views and the compiled conditions of every tool."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from tillgate.guards.model import (
    Assurance,
    Contribution,
    Decision,
    Escalate,
    Facts,
    Reason,
    Requirement,
    RuleHit,
    RuleKind,
    Tier,
)
from tillgate.guards.policy.diagnostics import Diagnostic
from tillgate.guards.policy.expression import Expr
from tillgate.guards.policy.uses import Uses

Mode: TypeAlias = Literal["enforce", "shadow"]
MaskKind: TypeAlias = Literal["email", "phone", "last4", "hidden", "initial"]
OutcomeStatus: TypeAlias = Literal[
    "completed", "denied", "verification_required", "confirmation_required", "escalated", "failed"
]


class Condition(Struct, frozen=True):
    """Text of a condition and its checked form for each tool it applies to; facts may be typed differently by tool."""

    text: str
    by_tool: Mapping[str, Expr]


class Rule(Struct, frozen=True):
    """One rule. `tools` are the tools it applies to, after those that cannot have its facts were left out.

    `ends` is the time (epoch seconds) from which on it no longer applies; its condition says so too.
    """

    id: str
    kind: RuleKind
    tools: frozenset[str]
    when: Condition
    mode: Mode
    reason: Reason
    requirement: Requirement | None
    hit: RuleHit
    line: int
    source: str = ""
    ends: int | None = None

    @property
    def place(self) -> str:
        """`file:line` of the rule."""
        return f"{self.source}:{self.line}"

    @property
    def restricts(self) -> bool:
        """Whether a match can only make a verdict stricter."""
        return self.kind != "permit"


class RiskFactor(Struct, frozen=True):
    """Points that count when the condition holds, with the policy's words for them."""

    id: str
    tools: frozenset[str]
    when: Condition
    contribution: Contribution
    line: int


class Tiers(Struct, frozen=True):
    """The lowest score of each tier above LOW."""

    medium: int
    high: int
    critical: int

    def of(self, score: int) -> Tier:
        """The tier a score falls in."""
        if score >= self.critical:
            return Tier.CRITICAL
        if score >= self.high:
            return Tier.HIGH
        return Tier.MEDIUM if score >= self.medium else Tier.LOW


class Budget(Struct, frozen=True):
    """A cumulative limit over a sliding window. `per` are fact paths; `limit_amount` is in minor units."""

    id: str
    tools: frozenset[str]
    per: tuple[str, ...]
    window_seconds: int
    limit_amount: int | None
    limit_count: int | None
    exceeded: Literal["deny"] | Escalate
    message: str
    reason: Reason


class Queue(Struct, frozen=True):
    """Where escalations wait. `four_eyes_over` (minor units) asks for two people; undeclared queues name nobody."""

    name: str
    reviewers: tuple[str, ...] = ()
    four_eyes_over: int | None = None
    declared: bool = True

    def admits(self, role: str) -> bool:
        """Whether a reviewer of this role may decide here; a queue no file declares is open to every reviewer."""
        return not self.declared or role in self.reviewers


class View(Struct, frozen=True):
    """Which fields of one tool's answer leave, by the level from which they do."""

    tool: str
    levels: Mapping[Assurance, tuple[str, ...]]


class Invariant(Struct, frozen=True):
    """A claim to be proved: whenever these tools end in `when_outcome`, `then` holds."""

    tools: frozenset[str]
    when_outcome: OutcomeStatus
    then: Condition
    line: int


Match: TypeAlias = Callable[[Facts], list[int] | None]
"""Indices of the conditions that hold, each time in the same order, whatever it is; None when the facts are not valid
or the function failed."""


class Program(Struct, frozen=True):
    """The conditions of one tool, compiled into one function.

    `conditions` are in the order of the indices, `uses` are the facts they read. `source` is the generated code,
    kept for review.
    """

    match: Match
    conditions: tuple[Expr, ...]
    uses: Uses
    source: str


class ToolRules(Struct, frozen=True):
    """The rules of one tool, sorted: denies, permits, then demands in the order they are asked, strictest first.

    `demands` begins at the rule `first_demand`; `watched` are the rules that do not count (`mode: shadow`).
    """

    rules: tuple[Rule, ...]
    program: Program
    hits: tuple[RuleHit, ...]
    demands: tuple[Requirement, ...]
    first_permit: int
    first_demand: int
    watched: frozenset[int]

    def restricts(self, index: int) -> bool:
        """Whether a match of the rule can only make a verdict stricter."""
        return not self.first_permit <= index < self.first_demand


class ToolFactors(Struct, frozen=True):
    """The risk factors of one tool."""

    factors: tuple[RiskFactor, ...]
    program: Program


Indices: TypeAlias = tuple[int, ...]
"""The rules of a tool that matched."""

Proofs: TypeAlias = tuple[int, int, int]
"""All the facts show of what a demand asks for: level of assurance, strength of consent, approvals; -1 is nothing."""

Settled: TypeAlias = dict[Indices | tuple[Indices, Proofs], Decision]
"""Decisions by what they follow from: the rules that matched, and the proofs where one of these demands something."""


class Ready(NamedTuple):
    """What `decide` needs of a tool, at one look-up; `settled` is its memory and says nothing of its own."""

    rules: ToolRules
    match: Match
    settled: Settled


_NO_LEVELS: Mapping[Assurance, tuple[str, ...]] = MappingProxyType({})


def _nothing() -> Mapping[str, Queue]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy file, ready to decide with. `digest` is `sha256:<hex>` of the file's bytes.

    `ready` is `by_tool` made ready for deciding; a copy of the policy starts with nothing settled.
    """

    name: str
    version: int
    currency: str
    mode: Mode
    digest: str
    source: str
    warnings: tuple[Diagnostic, ...]
    tiers: Tiers | None
    factors: tuple[RiskFactor, ...]
    budgets: tuple[Budget, ...]
    rules: tuple[Rule, ...]
    views: tuple[View, ...]
    masks: tuple[tuple[str, MaskKind], ...]
    queues: Mapping[str, Queue] = field(default_factory=_nothing)
    invariants: tuple[Invariant, ...] = ()
    by_tool: Mapping[str, ToolRules] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    factors_by_tool: Mapping[str, ToolFactors] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    ready: Mapping[str, Ready] = field(init=False, repr=False, compare=False)
    _permitting: frozenset[str] = field(init=False, repr=False, compare=False)
    _budgets: Mapping[str, tuple[Budget, ...]] = field(init=False, repr=False, compare=False)
    _levels: Mapping[str, Mapping[Assurance, tuple[str, ...]]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ready = {tool: Ready(rules, rules.program.match, {}) for tool, rules in self.by_tool.items()}
        object.__setattr__(self, "ready", ready)
        object.__setattr__(self, "_permitting", frozenset(filter(self._permits, self.by_tool)))
        drawn = frozenset(tool for budget in self.budgets for tool in budget.tools)
        budgets = {tool: tuple([each for each in self.budgets if tool in each.tools]) for tool in drawn}
        object.__setattr__(self, "_budgets", budgets)
        object.__setattr__(self, "_levels", {view.tool: view.levels for view in reversed(self.views)})

    def _permits(self, tool: str) -> bool:
        found = self.by_tool[tool]
        return any(rule.mode == "enforce" for rule in found.rules[found.first_permit : found.first_demand])

    def may_permit(self, tool: str) -> bool:
        """Whether some permit rule that counts applies to the tool."""
        return tool in self._permitting

    def budgets_for(self, tool: str) -> tuple[Budget, ...]:
        """The budgets a call of this tool draws on."""
        return self._budgets.get(tool, ())

    def views_for(self, tool: str) -> Mapping[Assurance, tuple[str, ...]]:
        """The field paths by level, `*level` already expanded; empty when the tool has no view."""
        return self._levels.get(tool, _NO_LEVELS)

    def queue(self, name: str) -> Queue:
        """The queue of this name; one the file does not declare is open to every reviewer."""
        return self.queues.get(name) or Queue(name, declared=False)
