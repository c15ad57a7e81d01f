"""The SQLite store: one connection to a file.

`BEGIN IMMEDIATE` takes the writer's place before the first read, also from other processes on the file. A commit
returns only when it is on disk (`synchronous=FULL`).
"""

import random
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tillgate.guards.errors import ConfigurationError, Unavailable, Unsure
from tillgate.guards.ports import Clock, Minter
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.layout import layout_of_file, refuse
from tillgate.server.store.store import SqlStore
from tillgate.tools.shops.embedded import engine
from tillgate.tools.shops.embedded.engine import dbapi
from tillgate.tools.shops.embedded.sql import MAIN, Sql
from tillgate.tools.shops.embedded.sqlite import OPENING_SECONDS, SqliteSql, connect

if TYPE_CHECKING:
    import sqlite3

WAITS_SECONDS = 5.0
"""How long a transaction waits for the other processes on the file."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0003, 0.01


class SqliteStore(SqlStore):
    """One shop of a file. Several processes may have it open."""

    def __init__(self, path: Path, clock: Clock, minter: Minter, shop: str = MAIN) -> None:
        super().__init__(shop, minter)
        self.path = path
        self._clock = clock
        self._connection = _opened(path)

    def _take_place(self) -> tuple[Sql, datetime]:
        return self._begin("BEGIN IMMEDIATE")

    def _look(self) -> tuple[Sql, datetime]:
        return self._begin("BEGIN")

    def _begin(self, how: str) -> tuple[Sql, datetime]:
        """Take the file, trying again at random moments: SQLite's own waiting starves whoever comes late."""
        pause, until = _FIRST_PAUSE, time.monotonic() + WAITS_SECONDS
        while True:
            try:
                self._connection.execute(how)
            except dbapi.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > until:
                    raise Unavailable(f"{self.path}: {error}") from error
                time.sleep(random.uniform(0, pause))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return SqliteSql(self._connection, self.shop), self._clock.now()

    def _roll_back(self) -> None:
        """A full disk has rolled the transaction back by itself."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _commit(self, desk: SqlDesk) -> None:
        """A commit that fails is not done, and the next one is written over it, unless that is never written.

        So the connection is kept. Whoever opens the file anew may find the failed commit there, whole and never synced:
        what is built upon that is lost with it when the power goes.
        """
        try:
            self._connection.execute("COMMIT")
        except dbapi.Error as error:
            self._roll_back()
            kind = Unavailable if _is_full(error) else Unsure
            raise kind(f"{self.path}: the commit failed: {error}") from error

    def _close(self) -> None:
        self._connection.close()


def _is_busy(error: Exception) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _is_full(error: Exception) -> bool:
    return "full" in str(error)


def _opened(path: Path) -> "sqlite3.Connection":
    if engine.may_lose_commits(dbapi.sqlite_version_info):
        raise ConfigurationError(
            f"SQLite {dbapi.sqlite_version} can lose commits when several processes write; install pysqlite3, or a "
            "Python with SQLite 3.51.3 or newer"
        )
    try:
        if not path.parent.is_dir():
            raise ConfigurationError(f"{path}: there is no directory {path.parent}")
        if not _is_made(path):
            from tillgate.server.store.creating import create

            create(path, OPENING_SECONDS)
        return connect(path)
    except (dbapi.Error, OSError) as error:
        raise ConfigurationError(f"{path}: cannot open the store: {error}") from error


def _is_made(path: Path) -> bool:
    """Whether the tables are there. A store of another layout is left as it is: nothing of it is read wrongly."""
    with closing(dbapi.connect(path, timeout=OPENING_SECONDS)) as connection:
        connection.execute("BEGIN")
        found = layout_of_file(connection)
    if found is not None:
        refuse(found, str(path), str(path))
    return found is not None
