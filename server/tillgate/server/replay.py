"""Decides the calls of a transcript again, offline, and says which would now end otherwise, and why.

The rule kept: only recorded facts are used, never a database or a clock, and no line is passed over in silence: it is
decided again, kept as it was with the reason, or reported as unreadable.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from tillgate.guards.decide import FACTS_INVALID, decide, facts_in_doubt
from tillgate.guards.limits import account, left, over
from tillgate.guards.model import Decision, Escalate, Facts, Json, Reason, Verdict
from tillgate.guards.policy.types import Budget, Policy
from tillgate.guards.risk import assess
from tillgate.server.transcript import Entry, Side, read_entry

_STATUS: Mapping[Verdict, str] = {
    Verdict.DENY: "denied",
    Verdict.VERIFY: "verification_required",
    Verdict.CONFIRM: "confirmation_required",
    Verdict.ESCALATE: "escalated",
    Verdict.PERMIT: "completed",
}
_WAITED = frozenset({"verification_required", "confirmation_required", "escalated"})

Change: TypeAlias = Literal["none", "rules", "verdict", "status"]


@dataclass(frozen=True, slots=True)
class Row:
    """One call, as recorded (`old`) and as decided now (`new`; None if it was not decided, and `note` says why).

    `amount` is the money of the plan in minor units. `moves` is False where a line stands for money that another
    line already carries. `missing` are facts the policy needs and the record has not, or not as it must be.
    """

    line: int
    kind: str
    at: str
    conversation: str
    call_id: str | None
    tool: str
    old: Side
    new: Side | None
    why: tuple[Reason, ...] = ()
    amount: int = 0
    score: int = 0
    moves: bool = True
    note: str = ""
    same_policy: bool = False
    missing: tuple[str, ...] = ()

    @property
    def change(self) -> Change:
        """What differs most. What was not recorded cannot; other rules count under the same policy only."""
        if self.new is None:
            return "none"
        if self.old.status is not None and self.old.status != self.new.status:
            return "status"
        if self.old.verdict is not None and self.old.verdict != self.new.verdict:
            return "verdict"
        rules_differ = self.same_policy and self.old.verdict is not None and self.old.rules != self.new.rules
        return "rules" if rules_differ else "none"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that could not be replayed, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Replay:
    """A whole transcript decided again with one policy."""

    policy: str
    currency: str
    rows: tuple[Row, ...]
    unreadable: tuple[Unreadable, ...]
    others: int

    @property
    def differs(self) -> bool:
        """Whether anything would end otherwise, or could not be read to know."""
        return bool(self.unreadable) or any(row.change != "none" for row in self.rows)


def replay(lines: Iterable[bytes | str], policy: Policy) -> Replay:
    """Decide every call of a transcript (JSON Lines) again. The same lines and policy give the same replay."""
    found = list(again(lines, policy))
    rows = tuple(each for each in found if isinstance(each, Row))
    unreadable = tuple(each for each in found if isinstance(each, Unreadable))
    return Replay(policy.digest, policy.currency, rows, unreadable, len(found) - len(rows) - len(unreadable))


def again(lines: Iterable[bytes | str], policy: Policy, *, strict: bool = True) -> Iterator[Row | Unreadable | None]:
    """The lines of a transcript one by one, decided again; None for a record that is no call."""
    state = _Again(policy)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = read_entry(number, line, strict=strict)
        except ValueError as error:
            yield Unreadable(number, str(error))
            continue
        yield None if entry is None else state.row(entry)


@dataclass(slots=True)
class _Account:
    """One budget's rolling window for one account, as this replay fills it."""

    uses: deque[tuple[int, int]] = field(default_factory=deque[tuple[int, int]])
    amount: int = 0

    def spent(self, since: int) -> tuple[int, int]:
        """Amount and count of the uses after `since`; older ones are forgotten."""
        while self.uses and self.uses[0][0] <= since:
            self.amount -= self.uses.popleft()[1]
        return self.amount, len(self.uses)

    def use(self, at: int, amount: int) -> None:
        self.uses.append((at, amount))
        self.amount += amount


