"""Says what a policy would have made of recorded calls: which would have ended otherwise, what money would have moved
or been held, and how much work people would have had.

The rule kept: what cannot be decided from what was recorded is counted apart and never guessed. A log is read in
blocks, each decided by itself, here or in another process; what hangs on order is settled in order. So the result is
the same however a log is cut, and a log of any length can be read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tillgate.guards.policy.types import Policy
from tillgate.server.backtest_counts import Backtest, Days
from tillgate.server.decided_again import Again, Row, Unreadable
from tillgate.server.in_turn import InTurn
from tillgate.server.transcript import Ended, Line

_LINES = 1024
"""Lines of a block, where nobody cut the log already."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a log, `size` bytes: what they count by themselves, and in order what has its turn."""

    lines: int
    size: int
    counted: Backtest
    waiting: list[Row | Ended]


class Reading:
    """What a log is read for: the policy that is tried, and the days that count."""

    def __init__(self, policy: Policy, days: Days) -> None:
        self._policy = policy
        self._again = Again(policy)
        self._days = days

    def _nothing(self) -> Backtest:
        """The counts of an empty log."""
        return Backtest(self._policy.digest, self._policy.currency)

    def block(self, lines: Sequence[Line], size: int = 0) -> Block:
        """Decide some lines, `size` bytes, as far as that can be done without those before them."""
        counted, waiting = self._nothing(), list[Row | Ended]()
        for each in self._again.read(lines, strict=False):
            if isinstance(each, Row):
                if each.waits:
                    waiting.append(each.lighter())
                else:
                    counted.count(each, self._days)
            elif isinstance(each, Unreadable):
                counted.unread(each)
            else:
                counted.others += 1
                if each is not None:
                    waiting.append(each)
        return Block(len(lines), size, counted, waiting)

    def whole(self, blocks: Iterable[Block], seen: Callable[[int], None] = lambda _: None) -> Backtest:
        """The counts of a log from those of its blocks, in order. `seen` hears the size of each."""
        made, in_turn, before = self._nothing(), InTurn(self._again), 0
        for block in blocks:
            settled = self._nothing()
            for each in block.waiting:
                if isinstance(each, Row):
                    settled.count(in_turn.row(each), self._days)
                else:
                    in_turn.ended(each.request)
            made.add(block.counted, before)
            made.add(settled, before)
            before += block.lines
            seen(block.size)
        return made


def backtest(lines: Iterable[bytes], policy: Policy, *, since: str = "", until: str = "9999") -> Backtest:
    """Decide every call of a transcript again and count. Calls before `since` still fill budgets."""
    reading = Reading(policy, Days(since, until))
    return reading.whole(map(reading.block, cut(lines)))


def cut(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines in blocks of a bounded number."""
    rest = iter(lines)
    while block := list(islice(rest, _LINES)):
        yield block
