"""The conversations of one transaction: each is read once, and what its calls add is written as the transaction closes.

So the calls of one conversation see each other's counts, also before anything of them is written.
"""

from typing import Any, Literal, TypeAlias

from msgspec.structs import replace

from tillgate.guards.desk import Caller, Talk, Tally
from tillgate.guards.ports import Minter
from tillgate.server.store.rows import json_text, talk_from
from tillgate.tools.shops.embedded.sql import Sql

_Waits: TypeAlias = Literal["no", "counts", "all"]
_Held: TypeAlias = tuple[Talk, _Waits]
"""A conversation as it stands, and what of it is still to be written."""
_READ = "SELECT * FROM conversation WHERE shop = ? AND id = ?"
_OPEN = (
    "INSERT INTO conversation (calls, writes, denied, escalated, orders, last_record, shop, id, name, nonce, misses)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"
)
_COUNT = (
    "UPDATE conversation SET calls = ?, writes = ?, denied = ?, escalated = ?, orders = ?, last_record = ?"
    " WHERE shop = ? AND id = ?"
)


class Talks:
    """Whoever would change a conversation in any other way says so first (`changing`)."""

    def __init__(self, sql: Sql, minter: Minter) -> None:
        self._sql = sql
        self._minter = minter
        self._held: dict[str, _Held] = {}
        self._before: list[tuple[str, _Held | None]] = []
        """What each step took the place of, so that it can be taken back."""

    def of(self, caller: Caller) -> Talk:
        """The conversation of this caller, opened on its first call."""
        key = key_of(caller)
        if (talk := self._find(key)) is None:
            talk = Talk(key, caller.conversation, self._minter.token(), None, None, 0, 0, 0, 0, 0, frozenset(), None)
            self._hold(key, (talk, "all"))
        return talk

    def foresee(self, caller: Caller) -> str | None:
        """This conversation will be asked for. The customer it is with, if that is known already."""
        key = key_of(caller)
        if (held := self._held.get(key)) is not None:
            return held[0].customer_id
        self._sql.foresee(_READ, (self._sql.shop, key))
        return None

    def count(self, key: str, tally: Tally, last_record: int) -> None:
        """Add what a finished call did to its conversation."""
        if (talk := self._find(key)) is None:
            return
        waits: _Waits = "all" if self._held[key][1] == "all" else "counts"
        counted = replace(
            talk,
            calls=talk.calls + tally.new_call,
            writes=talk.writes + tally.executed_write,
            denied=talk.denied + tally.denied,
            escalated=talk.escalated + tally.escalated,
            orders=talk.orders | {tally.order} if tally.order else talk.orders,
            last_record=last_record,
        )
        self._hold(key, (counted, waits))

    def changing(self, key: str) -> None:
        """Its row is about to be changed by somebody else: what waits is written, and it is read anew."""
        if key in self._held:
            self.write(key)
            self._hold(key, None)

    def write(self, *keys: str) -> None:
        """Put what waits into the store, of all of them or of these."""
        held = [self._held[key] for key in keys if key in self._held] if keys else list(self._held.values())
        if counted := [talk for talk, waits in held if waits == "counts"]:
            self._sql.tell_each(_COUNT, [self._counts(talk) for talk in counted])
        if opened := [talk for talk, waits in held if waits == "all"]:
            self._sql.tell_each(_OPEN, [(*self._counts(talk), talk.id, talk.nonce) for talk in opened])
        for talk in (*counted, *opened):
            self._hold(talk.key, (talk, "no"))

    def mark(self) -> int:
        """How the conversations stand now."""
        return len(self._before)

    def back_to(self, mark: int) -> None:
        """As they stood then. What was written since has gone with the savepoint."""
        while len(self._before) > mark:
            key, held = self._before.pop()
            if held is None:
                self._held.pop(key, None)
            else:
                self._held[key] = held

    def _find(self, key: str) -> Talk | None:
        if (held := self._held.get(key)) is not None:
            return held[0]
        row = self._sql.row(_READ, (self._sql.shop, key))
        if row is None:
            return None
        talk = talk_from(row)
        self._hold(key, (talk, "no"))
        return talk

    def _hold(self, key: str, held: _Held | None) -> None:
        self._before.append((key, self._held.get(key)))
        if held is None:
            del self._held[key]
        else:
            self._held[key] = held

    def _counts(self, talk: Talk) -> tuple[Any, ...]:
        orders = json_text(sorted(talk.orders))
        return talk.calls, talk.writes, talk.denied, talk.escalated, orders, talk.last_record, self._sql.shop, talk.key


def key_of(caller: Caller) -> str:
    """The key of the caller's conversation."""
    return f"{caller.principal}/{caller.conversation}"
