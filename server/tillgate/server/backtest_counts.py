"""What a backtest counts: calls that end otherwise, money that moves or stays, work for people, and a few examples.

The rule kept: parts of a log that were counted apart and added give what the whole gives, and nothing grows with its
length but the days and accounts in it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from tillgate.guards.model import Json
from tillgate.guards.money import currency
from tillgate.server.decided_again import Row, Unreadable
from tillgate.server.recorded import Noun

MOST_SHOWN = 200
"""Calls kept as examples of one flip."""
UNKNOWN = "not recorded"

Flip = tuple[str, str]
"""How a call ended, and how it would end."""


ToolFlip = tuple[str, str, str]
"""The tool, how a call ended, and how it would end."""
Sums = tuple[int, int]
"""Calls, and minor units."""


class Days(Noun, frozen=True):
    """The days that are counted, both ends with them; calls of others still fill budgets."""

    since: str = ""
    until: str = "9999"


class Shown(Noun, frozen=True, order=True):
    """One call behind a number; `amount` in minor units."""

    line: int
    at: str
    call_id: str
    tool: str
    amount: int
    old_rules: tuple[str, ...]
    new_rules: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(slots=True)
class Load:
    """Requests that wait for people, by day and queue."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])

    def by_day(self) -> Mapping[str, int]:
        """All requests of each day that has any."""
        return self._by(0)

    def queues(self) -> Mapping[str, int]:
        """All requests by queue."""
        return dict(sorted(self._by(1).items()))

    def peak(self) -> int:
        """The most requests of one day."""
        return max(self.by_day().values(), default=0)

    def total(self) -> int:
        """All requests."""
        return self.requests.total()

    def _by(self, part: int) -> Counter[str]:
        found: Counter[str] = Counter()
        for key, count in self.requests.items():
            found[key[part]] += count
        return found


@dataclass(slots=True)
class Backtest:
    """The counts of one log under one policy. Money is in minor units.

    `ends` holds calls and money by tool and flip, without the money that an earlier line already moves. `moved_later`
    is what moved then by a later line than it would now.
    """

    policy: str
    currency: str
    ends: dict[ToolFlip, Sums] = field(default_factory=dict[ToolFlip, Sums])
    moved_later: int = 0
    shown: dict[Flip, list[Shown]] = field(default_factory=dict[Flip, list[Shown]])
    old_load: Load = field(default_factory=Load)
    new_load: Load = field(default_factory=Load)
    undecided: Counter[str] = field(default_factory=Counter[str])
    kept: int = 0
    others: int = 0
    outside: int = 0
    damaged: int = 0
    damage: list[Unreadable] = field(default_factory=list[Unreadable])
    days: set[str] = field(default_factory=set[str])

    def count(self, row: Row, days: Days) -> None:
        """One call, decided or kept."""
        entry, end = row.entry, row.end
        day = entry.at[:10]
        if not days.since <= day <= days.until:
            self.outside += 1
            return
        self.days.add(day)
        if end is None:
            self.kept += 1
        elif row.missing:
            self.undecided.update(("", *row.missing))
        else:
            self._count(row, entry.old.status or UNKNOWN, (row.first or end.new).status or UNKNOWN, day)

    def _count(self, row: Row, was: str, now: str, day: str) -> None:
        entry, end = row.entry, row.end
        amount = entry.amount
        if row.first is not None and now == "completed":
            self.moved_later += amount if was == "completed" else 0
            amount = 0
        calls, money = self.ends.get((entry.tool, was, now), (0, 0))
        self.ends[entry.tool, was, now] = calls + 1, money + amount
        if was == "escalated":
            self.old_load.requests[day, entry.old.queue or UNKNOWN] += 1
        if now == "escalated" and row.first is None and end is not None:
            self.new_load.requests[day, end.new.queue or UNKNOWN] += 1
        if was != now:
            shown = self.shown.setdefault((was, now), [])
            if len(shown) < MOST_SHOWN:
                shown.append(_shown_of(row, amount))

    def unread(self, line: Unreadable) -> None:
        """One line that is damaged."""
        self.damaged += 1
        if len(self.damage) < MOST_SHOWN:
            self.damage.append(line)

    def add(self, part: "Backtest", before: int) -> None:
        """The counts of another part of the log, whose first line comes after `before` others."""
        for key, (calls, money) in part.ends.items():
            had = self.ends.get(key, (0, 0))
            self.ends[key] = had[0] + calls, had[1] + money
        for flip, theirs in part.shown.items():
            moved = [replace(each, line=each.line + before) for each in theirs]
            self.shown[flip] = sorted([*self.shown.get(flip, ()), *moved])[:MOST_SHOWN]
        damage = [replace(each, line=each.line + before) for each in part.damage]
        self.damage = sorted([*self.damage, *damage])[:MOST_SHOWN]
        self.old_load.requests.update(part.old_load.requests)
        self.new_load.requests.update(part.new_load.requests)
        self.undecided.update(part.undecided)
        self.days |= part.days
        self.moved_later += part.moved_later
        self.kept += part.kept
        self.others += part.others
        self.outside += part.outside
        self.damaged += part.damaged

    @property
    def by_tool(self) -> Mapping[str, Mapping[Flip, int]]:
        """Calls by tool and flip, sorted."""
        found: dict[str, dict[Flip, int]] = {}
        for (tool, was, now), (calls, _) in sorted(self.ends.items()):
            found.setdefault(tool, {})[was, now] = calls
        return found

    @property
    def calls(self) -> Counter[Flip]:
        """Calls by flip."""
        return self._summed(0)

    @property
    def money(self) -> Counter[Flip]:
        """Money by flip."""
        return self._summed(1)

    def examples(self) -> list[tuple[Flip, list[Shown]]]:
        """The examples of every flip, sorted."""
        return sorted(self.shown.items())

    def _summed(self, part: int) -> Counter[Flip]:
        found: Counter[Flip] = Counter()
        for (_, was, now), sums in sorted(self.ends.items()):
            found[was, now] += sums[part]
        return found

    @property
    def flips(self) -> int:
        """Calls that would have ended otherwise."""
        return sum(count for (old, new), count in self.calls.items() if old != new)

    @property
    def decided(self) -> int:
        """Calls that were decided again."""
        return self.calls.total()

    def moved(self) -> int:
        """Money that would have moved and did not."""
        return sum(money for (old, new), money in self.money.items() if new == "completed" != old) - self.moved_later

    def held(self) -> int:
        """Money that moved and would not have."""
        return sum(money for (old, new), money in self.money.items() if old == "completed" != new)

    def a_day(self, load: Load) -> float:
        """Requests a day, over the days of the log."""
        return load.total() / len(self.days) if self.days else 0.0


