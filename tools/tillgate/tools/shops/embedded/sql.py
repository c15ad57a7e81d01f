"""The only place where the shop's SQL is executed: one SQLite connection, plain statements, bound values.

It opens and ends no transaction of its own: whoever owns the connection does, so that shop changes and audit
records commit together. Only names from a `TableSpec` are ever part of a statement.
"""

import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]


_PRAGMAS = (
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",  # a one-time code that was sent leaves no trace in free pages
)


def connect(path: str | Path) -> sqlite3.Connection:
    """A durable connection: WAL, every commit synced, foreign keys held, five seconds' wait for a lock."""
    connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in (
        "busy_timeout = 5000",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


class Sql:
    """A thin wrapper over one connection. Rows answer to position and to column name."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection itself, for its owner: transactions, backup, close."""
        return self._connection

    def rows(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
        """Every row of the answer."""
        return self._connection.execute(sql, params).fetchall()

    def stream(self, sql: str, params: Params = ()) -> Generator[sqlite3.Row]:
        """The rows of the answer one by one: what is not asked for is not looked for."""
        cursor = self._connection.execute(sql, params)
        try:
            yield from cursor
        finally:
            cursor.close()

    def row(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
        """The first row of the answer, if there is one."""
        cursor = self._connection.execute(sql, params)
        first: sqlite3.Row | None = cursor.fetchone()
        cursor.close()
        return first

    def run(self, sql: str, params: Params = ()) -> int:
        """Execute a statement that answers nothing; the number of rows it changed."""
        return self._connection.execute(sql, params).rowcount

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
            self.run(f"ROLLBACK TO {name}")
            self.run(f"RELEASE {name}")
            raise
        self.run(f"RELEASE {name}")
