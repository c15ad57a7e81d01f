"""Says what a policy would have made of recorded calls: which would have ended otherwise, what money would have moved
or been held, and how much work people would have had.

The rule kept: what cannot be decided from what was recorded is counted apart and never guessed. One pass over the lines
and a bounded number of examples, so a log of any length can be read.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tillgate.guards.model import Json
from tillgate.guards.money import currency
from tillgate.guards.policy.types import Policy
from tillgate.server.replay import Row, Unreadable, again

MOST_SHOWN = 200
"""Calls kept as examples of one flip."""
UNKNOWN = "not recorded"

Flip = tuple[str, str]
"""How a call ended, and how it would end."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One call behind a number; `amount` in minor units."""

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

    by_day: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter[str]))

    def add(self, at: str, queue: str) -> None:
        """One request of a day."""
        self.by_day[at[:10]][queue] += 1

    def peak(self) -> int:
        """The most requests of one day."""
        return max((sum(queues.values()) for queues in self.by_day.values()), default=0)

    def total(self) -> int:
        """All requests."""
        return sum(sum(queues.values()) for queues in self.by_day.values())

    def queues(self) -> Mapping[str, int]:
        """All requests by queue."""
        whole: Counter[str] = Counter()
        for queues in self.by_day.values():
            whole.update(queues)
        return dict(sorted(whole.items()))


@dataclass(slots=True)
class Backtest:
    """The counts of one log under one policy. Money is in minor units and counted once for each plan."""

    policy: str
    currency: str
    calls: Counter[Flip] = field(default_factory=Counter[Flip])
    money: Counter[Flip] = field(default_factory=Counter[Flip])
    by_tool: dict[str, Counter[Flip]] = field(default_factory=lambda: defaultdict(Counter[Flip]))
    shown: dict[Flip, list[Shown]] = field(default_factory=lambda: defaultdict(list[Shown]))
    old_load: Load = field(default_factory=Load)
    new_load: Load = field(default_factory=Load)
    undecided: Counter[str] = field(default_factory=Counter[str])
    kept: int = 0
    others: int = 0
    outside: int = 0
    damaged: int = 0
    damage: list[Unreadable] = field(default_factory=list[Unreadable])
    days: set[str] = field(default_factory=set[str])

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
        return sum(money for (old, new), money in self.money.items() if new == "completed" != old)

    def held(self) -> int:
        """Money that moved and would not have."""
        return sum(money for (old, new), money in self.money.items() if old == "completed" != new)

    def a_day(self, load: Load) -> float:
        """Requests a day, over the days of the log."""
        return load.total() / len(self.days) if self.days else 0.0


def backtest(
    lines: Iterable[bytes | str],
    policy: Policy,
    *,
    since: str = "",
    until: str = "9999",
    seen: Callable[[int], None] = lambda _: None,
) -> Backtest:
    """Decide every call of a transcript again and count. `since` and `until` are days, both counted; `seen` hears the
    length of each line as it is read. Calls before `since` still fill budgets.
    """
    made = Backtest(policy.digest, policy.currency)
    for each in again(_heard(lines, seen), policy, strict=False):
        if isinstance(each, Unreadable):
            made.damaged += 1
            made.damage += [each] if made.damaged <= MOST_SHOWN else []
        elif each is None:
            made.others += 1
        elif not since <= each.at[:10] <= until:
            made.outside += 1
        else:
            _count(made, each)
    return made


def _heard(lines: Iterable[bytes | str], seen: Callable[[int], None]) -> Iterable[bytes | str]:
    for line in lines:
        seen(len(line))
        yield line


def _count(made: Backtest, row: Row) -> None:
    made.days.add(row.at[:10])
    if row.new is None:
        made.kept += 1
        return
    if row.missing:
        made.undecided.update(row.missing)
        made.undecided[""] += 1
        return
    flip = row.old.status or UNKNOWN, row.new.status or UNKNOWN
    amount = row.amount if row.moves else 0
    made.calls[flip] += 1
    made.money[flip] += amount
    made.by_tool[row.tool][flip] += 1
    for side, load in ((row.old, made.old_load), (row.new, made.new_load)):
        if side.status == "escalated" and row.moves:
            load.add(row.at, side.queue or UNKNOWN)
    if flip[0] != flip[1] and len(made.shown[flip]) < MOST_SHOWN:
        why = tuple(reason.code for reason in row.why)
        told = Shown(row.at, row.call_id or "", row.tool, amount, row.old.rules, row.new.rules, why)
        made.shown[flip].append(told)


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
            tool: [{"was": old, "now": new, "calls": count} for (old, new), count in sorted(flips.items())]
            for tool, flips in sorted(made.by_tool.items())
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
        "calls": {f"{old}:{new}": [_shown(each, made) for each in shown] for (old, new), shown in made.shown.items()},
    }


def _load(made: Backtest, load: Load) -> Json:
    return {"a_day": round(made.a_day(load), 1), "peak": load.peak(), "queues": load.queues()}


def _shown(each: Shown, made: Backtest) -> Json:
    return {
        "at": each.at,
        "call_id": each.call_id,
        "tool": each.tool,
        "amount": currency(made.currency).format(each.amount),
        "rules_then": list(each.old_rules),
        "rules_now": list(each.new_rules),
        "why": list(each.why),
    }
