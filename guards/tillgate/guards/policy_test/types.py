"""A test suite of a policy, read and checked: what each case says of the world, and what it expects to come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tillgate.guards.model import Facts, Tier, Verdict
from tillgate.guards.policy.types import Policy

Outcome: TypeAlias = Literal["completed", "denied", "verification_required", "confirmation_required", "escalated"]
"""How a call ends by the policy alone; whether the shop then carries it out is not the policy's to say."""

OUTCOMES: Mapping[Verdict, Outcome] = {
    Verdict.PERMIT: "completed",
    Verdict.DENY: "denied",
    Verdict.VERIFY: "verification_required",
    Verdict.CONFIRM: "confirmation_required",
    Verdict.ESCALATE: "escalated",
}
"""The outcome each verdict leads to."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a case expects; None and empty ask nothing.

    `rules` must all fire and `not_rules` must not. `queue` is where the call waits, for `expires` seconds at most.
    `code` is among the codes of the reasons. `shadow` is how the call would end if what only watches (`mode: shadow`)
    counted.
    """

    outcome: Outcome
    rules: tuple[str, ...] = ()
    not_rules: tuple[str, ...] = ()
    queue: str | None = None
    expires: int | None = None
    tier: Tier | None = None
    score: int | None = None
    code: str | None = None
    shadow: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What a budget held before the call: minor units, and calls."""

    amount: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One call to decide. `facts` are complete but for `risk` and `usage`, which follow from them.

    `acts` says whether the call would change something, and so draws on its budgets. Line and column count from 1.
    """

    name: str
    tool: str
    facts: Facts
    used: Mapping[str, Used]
    acts: bool
    expected: Expected
    source: str
    line: int
    column: int

    @property
    def place(self) -> str:
        """`file:line:column` of the case."""
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of one file, in its order, and the policy they are for."""

    source: str
    policy: Policy
    cases: tuple[Case, ...]
