"""Decides the calls of a transcript again, offline, and says which would now end otherwise, and why.

The rule kept: only recorded facts are used, never a database or a clock, and no line is passed over in silence: it is
decided again, kept as it was with the reason, or reported as unreadable.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tillgate.guards.policy.types import Policy
from tillgate.server.decided_again import Again, Row, Unreadable
from tillgate.server.in_turn import InTurn
from tillgate.server.transcript import Ended, Line


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


def replay(lines: Iterable[Line], policy: Policy) -> Replay:
    """Decide every call of a transcript (JSON Lines) again. The same lines and policy give the same replay."""
    found = list(again(lines, policy))
    rows = tuple(each for each in found if isinstance(each, Row))
    unreadable = tuple(each for each in found if isinstance(each, Unreadable))
    return Replay(policy.digest, policy.currency, rows, unreadable, len(found) - len(rows) - len(unreadable))


def again(lines: Iterable[Line], policy: Policy, *, strict: bool = True) -> Iterator[Row | Unreadable | None]:
    """The lines of a transcript one by one, decided again; None for a record that is no call."""
    decided = Again(policy)
    in_turn = InTurn(decided)
    for each in decided.read(lines, strict=strict):
        if isinstance(each, Row):
            yield in_turn.row(each) if each.waits else each
        elif isinstance(each, Ended):
            in_turn.ended(each.request)
            yield None
        else:
            yield each
