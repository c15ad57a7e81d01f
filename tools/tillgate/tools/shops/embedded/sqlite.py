"""SQLite: one connection to a file, every commit synced, and the store's statements on it."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tillgate.guards.errors import ConfigurationError
from tillgate.tools.shops.embedded.dialect import SQLITE, Dialect
from tillgate.tools.shops.embedded.engine import dbapi
from tillgate.tools.shops.embedded.savepoints import Block, Savepoints
from tillgate.tools.shops.embedded.sql import MAIN, Conflict, Params, Statement

if TYPE_CHECKING:
    import sqlite3

_FULL, _ON = 2, 1
_PRAGMAS: Mapping[str, str | int] = {
    "journal_mode": "wal",
    "synchronous": _FULL,
    "foreign_keys": _ON,
    "secure_delete": _ON,  # a one-time code that was sent leaves no trace in free pages
    "busy_timeout": 0,  # from here on the store waits by itself
}
OPENING_SECONDS = 10.0
"""How long opening waits for the others on the file: after a crash, one of them puts the file in order first."""
_REFERENCES = ("UNIQUE constraint failed", "FOREIGN KEY constraint failed")


def connect(path: str | Path) -> "sqlite3.Connection":
    """A durable connection: WAL, every commit synced, foreign keys held, no waiting for a lock."""
    return durable(
        dbapi.connect(
            path, timeout=OPENING_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
        )
    )


def durable(connection: "sqlite3.Connection") -> "sqlite3.Connection":
    """The connection as the store wants it. SQLite passes over a pragma it cannot follow, so each is read back.

    Raises ConfigurationError, and closes the connection, where one was not followed.
    """
    for name, value in _PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}").close()
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            connection.close()
            raise ConfigurationError(f"SQLite keeps {name} at {found}, not {value}: what was answered could be lost")
    _put_in_order(connection)
    return connection


def _put_in_order(connection: "sqlite3.Connection") -> None:
    """Put the log into the database, as far as others let us.

    Whoever is alone finds there what can be read; some of it may never have been synced, and what was written after it
    would go with it when the power does.
    """
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").close()


class SqliteSql:
    """Implements `Sql`: a thin wrapper over one connection."""

    __slots__ = ("_connection", "_savepoints", "shop")
    dialect: Dialect = SQLITE
    far = False

    def __init__(self, connection: "sqlite3.Connection", shop: str = MAIN) -> None:
        connection.row_factory = dbapi.Row
        self._connection = connection
        self._savepoints = Savepoints(self._say, lambda: self.in_transaction)
        self.shop = shop

    @property
    def connection(self) -> "sqlite3.Connection":
        """The connection itself, for its owner: transactions, backup, close."""
        return self._connection

    @property
    def in_transaction(self) -> bool:
        """A full or failing disk ends it by itself."""
        return self._connection.in_transaction

    def rows(self, sql: str, params: Params = ()) -> "list[sqlite3.Row]":
        return self._connection.execute(sql, params).fetchall()

    def row(self, sql: str, params: Params = ()) -> "sqlite3.Row | None":
        cursor = self._connection.execute(sql, params)
        first: sqlite3.Row | None = cursor.fetchone()
        cursor.close()
        return first

    def stream(self, sql: str, params: Params = ()) -> "Generator[sqlite3.Row]":
        cursor = self._connection.execute(sql, params)
        try:
            yield from cursor
        finally:
            cursor.close()

    def rows_each(self, asked: Sequence[Statement]) -> "list[list[sqlite3.Row]]":
        return [self.rows(sql, params) for sql, params in asked]

    def foresee(self, sql: str, params: Params = ()) -> None:
        """Nothing is gained by asking a file early."""

    def send(self) -> None:
        """A file has done at once what it was told."""

    def run(self, sql: str, params: Params = ()) -> int:
        self._savepoints.take()
        try:
            return self._connection.execute(sql, params).rowcount
        except dbapi.IntegrityError as error:
            if not str(error).startswith(_REFERENCES):
                raise
            raise Conflict(str(error)) from error

    def run_each(self, told: Sequence[Statement]) -> list[int]:
        return [self.run(sql, params) for sql, params in told]

    def tell(self, sql: str, params: Params = ()) -> None:
        self.run(sql, params)

    def tell_each(self, sql: str, params: Iterable[Params]) -> None:
        self._savepoints.take()
        self._connection.executemany(sql, params)

    def hurry(self) -> None:
        """A statement that fails is known at once here, and harms no other."""

    def savepoint(self, name: str) -> Block:
        return self._savepoints.block(name)

    def _say(self, sql: str) -> None:
        self._connection.execute(sql)
