"""A session with a PostgreSQL server on which statements need not wait for one another's answers.

What is told goes out with whatever is asked next, and the answers come in the same order. The server keeps every
statement prepared. Values and answers are text; whole numbers, bytes and text are all there is.
"""

import re
import selectors
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import psycopg
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from tillgate.guards.errors import Unavailable
from tillgate.tools.shops.embedded.sql import Conflict, Overtaken, Params

Cell: TypeAlias = Callable[[bytes], Any]
Shape: TypeAlias = tuple[tuple[str, ...], Sequence[Cell]]
"""The names of the columns of an answer, and how each is read."""
_PLACE = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\?|:([a-z_0-9]+)""")
_STATEMENTS = 512
"""So many statements are kept prepared: more than there are."""
_MOST_UNREAD = 1_000
"""So many answers may wait to be read."""
_SELECTOR: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""Neither keeps anything open. Where there is no `poll`, which is on Windows, `select` takes a socket of any number."""
_REFERENCES = (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation)
_NOT_NOW = (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout)
_BEFORE_US = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_WELL = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)
_IN_PART = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def _bytes(cell: bytes) -> bytes:
    return bytes.fromhex(cell[2:].decode())


def _truth(cell: bytes) -> bool:
    return cell == b"t"


_CELLS: Mapping[int, Cell] = {16: _truth, 17: _bytes, 20: int, 21: int, 23: int, 1700: int}
"""What is made of a cell, by the number of its type: whole numbers (sums too), bytes, truths. All else is text."""


class Answer:
    """What comes of a statement, once it has come."""

    __slots__ = ("prepares", "result", "statement")

    def __init__(self, statement: bytes, *, prepares: bool = False) -> None:
        self.statement = statement
        self.prepares = prepares
        self.result: PGresult | None = None


