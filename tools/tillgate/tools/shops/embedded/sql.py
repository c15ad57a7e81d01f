"""The only place where the shop's SQL is executed: one SQLite connection, plain statements, bound values.

It opens and ends no transaction of its own: whoever owns the connection does, so that shop changes and audit
records commit together. Only names from a `TableSpec` are ever part of a statement.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tillgate.tools.shops.embedded.engine import dbapi

if TYPE_CHECKING:
    import sqlite3

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]
Row = dbapi.Row
"""One row of an answer, by position or by column name."""

_PRAGMAS = (
    "busy_timeout = 0",  # the store waits by itself
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",  # a one-time code that was sent leaves no trace in free pages
)
_REFERENCES = ("UNIQUE constraint failed", "FOREIGN KEY constraint failed")


MAIN = "main"
"""The shop of a database that holds but one."""


class Conflict(Exception):
    """Another record depends on one that would go, or there is one already where one would come."""


def connect(path: str | Path) -> "sqlite3.Connection":
    """A durable connection: WAL, every commit synced, foreign keys held, no waiting for a lock."""
    connection = dbapi.connect(path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


class Sql:
    """A thin wrapper over one connection, for one shop. Rows answer to position and to column name."""

    __slots__ = ("_connection", "shop")

    def __init__(self, connection: "sqlite3.Connection", shop: str = MAIN) -> None:
        connection.row_factory = dbapi.Row
        self._connection = connection
        self.shop = shop

    @property
    def connection(self) -> "sqlite3.Connection":
        """The connection itself, for its owner: transactions, backup, close."""
        return self._connection

    @property
    def in_transaction(self) -> bool:
        """Whether what is run now is part of a transaction."""
        return self._connection.in_transaction

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """Every row of the answer."""
        return self._connection.execute(sql, params).fetchall()

    def stream(self, sql: str, params: Params = ()) -> Generator[Row]:
        """The rows of the answer one by one: what is not asked for is not looked for."""
        cursor = self._connection.execute(sql, params)
        try:
            yield from cursor
        finally:
            cursor.close()

    def row(self, sql: str, params: Params = ()) -> Row | None:
        """The first row of the answer, if there is one."""
        cursor = self._connection.execute(sql, params)
        first: Row | None = cursor.fetchone()
        cursor.close()
        return first

    def run(self, sql: str, params: Params = ()) -> int:
        """Execute a statement that answers nothing; the number of rows it changed."""
        try:
            return self._connection.execute(sql, params).rowcount
        except dbapi.IntegrityError as error:
            if not str(error).startswith(_REFERENCES):
                raise
            raise Conflict(str(error)) from error

    def executemany(self, sql: str, params: Iterable[Params]) -> int:
        """Execute one statement for each set of parameters; the number of rows changed in all."""
        return self._connection.executemany(sql, params).rowcount

    @contextmanager
    def savepoint(self, name: str) -> Generator[None]:
        """All or nothing inside whatever transaction is open: an exception undoes the block and goes on.

        `name` is a literal of the code.
        """
        self.run(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            if not self.in_transaction:
                raise  # a full or failing disk has ended the whole of it already
            self.run(f"ROLLBACK TO {name}")
            self.run(f"RELEASE {name}")
            raise
        self.run(f"RELEASE {name}")