@dataclass(slots=True)
class _Again:
    """A replay under way: what it let complete so far, and which requests it saw open."""

    policy: Policy
    accounts: dict[tuple[str, str], _Account] = field(default_factory=dict[tuple[str, str], _Account])
    ended: dict[str, Row] = field(default_factory=dict[str, Row])
    done_early: dict[bytes, Row] = field(default_factory=dict[bytes, Row])

    def row(self, entry: Entry) -> Row:
        """One line decided again, or kept with the reason why it was not."""
        kept = _kept(entry, same_policy=entry.policy == self.policy.digest)
        if entry.not_decided:
            return kept
        row = self._decided(entry, kept)
        if (first := self._carried_by(entry)) is not None and first.new is not None:
            told = f"line {first.line} already ends {first.new.status}"
            new = replace(row.new or first.new, status=first.new.status, verdict=first.new.verdict)
            return replace(row, new=new, why=(), moves=False, note=told)
        self._keep(entry, row)
        return row

    def _decided(self, entry: Entry, kept: Row) -> Row:
        facts = dict(entry.facts)
        risk = assess(self.policy, entry.tool, facts)
        usage, exceeded = self._limits(entry, facts)
        facts |= {"risk": {"score": risk.score, "tier": risk.tier.name}, "usage": usage}
        decision = decide(self.policy, entry.tool, facts, exceeded, entry.requires)
        new = _side(entry, decision)
        missing = facts_in_doubt(self.policy, entry.tool, facts) if decision.reasons == (FACTS_INVALID,) else ()
        return replace(kept, new=new, why=decision.reasons, score=risk.score, missing=missing)

    def _limits(self, entry: Entry, facts: Facts) -> tuple[dict[str, Json], tuple[Budget, ...]]:
        """What the policy's budgets hold with this call, and which it would exceed."""
        budgets = self.policy.budgets_for(entry.tool)
        if entry.policy == self.policy.digest:
            return dict(entry.usage), tuple(budget for budget in budgets if budget.id in entry.exceeded)
        usage: dict[str, Json] = dict(entry.usage)
        exceeded: list[Budget] = []
        for budget in budgets:
            held = self._held(entry, facts, budget)
            usage[budget.id] = {"amount": held[0], "count": held[1], "left": left(budget, *held)}
            if entry.counts and over(budget, *held):
                exceeded.append(budget)
        return usage, tuple(exceeded)

    def _held(self, entry: Entry, facts: Facts, budget: Budget) -> tuple[int, int]:
        """Amount and count with this call: as recorded, else of the calls this replay let complete."""
        recorded = entry.usage.get(budget.id)
        if recorded is not None:
            return recorded["amount"], recorded["count"]
        window = self.accounts.setdefault((budget.id, account(budget, facts)), _Account())
        amount, count = window.spent(entry.seconds - budget.window_seconds)
        return (amount + entry.amount, count + 1) if entry.counts else (amount, count)

    def _carried_by(self, entry: Entry) -> Row | None:
        """The earlier line that this one only continued, when that line now ends otherwise than by waiting.

        An approved request is not opened at all if its call now completes or is denied; a call sent again with a
        proof or a yes is answered from the first one if that now completes.
        """
        if entry.kind == "execution":
            opened = self.ended.get(entry.call_id or "")
            return opened if opened and opened.new and opened.new.status != "escalated" else None
        return self.done_early.get(entry.same_call) if entry.counts else None

    def _keep(self, entry: Entry, row: Row) -> None:
        if entry.call_id is not None and entry.kind == "call" and entry.old.status in _WAITED:
            self.ended[entry.call_id] = row
        if row.new is None or row.new.status != "completed" or not entry.counts:
            return
        if entry.old.status in _WAITED:
            self.done_early[entry.same_call] = row
        for budget in self.policy.budgets_for(entry.tool):
            window = self.accounts.setdefault((budget.id, account(budget, entry.facts)), _Account())
            window.use(entry.seconds, entry.amount)


def _kept(entry: Entry, *, same_policy: bool) -> Row:
    return Row(
        line=entry.line,
        kind=entry.kind,
        at=entry.at,
        conversation=entry.conversation,
        call_id=entry.call_id,
        tool=entry.tool,
        old=entry.old,
        new=None,
        amount=entry.amount,
        note=entry.not_decided,
        same_policy=same_policy,
    )


def _side(entry: Entry, decision: Decision) -> Side:
    rules = tuple(sorted({hit.rule for hit in decision.hits}))
    shadow = None if decision.shadow is None else decision.shadow.value
    queue = decision.unmet[0].queue if decision.unmet and isinstance(decision.unmet[0], Escalate) else None
    return Side(_status(entry, decision.verdict), decision.verdict.value, rules, shadow, queue)


def _status(entry: Entry, verdict: Verdict) -> str:
    """The same verdict ends as it did; a permitted plan that refuses or failed by itself still does."""
    if verdict == entry.old.verdict and entry.old.status is not None:
        return entry.old.status
    if verdict is Verdict.PERMIT and entry.refuses_itself:
        return "denied"
    if verdict is Verdict.PERMIT and entry.old.status == "failed":
        return "failed"
    return _STATUS[verdict]
