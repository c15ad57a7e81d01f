"""A session with a PostgreSQL server on which statements need not wait for one another's answers.

What is told goes out with whatever is asked next, and is answered together with it. The server keeps every statement
prepared. Values and answers are text; whole numbers, bytes and text are all there is.
"""

import re
import select
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import psycopg
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from tillgate.guards.errors import Unavailable
from tillgate.tools.shops.embedded.sql import Conflict, Params

Cell: TypeAlias = Callable[[bytes], Any]
_PLACE = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\?|:([a-z_0-9]+)""")
_STATEMENTS = 512
"""So many statements are kept prepared: more than there are."""
_MOST_UNREAD = 1_000
"""So many answers may wait to be read."""
_REFERENCES = (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation)
_NOT_NOW = (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout)
_WELL = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_IN_PART = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def _bytes(cell: bytes) -> bytes:
    return bytes.fromhex(cell[2:].decode())


def _truth(cell: bytes) -> bool:
    return cell == b"t"


_CELLS: Mapping[int, Cell] = {16: _truth, 17: _bytes, 20: int, 21: int, 23: int, 1700: int}
"""What is made of a cell, by the number of its type: whole numbers (sums too), bytes, truths. All else is text."""


class Wire:
    """One connection, whose owner begins and ends transactions on it. Raises Unavailable when the server is gone."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._conn: PGconn = connection.pgconn
        self._conn.nonblocking = 0  # it sends all there is to send, and reads meanwhile what comes
        self._conn.enter_pipeline_mode()
        self._poll = select.poll()
        self._poll.register(self._conn.socket, select.POLLIN)
        self._prepared: dict[bytes, bytes] = {}
        self._unread: list[bytes | None] = []
        """Of each answer to come: the statement it prepares, if that is what it is about."""

    @property
    def closed(self) -> bool:
        """Whether the server is gone, or the connection was closed."""
        return self._connection.closed or self._connection.broken

    @property
    def in_transaction(self) -> bool:
        """Whether there is a transaction that can still be committed."""
        return self._conn.transaction_status == TransactionStatus.INTRANS

    @property
    def in_part_of_one(self) -> bool:
        """The same, or one in which a statement has failed."""
        return self._conn.transaction_status in _IN_PART

    def close(self) -> None:
        self._connection.close()

    def tell(self, sql: str, params: Params = ()) -> None:
        """Have a statement executed before the next one that is asked."""
        said, names = _said(sql)
        try:
            name = self._prepared.get(said) or self._prepare(said)
            values: Sequence[Any] = [params[each] for each in names] if names else params  # type: ignore[call-overload,assignment]
            encoded = [_encoded(value) for value in values]
            formats = [Format.BINARY if type(value) is bytes else Format.TEXT for value in values]
            self._conn.send_query_prepared(name, encoded, formats)
        except psycopg.Error as error:
            raise self._failure(error) from error
        self._unread.append(None)
        if len(self._unread) > _MOST_UNREAD:
            self.sync()

    def ask(self, sql: str, params: Params = ()) -> PGresult:
        """The answer to a statement."""
        self.tell(sql, params)
        return self.sync()[-1]

    def sync(self) -> list[PGresult]:
        """The answers to everything told since the last time. Raises what the first of them failed with."""
        about, self._unread = self._unread, []
        try:
            self._conn.pipeline_sync()
            answers = self._read()
        except psycopg.Error as error:
            raise self._failure(error) from error
        for answer in answers:
            if answer.status not in _WELL:
                self._forget(about, answers)
                why = psycopg.errors.error_from_result(answer)
                raise self._failure(why) from why
        return [answer for prepared, answer in zip(about, answers, strict=True) if prepared is None]

    def _prepare(self, said: bytes) -> bytes:
        name = self._prepared[said] = f"t{len(self._prepared)}".encode()
        self._conn.send_prepare(name, said)
        self._unread.append(said)
        return name

    def _forget(self, about: Sequence[bytes | None], answers: Sequence[PGresult]) -> None:
        """What was to be prepared and was passed over, because something before it failed."""
        for prepared, answer in zip(about, answers, strict=False):
            if prepared is not None and answer.status != ExecStatus.COMMAND_OK:
                del self._prepared[prepared]

    def _read(self) -> list[PGresult]:
        """The last answer to each statement, up to the mark. Only the wait for the server lets other threads on."""
        conn, answers = self._conn, list[PGresult]()
        while True:
            while conn.is_busy():
                self._poll.poll()
                conn.consume_input()
            answer = conn.get_result()
            if answer is None:  # between the answers to two statements, or because there will be no more
                if self.closed:
                    raise psycopg.OperationalError(conn.error_message.decode("utf-8", "replace"))
                continue
            if answer.status == ExecStatus.PIPELINE_SYNC:
                return answers
            answers.append(answer)

    def _failure(self, error: psycopg.Error) -> Exception:
        """A server that is gone, or puts another's transaction before this one: nothing of it was done."""
        if isinstance(error, _REFERENCES):
            return Conflict(str(error))
        if self.closed or isinstance(error, _NOT_NOW):
            return Unavailable(f"PostgreSQL: {str(error).strip()}")
        return type(error)(str(error))


def _encoded(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    return value.encode() if type(value) is str else b"%d" % value


@lru_cache(_STATEMENTS)
def _said(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """A statement with `$1` and so on where a value goes, and the names of the values, in that order, if they have."""
    names: list[str] = []
    marks = iter(range(1, sql.count("?") + 1))

    def place(found: re.Match[str]) -> str:
        if found[0] == "?":
            return f"${next(marks)}"
        if (name := found[1]) is None:
            return found[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACE.sub(place, sql).encode(), tuple(names)


def cells_of(answer: PGresult) -> tuple[tuple[str, ...], Sequence[Cell]]:
    """The columns of an answer, and how each is read."""
    columns = range(answer.nfields)
    names = tuple([(answer.fname(n) or b"").decode() for n in columns])
    return names, [_CELLS.get(answer.ftype(n), bytes.decode) for n in columns]
