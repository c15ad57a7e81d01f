"""The audit log as it lies in the store: added to, read for export, and held against what the store itself says."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from tillgate.guards.audit.log import FIRST, GENESIS, Row, export_lines, seal
from tillgate.guards.audit.personal import SALT_BYTES
from tillgate.guards.errors import IntegrityError
from tillgate.guards.model import Json
from tillgate.tools.shops.embedded.sql import Sql

Waiting: TypeAlias = tuple[tuple[str, int, str, int | None, bytes], tuple[str, int, bytes] | None]
"""A record and the personal values beside it, ready to store."""

Mark: TypeAlias = tuple[int, str, int, int]
"""A place in a transaction: the end of the log then, how many records it had, and how many of them were written."""

LAST = "SELECT seq, hash FROM audit WHERE shop = ? ORDER BY seq DESC LIMIT 1"


class Tail:
    """The end of the log inside one exclusive transaction.

    It is read from the store at the first record, so the chain holds with several processes on one file; what is
    appended is numbered at once and written together.
    """

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self._shop = sql.shop
        self._end: tuple[int, str] | None = None
        self._records: list[Waiting] = []
        self._written = 0

    @property
    def seq(self) -> int:
        """The number of the last record; 0 while there is none."""
        return self._last()[0]

    def append(self, body: Mapping[str, Json], personal: Sequence[str], before: int | None) -> None:
        """One more record. `before` is the record before it in the same conversation."""
        last, prev = self._last()
        sealed = seal(body, seq=last + 1, prev=prev, personal=personal, salt=_salt)
        beside = sealed.personal
        values = (self._shop, last + 1, orjson.dumps(beside, option=orjson.OPT_SORT_KEYS)) if beside else None
        self._records.append(((self._shop, last + 1, sealed.hash, before, sealed.record), values))
        self._end = last + 1, sealed.hash

    @property
    def added(self) -> tuple[int, str] | None:
        """Number and hash of the last record of this transaction; None while it has none."""
        return self._last() if self._records else None

    def mark(self) -> Mark:
        """Where the log ends now."""
        return *self._last(), len(self._records), self._written

    def back_to(self, mark: Mark) -> None:
        """Forget what was appended since. What was written since has gone with the savepoint and is written again."""
        seq, prev, records, self._written = mark
        self._end = seq, prev
        del self._records[records:]

    def write(self) -> None:
        """Put what waits into the store."""
        waiting = self._records[self._written :]
        self._written = len(self._records)
        beside = [values for _, values in waiting if values is not None]
        if waiting:
            records = [record for record, _ in waiting]
            self._sql.tell_each("INSERT INTO audit (shop, seq, hash, before, record) VALUES (?, ?, ?, ?, ?)", records)
        if beside:
            self._sql.tell_each("INSERT INTO personal (shop, seq, entries) VALUES (?, ?, ?)", beside)

    def _last(self) -> tuple[int, str]:
        if self._end is None:
            row = self._sql.row(LAST, (self._shop,))
            self._end = (row["seq"], row["hash"]) if row else (FIRST - 1, GENESIS)
        return self._end


def _salt() -> bytes:
    return os.urandom(SALT_BYTES)


def stored_lines(sql: Sql, *, without_personal: bool = False) -> list[bytes]:
    """The whole log as an export. Raises IntegrityError where a stored record is not one."""
    try:
        return list(export_lines(_rows(sql), without_personal=without_personal))
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"the stored log cannot be read: {error}") from error


def unrecorded(sql: Sql) -> list[str]:
    """What the store did and the log does not tell: an emptied or shortened log gives itself away here."""
    shop = (sql.shop,)
    records: list[dict[str, Any]] = [
        orjson.loads(row["record"]) for row in sql.rows("SELECT record FROM audit WHERE shop = ?", shop)
    ]
    told = {record.get("call_id") for record in records}
    gaps = [
        f"{table} {row['call_id']} has no record"
        for table in ("action", "escalation")
        for row in sql.rows(f"SELECT call_id FROM {table} WHERE shop = ?", shop)  # noqa: S608
        if row["call_id"] not in told
    ]
    counted = sql.row("SELECT coalesce(sum(calls), 0) AS calls FROM conversation WHERE shop = ?", shop)
    calls = sum(record.get("kind") == "call" for record in records)
    if counted is not None and counted["calls"] != calls:
        gaps.append(f"the conversations made {counted['calls']} calls, the log tells of {calls}")
    return gaps


def _rows(sql: Sql) -> Iterator[Row]:
    stored = sql.rows(
        "SELECT a.seq, a.record, a.hash, p.entries"
        " FROM audit a LEFT JOIN personal p ON p.shop = a.shop AND p.seq = a.seq WHERE a.shop = ? ORDER BY a.seq",
        (sql.shop,),
    )
    for row in stored:
        if not isinstance(row["record"], bytes) or not isinstance(row["hash"], str):
            raise IntegrityError(f"stored record {row['seq']} is not of the kind that was written")
        yield row["record"], row["hash"], row["entries"]
