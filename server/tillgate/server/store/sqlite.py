"""The SQLite store: one connection, one exclusive durable transaction at a time, nothing half done.

`BEGIN IMMEDIATE` takes the writer's place before the first read, so what a call saw is still so when it is applied,
also with several processes on the file. A commit returns only when it is on disk (`synchronous=FULL`).
"""

import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlmodel import create_engine

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.ports import Clock, Minter
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.tables import metadata
from tillgate.tools.shops.embedded.sql import Sql, connect
from tillgate.tools.shops.embedded.tables import create_tables

SCHEMA = 2
"""The layout of the tables; it goes up when a store of before could not be read."""


class SqliteStore:
    """Implements `tillgate.guards.desk.Store` on one file."""

    def __init__(self, path: Path, clock: Clock, minter: Minter) -> None:
        self.path = path
        self._clock = clock
        self._minter = minter
        self._lock = threading.Lock()
        self._connection = _opened(path)
        self._after_commit: Callable[[], None] = _nothing

    def on_commit(self, notify: Callable[[], None]) -> None:
        """Call this after each durable commit; it must not raise and must not block."""
        self._after_commit = notify

    @contextmanager
    def transaction(self) -> Generator[SqlDesk]:
        """One exclusive transaction: durable when the block ends, gone when it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqlDesk(Sql(self._connection), self._clock.now(), self._minter)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._commit()
        self._after_commit()

    @contextmanager
    def reading(self) -> Generator[SqlDesk]:
        """A look at one instant; nothing written in it stays."""
        with self._lock:
            self._connection.execute("BEGIN")
            try:
                yield SqlDesk(Sql(self._connection), self._clock.now(), self._minter)
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _opened(path: Path) -> sqlite3.Connection:
    try:
        if not path.parent.is_dir():
            raise ConfigurationError(f"{path}: there is no directory {path.parent}")
        _create(path)
        return connect(path)
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise ConfigurationError(f"{path}: cannot open the store: {cause}") from error


def _create(path: Path) -> None:
    """Make what is not there yet. Processes that start on a new file together wait for one another."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _check_schema(connection, path)
            create_tables(connection)
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA}")
            connection.commit()
    finally:
        engine.dispose()


def _check_schema(connection: Connection, path: Path) -> None:
    """A store of another layout is left as it is: nothing of it is read wrongly, and nothing is lost."""
    found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE type = 'table'").scalar_one()
    if tables and found != SCHEMA:
        raise ConfigurationError(
            f"{path}: this store has layout {found}, and this version of Tillgate works with layout {SCHEMA}; "
            "keep it for the version that made it, and seed a new file"
        )


def _nothing() -> None:
    return None
