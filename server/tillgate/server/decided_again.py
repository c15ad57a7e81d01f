"""One recorded call decided again, as far as that can be said without the calls before it.

The rule kept: only recorded facts are used, never a database or a clock. What hangs on earlier calls (room in a budget
the record does not know, a request that would not have been opened) waits for its turn: see `in_turn`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Literal, TypeAlias

from msgspec.structs import replace

from tillgate.guards.decide import FACTS_INVALID, decide, facts_in_doubt
from tillgate.guards.limits import account, left, over
from tillgate.guards.model import Decision, Escalate, Facts, Json, Reason, Tier, Verdict
from tillgate.guards.policy.types import Budget, Policy
from tillgate.guards.risk import assess
from tillgate.server.recorded import Noun
from tillgate.server.transcript import Ended, Entry, Line, Side, read_entry

_STATUS: Mapping[str, str] = {
    Verdict.DENY: "denied",
    Verdict.VERIFY: "verification_required",
    Verdict.CONFIRM: "confirmation_required",
    Verdict.ESCALATE: "escalated",
    Verdict.PERMIT: "completed",
}

_TIERS = tuple(tier.name for tier in Tier)
_HANDFUL = 32

Change: TypeAlias = Literal["none", "rules", "verdict", "status"]
Used: TypeAlias = tuple[int, int]
"""Amount in minor units, and count."""


class Unreadable(Noun, frozen=True, order=True):
    """A line that could not be replayed, counted from 1, and why."""

    line: int
    reason: str


_EMPTY = Unreadable(0, "nothing stands on it")


class Draw(Noun, frozen=True):
    """One use of a budget by a call that acts or waits; it counts until a time (epoch seconds)."""

    budget: str
    account: str
    until: int


class End(Noun, frozen=True):
    """How a call ends now, why, and what it draws on."""

    new: Side
    why: tuple[Reason, ...]
    score: int
    missing: tuple[str, ...]
    draws: tuple[Draw, ...]


class First(Noun, frozen=True):
    """The earlier line that another one only continued, and how that line ends now."""

    line: int
    status: str | None
    verdict: Verdict | None


class Row(Noun, frozen=True):
    """One call, as it was recorded and as it is decided now.

    `end` is None where it was not decided: it is kept as it was, for the reason in `note`, or a budget must first be
    looked up. A row that `waits` for its turn may end otherwise by the calls before it, or end later ones otherwise.
    `first` is the line that already ends this one.
    """

    entry: Entry
    same_policy: bool
    end: End | None
    waits: bool
    first: First | None = None

    def lighter(self) -> "Row":
        """Without what it was decided from, once it is decided."""
        return (
            self
            if self.end is None
            else replace(self, entry=replace(self.entry, facts={}, usage={}, requires=(), policy=None))
        )

    @property
    def new(self) -> Side | None:
        """How it ends now; None if it was not decided."""
        if self.end is None:
            return None
        if self.first is None:
            return self.end.new
        return replace(self.end.new, status=self.first.status, verdict=self.first.verdict)

    @property
    def why(self) -> tuple[Reason, ...]:
        """The reasons for that."""
        return self.end.why if self.end and self.first is None else ()

    @property
    def moves(self) -> bool:
        """False where the line stands for money that another line already carries."""
        return self.first is None

    @property
    def note(self) -> str:
        """What is to be said of it beside the reasons."""
        if self.first is not None:
            return f"line {self.first.line} already ends {self.first.status}"
        return self.entry.not_decided

    @property
    def missing(self) -> tuple[str, ...]:
        """Facts the policy needs and the record has not, or not as it must be."""
        return self.end.missing if self.end and self.first is None else ()

    @property
    def change(self) -> Change:
        """What differs most. What was not recorded cannot; other rules count under the same policy only."""
        old, new = self.entry.old, self.new
        if new is None:
            return "none"
        if old.status is not None and old.status != new.status:
            return "status"
        if old.verdict is not None and old.verdict != new.verdict:
            return "verdict"
        rules_differ = self.same_policy and old.verdict is not None and old.rules != new.rules
        return "rules" if rules_differ else "none"


Read: TypeAlias = Row | Ended | Unreadable | None
"""What a line says: a call, the end of a request, or nothing that is decided."""


class Again:
    """Decides recorded calls by one policy."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._budgets = {tool: policy.budgets_for(tool) for tool in policy.by_tool}

    def read(self, lines: Iterable[Line], *, strict: bool) -> Iterator[Read]:
        """What each line says; lines that are empty say nothing."""
        numbered = enumerate(lines, start=1)
        # First a handful is read and then decided: the processor keeps the code of one at hand. A sixth faster.
        while handful := list(islice(numbered, _HANDFUL)):
            entries = [_entry(number, line, strict) for number, line in handful]
            read = [self.call(entry) if isinstance(entry, Entry) else entry for entry in entries]
            yield from [each for each in read if each is not _EMPTY]

    def call(self, entry: Entry) -> Row:
        """A call decided, or to be decided when its turn comes."""
        same = entry.policy == self._policy.digest
        if entry.not_decided:
            return Row(entry, same, None, waits=False)
        budgets = self._budgets.get(entry.tool, ())
        if budgets and not same and not all(budget.id in entry.usage for budget in budgets):
            return Row(entry, same, None, waits=True)
        end = self.end(entry, _unrecorded)
        asked = entry.request is not None or entry.kind == "execution" or entry.old.status == "escalated"
        return Row(entry, same, end, waits=asked or entry.counts)

    def end(self, entry: Entry, used: Callable[[Budget, Facts], Used]) -> End:
        """How a call ends now. `used` says what its account has of a budget the record does not know."""
        risk = assess(self._policy, entry.tool, entry.facts)
        usage, exceeded = self._limits(entry, used)
        facts = {**entry.facts, "risk": {"score": risk.score, "tier": _TIERS[risk.tier]}, "usage": usage}
        decision = decide(self._policy, entry.tool, facts, exceeded, entry.requires)
        new = _side(entry, decision)
        missing = facts_in_doubt(self._policy, entry.tool, facts) if FACTS_INVALID in decision.reasons else ()
        draws = tuple(self._draws(entry, new, decision, exceeded)) if entry.counts else ()
        return End(new, decision.reasons, risk.score, missing, draws)

    def _limits(self, entry: Entry, used: Callable[[Budget, Facts], Used]) -> tuple[Mapping[str, Json], list[Budget]]:
        """What the policy's budgets hold with this call, and which it would exceed."""
        budgets = self._budgets.get(entry.tool, ())
        if not budgets:
            return entry.usage, []
        if entry.policy == self._policy.digest:
            return entry.usage, [budget for budget in budgets if budget.id in entry.exceeded]
        usage: dict[str, Json] = {**entry.usage}
        exceeded: list[Budget] = []
        for budget in budgets:
            recorded = entry.usage.get(budget.id)
            if recorded is not None:
                amount, count = recorded["amount"], recorded["count"]
            else:
                amount, count = used(budget, entry.facts)
                if entry.counts:
                    amount, count = amount + entry.amount, count + 1
            usage[budget.id] = {"amount": amount, "count": count, "left": left(budget, amount, count)}
            if entry.counts and over(budget, amount, count):
                exceeded.append(budget)
        return usage, exceeded

    def _draws(self, entry: Entry, new: Side, decision: Decision, exceeded: list[Budget]) -> Iterator[Draw]:
        """What acts is booked; what waits reserves the room it fits into, until nobody can answer any more."""
        if new.status not in ("completed", "escalated"):
            return
        demand = decision.unmet[0] if decision.unmet else None
        for budget in self._budgets.get(entry.tool, ()):
            lasts = budget.window_seconds
            if new.status == "escalated":
                if budget in exceeded:
                    continue
                lasts = min(lasts, demand.expires_seconds) if isinstance(demand, Escalate) else lasts
            yield Draw(budget.id, account(budget, entry.facts), entry.seconds + lasts)


def _unrecorded(budget: Budget, _: Facts) -> Used:
    raise LookupError(f"budget {budget.id} is not recorded")


def _entry(number: int, line: Line, strict: bool) -> Entry | Ended | Unreadable | None:
    try:
        return read_entry(number, line, strict=strict)
    except ValueError as error:
        empty = not (line if isinstance(line, str) else bytes(line)).strip()
        return _EMPTY if empty else Unreadable(number, str(error))


def _side(entry: Entry, decision: Decision) -> Side:
    demand = decision.unmet[0] if decision.unmet else None
    return Side(
        _status(entry, decision.verdict),
        decision.verdict,
        tuple([hit.rule for hit in decision.hits]),
        decision.shadow,
        demand.queue if isinstance(demand, Escalate) else None,
    )


def _status(entry: Entry, verdict: Verdict) -> str:
    """The same verdict ends as it did; a permitted plan that refuses or failed by itself still does."""
    if verdict == entry.old.verdict and entry.old.status is not None:
        return entry.old.status
    if verdict is Verdict.PERMIT and entry.refuses_itself:
        return "denied"
    if verdict is Verdict.PERMIT and entry.old.status == "failed":
        return "failed"
    return _STATUS[verdict]
