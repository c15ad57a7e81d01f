"""Migrates a SQLite file: alone on it, in one transaction, after a copy was made beside it."""

import os
import random
import sqlite3
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, StaticPool
from sqlalchemy.exc import DBAPIError
from sqlmodel import create_engine

from tillgate.guards.errors import ConfigurationError, IntegrityError
from tillgate.server.store import layout
from tillgate.server.store.layout import MADE_WITH, MARKED, layout_of_file, refuse_foreign
from tillgate.server.store.migrating import Migrated, commit, failed, migrate
from tillgate.tools.shops.embedded.engine import dbapi

PATIENCE_SECONDS = 5.0
"""How long a migration waits for the others on the file to be gone."""
_PAUSE = 0.02


def migrate_file(path: Path, *, check: bool = False, patience: float = PATIENCE_SECONDS) -> Migrated:
    """Migrate the file, or with `check` a copy that is then thrown away.

    Raises ConfigurationError where there is no way, others have the file open, or something fails; the file is then as
    it was.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no store; tillgate seed makes one, in the layout of this version")
    try:
        return _rehearsed(path) if check else _migrated(path, patience)
    except (dbapi.Error, DBAPIError, OSError) as error:
        raise failed(str(path), error) from error


def _migrated(path: Path, patience: float) -> Migrated:
    if (found := _found(path)) == layout.LAYOUTS[-1]:
        return Migrated(found, ())
    with closing(_alone(path, patience)) as connection:
        if (found := _known(layout_of_file(connection), path)) == layout.LAYOUTS[-1]:
            return Migrated(found, ())  # another process was faster
        copy = _copied(connection, path, found)
        return _run(connection, str(path), found, copy)


def _rehearsed(path: Path) -> Migrated:
    """On a copy: whoever serves the store goes on."""
    if (found := _found(path)) == layout.LAYOUTS[-1]:
        return Migrated(found, ())
    with TemporaryDirectory(prefix=f"{path.name}.rehearsal-", dir=path.parent) as folder:
        copy = Path(folder) / path.name
        with closing(dbapi.connect(path)) as source, closing(dbapi.connect(copy)) as target:
            source.backup(target)
        with closing(_alone(copy, 0)) as connection:
            return _run(connection, str(path), found, None)


def _run(connection: "sqlite3.Connection", place: str, found: int, copy: Path | None) -> Migrated:
    connection.execute("PRAGMA foreign_keys = OFF").close()  # or a table that is made anew takes its references along
    connection.execute("PRAGMA synchronous = FULL").close()
    with _bound(connection) as bound:
        bound.exec_driver_sql("BEGIN IMMEDIATE")
        _adopt(bound, found)
        done = migrate(bound, found, copy)
        if bound.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
            raise IntegrityError(f"{place}: a migration broke references between records; the store is as it was")
        commit(bound, place)
    return done


@contextmanager
def _bound(connection: "sqlite3.Connection") -> Generator[Connection]:
    """The connection as SQLAlchemy's. What is not committed in the block is rolled back."""
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool, module=dbapi)
    with engine.connect() as bound:
        yield bound


def _adopt(bound: Connection, found: int) -> None:
    """Have the table say the layout, if it was said in other words until now."""
    if bound.dialect.has_table(bound, "layout"):
        return
    bound.exec_driver_sql(MADE_WITH)
    bound.exec_driver_sql("INSERT INTO layout VALUES (?)", (str(found),))
    bound.exec_driver_sql(f"PRAGMA user_version = {MARKED}")


def _found(path: Path) -> int:
    """The layout of the file, looked at without waiting for whoever serves it."""
    with closing(dbapi.connect(path, timeout=PATIENCE_SECONDS)) as connection:
        connection.execute("BEGIN")
        return _known(layout_of_file(connection), path)


def _known(found: int | None, path: Path) -> int:
    if found is None:
        raise ConfigurationError(f"{path}: there is no store in it; tillgate seed makes one")
    refuse_foreign(found, str(path))
    return found


def _alone(path: Path, patience: float) -> "sqlite3.Connection":
    """A connection that keeps everybody else out of the file until it is closed, also those who only have it open.

    In this mode SQLite shares no memory for the write-ahead log, so it takes the file only when nobody has it open.
    """
    until = time.monotonic() + patience
    while True:
        connection = dbapi.connect(path, timeout=0, isolation_level=None)
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").close()
            connection.execute("BEGIN EXCLUSIVE").close()
            connection.execute("COMMIT").close()
        except dbapi.OperationalError as error:
            connection.close()
            if "locked" not in str(error):
                raise
            if time.monotonic() > until:
                raise ConfigurationError(
                    f"{path}: another process has the store open; stop what serves it, and run the command again"
                ) from error
            time.sleep(random.uniform(0, _PAUSE))  # noqa: S311
        else:
            return connection


def _copied(connection: "sqlite3.Connection", path: Path, found: int) -> Path:
    """A copy of the file beside it, for the same readers: it has its name only once it is whole and on disk."""
    part = path.with_name(f"{path.name}.layout-{found}.part")
    part.unlink(missing_ok=True)  # of one that was killed
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, path.stat().st_mode & 0o777))
    try:
        with closing(dbapi.connect(part)) as target:
            connection.backup(target)
    except BaseException:
        part.unlink()
        raise
    names = (f"{path.name}.layout-{found}{f'-{n}' if n else ''}" for n in count())
    copy = next(each for each in map(path.with_name, names) if not each.exists())
    part.rename(copy)
    _sync(path.parent)
    return copy


def _sync(folder: Path) -> None:
    with suppress(OSError):  # not every system opens a folder
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