def _shown_of(row: Row, amount: int) -> Shown:
    entry, new = row.entry, row.new
    why = tuple([reason.code for reason in row.why])
    rules = new.rules if new else ()
    return Shown(entry.line, entry.at, entry.call_id or "", entry.tool, amount, entry.old.rules, rules, why)


def as_json(made: Backtest) -> dict[str, Json]:
    """Everything that was counted, with amounts as text."""
    money = currency(made.currency)
    return {
        "policy": made.policy,
        "currency": made.currency,
        "decided": made.decided,
        "flips": made.flips,
        "would_have_moved": money.format(made.moved()),
        "would_have_been_held": money.format(made.held()),
        "reviewers": {"recorded": _load(made, made.old_load), "now": _load(made, made.new_load)},
        "outcomes": [
            {"was": old, "now": new, "calls": count, "amount": money.format(made.money[old, new])}
            for (old, new), count in sorted(made.calls.items())
        ],
        "tools": {
            tool: [{"was": old, "now": new, "calls": count} for (old, new), count in flips.items()]
            for tool, flips in made.by_tool.items()
        },
        "not_decided": {
            "kept": made.kept,
            "missing_facts": {name: count for name, count in sorted(made.undecided.items()) if name},
            "calls_with_missing_facts": made.undecided[""],
            "outside": made.outside,
            "other_records": made.others,
            "damaged": made.damaged,
        },
        "damage": [{"line": each.line, "reason": each.reason} for each in made.damage],
        "calls": {f"{was}:{now}": [_shown(each, made) for each in shown] for (was, now), shown in made.examples()},
    }


def _load(made: Backtest, load: Load) -> Json:
    return {"a_day": round(made.a_day(load), 1), "peak": load.peak(), "queues": load.queues()}


def _shown(each: Shown, made: Backtest) -> Json:
    return {
        "line": each.line,
        "at": each.at,
        "call_id": each.call_id,
        "tool": each.tool,
        "amount": currency(made.currency).format(each.amount),
        "rules_then": list(each.old_rules),
        "rules_now": list(each.new_rules),
        "why": list(each.why),
    }
