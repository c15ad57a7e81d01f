"""What the calls before a call make of it: room they left in budgets, and requests that were not needed any more.

The rule kept: this is all that hangs on order. Everything else about a call is decided alone, wherever and whenever.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from msgspec.structs import replace

from tillgate.guards.limits import account
from tillgate.guards.model import Facts
from tillgate.guards.policy.types import Budget
from tillgate.server.decided_again import Again, Draw, End, First, Row, Used
from tillgate.server.transcript import Entry

_WAITED = frozenset({"verification_required", "confirmation_required", "escalated"})


@dataclass(slots=True)
class _Account:
    """What one account has used of one budget: uses by number, and when each no longer counts."""

    amounts: dict[int, int] = field(default_factory=dict[int, int])
    ends: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    amount: int = 0

    def used(self, now: int) -> Used:
        """Amount and count of what counts now; what does not is forgotten."""
        while self.ends and self.ends[0][0] <= now:
            self.free(heappop(self.ends)[1])
        return self.amount, len(self.amounts)

    def use(self, number: int, amount: int, now: int, until: int) -> None:
        self.used(now)
        self.amounts[number] = amount
        self.amount += amount
        heappush(self.ends, (until, number))

    def free(self, number: int) -> None:
        self.amount -= self.amounts.pop(number, 0)


@dataclass(slots=True)
class InTurn:
    """A log under way: what it let complete so far, and which requests it saw open."""

    again: Again
    accounts: dict[tuple[str, str], _Account] = field(default_factory=dict[tuple[str, str], _Account])
    waiting: dict[str, list[tuple[_Account, int]]] = field(default_factory=dict[str, list[tuple[_Account, int]]])
    opened: dict[str, First] = field(default_factory=dict[str, First])
    done_early: dict[bytes, First] = field(default_factory=dict[bytes, First])
    numbers: Iterator[int] = field(default_factory=count)

    def row(self, row: Row) -> Row:
        """A call decided, now that those before it are."""
        entry = row.entry
        if entry.kind == "execution":
            self.ended(entry.request)  # its own reservation must not count against it
        end = row.end or self.again.end(entry, lambda budget, facts: self._used(budget, facts, entry.seconds))
        row = replace(row, end=end, first=self._carried_by(entry))
        if row.first is None and not row.missing:
            self._keep(entry, end)
        return row

    def ended(self, request: str | None) -> None:
        """A request waits no longer: what it had reserved is free."""
        for held, number in self.waiting.pop(request or "", ()):
            held.free(number)

    def _used(self, budget: Budget, facts: Facts, now: int) -> Used:
        held = self.accounts.get((budget.id, account(budget, facts)))
        return held.used(now) if held else (0, 0)

    def _carried_by(self, entry: Entry) -> First | None:
        """The earlier line that this one only continued, where that line now ends the matter.

        An approved request is not opened at all if its call now completes or is denied; a call sent again with a
        proof or a yes is answered from the first one if that now completes or waits.
        """
        if entry.kind == "execution":
            return self.opened.get(entry.call_id or "")
        return self.done_early.get(entry.same_call) if entry.counts else None

    def _keep(self, entry: Entry, end: End) -> None:
        was, now = entry.old.status, end.new.status
        first = First(entry.line, now, end.new.verdict)
        if entry.kind == "call" and was == "escalated" and entry.call_id is not None:
            self.opened.pop(entry.call_id, None)
            if now != "escalated":
                self.opened[entry.call_id] = first
        if entry.counts and was in _WAITED and (now == "completed" or (now == "escalated" != was)):
            self.done_early[entry.same_call] = first
        if now == "completed":
            self.ended(entry.request)
        self._book(entry, end.draws, entry.request if now == "escalated" else None)

    def _book(self, entry: Entry, draws: tuple[Draw, ...], request: str | None) -> None:
        number = next(self.numbers)
        for draw in draws:
            held = self.accounts.setdefault((draw.budget, draw.account), _Account())
            held.use(number, entry.amount, entry.seconds, draw.until)
            if request is not None:
                self.waiting.setdefault(request, []).append((held, number))