class Wire:
    """One connection, whose owner begins and ends transactions on it. Raises Unavailable when the server is gone."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._conn: PGconn = connection.pgconn
        self._conn.nonblocking = 0  # it sends all there is to send, and reads meanwhile what comes
        self._conn.enter_pipeline_mode()
        self._incoming = _SELECTOR()
        self._incoming.register(self._conn.socket, selectors.EVENT_READ)
        self._prepared: dict[bytes, bytes] = {}
        self._names = 0
        self._shapes: dict[bytes, Shape] = {}
        self._coming: deque[Answer | None] = deque()
        """What will be answered, in this order; None is a mark, at which the server has said all there is so far."""
        self._told = 0
        """How many statements were told since the last mark."""
        self._failed: PGresult | None = None

    @property
    def closed(self) -> bool:
        """Whether the server is gone, or the connection was closed."""
        return self._connection.closed or self._connection.broken

    @property
    def in_transaction(self) -> bool:
        """Whether there is a transaction that can still be committed, as far as answers were read."""
        return self._conn.transaction_status == TransactionStatus.INTRANS

    @property
    def in_part_of_one(self) -> bool:
        """The same, or one in which a statement has failed."""
        return self._conn.transaction_status in _IN_PART

    def close(self) -> None:
        self._connection.close()

    def tell(self, sql: str, params: Params = ()) -> Answer:
        """Have a statement executed before the next one that is asked."""
        said, names = said_as(sql)
        return self.tell_values(said, values_of(params, names))

    def tell_values(self, said: bytes, values: Sequence[Any]) -> Answer:
        """The same for a statement and its values as the server takes them."""
        try:
            name = self._prepared.get(said) or self._prepare(said)
            encoded = [_encoded(value) for value in values]
            formats = _formats(values) if bytes in map(type, values) else None
            self._conn.send_query_prepared(name, encoded, formats)
        except psycopg.Error as error:
            raise self._failure(error) from error
        answer = Answer(said)
        self._coming.append(answer)
        self._told += 1
        if self._told > _MOST_UNREAD:
            self.sync()
        return answer

    def ask(self, sql: str, params: Params = ()) -> PGresult:
        """The answer to a statement."""
        return self.read(self.tell(sql, params))

    def send(self) -> None:
        """Have the server begin with whatever was told, and go on without its answers."""
        if not self._told:
            return
        self._told = 0
        try:
            self._conn.pipeline_sync()
        except psycopg.Error as error:
            raise self._failure(error) from error
        self._coming.append(None)

    def sync(self) -> None:
        """Read the answers to everything told so far. Raises what the first of them failed with."""
        self.send()
        self._read_while(lambda: bool(self._coming))
        if self._failed is not None:
            failed, self._failed = self._failed, None
            why = psycopg.errors.error_from_result(failed)
            raise self._failure(why) from why

    def read(self, answer: Answer) -> PGresult:
        """The answer to a statement that was told. Raises what it, or one before it, failed with."""
        if answer.result is None:
            self.send()
            self._read_while(lambda: answer.result is None or (bool(self._coming) and self._coming[0] is None))
        if self._failed is not None:
            self.sync()
        if answer.result is None or answer.result.status not in _WELL:
            raise Overtaken("PostgreSQL: the transaction had failed before this was asked")
        return answer.result

    def shape(self, answer: Answer, result: PGresult) -> Shape:
        """The columns of an answer, which are the same for a statement each time."""
        shape = self._shapes.get(answer.statement)
        if shape is None:
            shape = self._shapes[answer.statement] = shape_of(result)
        return shape

    def _prepare(self, said: bytes) -> bytes:
        self._names += 1
        name = self._prepared[said] = f"t{self._names}".encode()
        self._conn.send_prepare(name, said)
        self._coming.append(Answer(said, prepares=True))
        return name

    def _read_while(self, wanted: Callable[[], bool]) -> None:
        try:
            while wanted() and self._coming:
                self._took(self._coming.popleft(), self._next())
        except psycopg.Error as error:
            self._coming.clear()
            raise self._failure(error) from error

    def _took(self, answer: Answer | None, result: PGresult) -> None:
        if answer is None:
            return
        answer.result = result
        if result.status not in _WELL:
            if self._failed is None and result.status != ExecStatus.PIPELINE_ABORTED:
                self._failed = result
            if answer.prepares:
                del self._prepared[answer.statement]  # it was passed over, because something before it failed

    def _next(self) -> PGresult:
        """The next answer, or mark. Only the wait for the server lets other threads on."""
        conn = self._conn
        while True:
            while conn.is_busy():
                self._incoming.select()
                conn.consume_input()
            answer = conn.get_result()
            if answer is not None:
                return answer
            if self.closed:  # otherwise it stands between the answers to two statements
                raise psycopg.OperationalError(conn.error_message.decode("utf-8", "replace"))

    def _failure(self, error: psycopg.Error) -> Exception:
        """A server that is gone, or puts another's transaction before this one: nothing of it was done."""
        if isinstance(error, _REFERENCES):
            return Conflict(str(error))
        if isinstance(error, _BEFORE_US):
            return Overtaken(f"PostgreSQL: {str(error).strip()}")
        if self.closed or isinstance(error, _NOT_NOW):
            return Unavailable(f"PostgreSQL: {str(error).strip()}")
        return type(error)(str(error))


def _formats(values: Sequence[Any]) -> list[int]:
    return [Format.BINARY if type(value) is bytes else Format.TEXT for value in values]


def _encoded(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    return value.encode() if type(value) is str else b"%d" % value


@lru_cache(_STATEMENTS)
def said_as(sql: str) -> tuple[bytes, tuple[str, ...]]:
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


def values_of(params: Params, names: Sequence[str]) -> Sequence[Any]:
    """The values of a statement in the order of its places."""
    return [params[each] for each in names] if names else params  # type: ignore[call-overload,return-value]


def shape_of(answer: PGresult) -> Shape:
    """The columns of an answer, and how each is read."""
    columns = range(answer.nfields)
    names = tuple([(answer.fname(n) or b"").decode() for n in columns])
    return names, [_CELLS.get(answer.ftype(n), bytes.decode) for n in columns]
