"""PostgreSQL: one connection to a server, and the store's statements on it in the server's own way of writing them."""

import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import RowMaker
from psycopg.types.numeric import Int8Dumper, IntLoader

from tillgate.guards.errors import Unavailable
from tillgate.tools.shops.embedded.dialect import POSTGRESQL, Dialect
from tillgate.tools.shops.embedded.sql import MAIN, Conflict, Params, Row, Statement

_REFERENCES = (psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation)
_PLACE = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|\?|:([a-z_0-9]+)""")
_STATEMENTS = 512
"""So many statements the server keeps prepared: more than there are."""
_FETCHED = 60
"""So many rows of a stream come at a time."""

Connection = psycopg.Connection[Any]


def connect(url: str, **options: Any) -> Connection:
    """A connection on which only its owner begins and ends transactions. Raises psycopg's OperationalError."""
    connection: Connection = psycopg.connect(
        url, autocommit=True, row_factory=_named, cursor_factory=psycopg.RawCursor, prepare_threshold=1, **options
    )
    connection.prepared_max = _STATEMENTS
    for kind in (int, bool):
        connection.adapters.register_dumper(kind, Int8Dumper)
    connection.adapters.register_loader("numeric", IntLoader)  # sums, and all there is are whole numbers
    return connection


class PostgresSql:
    """Implements `Sql`: a thin wrapper over one connection."""

    __slots__ = ("_connection", "shop")
    dialect: Dialect = POSTGRESQL

    def __init__(self, connection: Connection, shop: str = MAIN) -> None:
        self._connection = connection
        self.shop = shop

    @property
    def in_transaction(self) -> bool:
        return self._connection.info.transaction_status == TransactionStatus.INTRANS

    def rows(self, sql: str, params: Params = ()) -> Sequence[Row]:
        found: list[Row] = self._execute(sql, params).fetchall()
        return found

    def row(self, sql: str, params: Params = ()) -> Row | None:
        first: Row | None = self._execute(sql, params).fetchone()
        return first

    def ask(self, sql: str, params: Params = ()) -> Callable[[], Sequence[Row]]:
        return lambda: self.rows(sql, params)

    def stream(self, sql: str, params: Params = ()) -> Generator[Row]:
        said, names = _said(sql)
        cursor = psycopg.RawServerCursor(self._connection, "streamed")
        cursor.itersize = _FETCHED
        with self._refusals(), cursor:
            cursor.execute(said, _in_order(names, params))
            yield from cursor

    def rows_each(self, asked: Sequence[Statement]) -> Sequence[Sequence[Row]]:
        return [self.rows(sql, params) for sql, params in asked]

    def run(self, sql: str, params: Params = ()) -> int:
        try:
            return self._execute(sql, params).rowcount
        except _REFERENCES as error:
            raise Conflict(str(error)) from error

    def run_each(self, told: Sequence[Statement]) -> list[int]:
        return [self.run(sql, params) for sql, params in told]

    def tell(self, sql: str, params: Params = ()) -> None:
        self.run(sql, params)

    def tell_each(self, sql: str, params: Iterable[Params]) -> None:
        said, names = _said(sql)
        with self._refusals(), self._connection.cursor() as cursor:
            cursor.executemany(said, [_in_order(names, each) for each in params])

    @contextmanager
    def savepoint(self, name: str) -> Generator[None]:
        self.run(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            if self._connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                self.run(f"ROLLBACK TO {name}")
                self.run(f"RELEASE {name}")
            raise
        self.run(f"RELEASE {name}")

    def _execute(self, sql: str, params: Params) -> psycopg.Cursor[Any]:
        said, names = _said(sql)
        with self._refusals():
            return self._connection.execute(said, _in_order(names, params))

    @contextmanager
    def _refusals(self) -> Generator[None]:
        """A server that is gone, or that puts another's transaction before this one: nothing of it was done."""
        try:
            yield
        except psycopg.Error as error:
            if self._connection.closed or isinstance(error, psycopg.OperationalError):
                raise Unavailable(f"PostgreSQL: {str(error).strip()}") from error
            raise


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


def _in_order(names: Sequence[str], params: Params) -> Sequence[Any]:
    return [params[name] for name in names] if names else tuple(params)  # type: ignore[call-overload]


def _named(cursor: psycopg.Cursor[Any]) -> RowMaker[Any]:
    maker: RowMaker[Any] = _row_type(tuple(column.name for column in cursor.description or ()))
    return maker


@cache
def _row_type(names: tuple[str, ...]) -> Any:
    """Rows with these columns: a tuple that can be asked for one by name, the last of several with the same."""
    places = {name: place for place, name in enumerate(names)}

    class Named(tuple[Any, ...]):
        __slots__ = ()

        def __getitem__(self, key: Any, /) -> Any:
            return super().__getitem__(places[key] if isinstance(key, str) else key)

        def keys(self) -> Iterable[str]:
            return names

    return Named
