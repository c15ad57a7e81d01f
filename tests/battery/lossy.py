"""SQLite on that disk: a file system of its own, and a connection that looks like those of the standard library.

So the real store, desk and gate run on it; only whoever opens the connection is another.
"""

import contextlib
import itertools
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import apsw
from battery.disk import Disk, File

from tillgate.tools.shops.embedded.engine import dbapi

T = TypeVar("T")
_numbers = itertools.count()


class _Open:
    """One open file. Nothing is locked: there is one connection at a time."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name

    @property
    def _file(self) -> File:
        return self._disk.files[self._name]

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._file.seen[offset : offset + amount])

    def xWrite(self, content: bytes, offset: int) -> None:
        self._disk.write(self._name, offset, bytes(content))

    def xTruncate(self, size: int) -> None:
        self._disk.cut(self._name, size)

    def xSync(self, _flags: int) -> None:
        self._disk.sync(self._name)

    def xFileSize(self) -> int:
        return len(self._file.seen)

    def xClose(self) -> None: ...
    def xLock(self, _level: int) -> None: ...
    def xUnlock(self, _level: int) -> None: ...
    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, _op: int, _pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 512

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE  # of what is beside a write nothing is lost with it

    def excepthook(self, *_what: Any) -> None:
        """A fault that SQLite has no use for, as when it closes a file."""


class _Files(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        key = name.filename() if hasattr(name, "filename") else str(name)
        self._disk.files.setdefault(key, File())
        flags[1] = flags[0]
        return _Open(self._disk, key)

    def xDelete(self, name: str, _sync: bool) -> None:
        self._disk.delete(name)

    def xAccess(self, name: str, _flags: int) -> bool:
        return name in self._disk.files

    def xFullPathname(self, name: str) -> str:
        return name

    def excepthook(self, *_what: Any) -> bool:
        return True


class Row(tuple[Any, ...]):
    """Answers to position and to column name."""

    names: tuple[str, ...] = ()

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)

    def keys(self) -> tuple[str, ...]:
        return self.names


def _row(cursor: apsw.Cursor, values: Any) -> Row:
    row = Row(values)
    row.names = tuple(column[0] for column in cursor.get_description())
    return row


class Answer:
    """A cursor as the standard library has them."""

    def __init__(self, cursor: apsw.Cursor, rowcount: int) -> None:
        self._cursor, self.rowcount = cursor, rowcount

    def fetchone(self) -> Row | None:
        with _told():
            return next(self._cursor, None)

    def fetchall(self) -> list[Row]:
        with _told():
            return list(self._cursor)

    def __iter__(self) -> Iterator[Row]:
        return self._cursor

    def close(self) -> None:
        self._cursor.close()


class Connection:
    """What the store needs of `sqlite3.Connection`, on a disk in memory."""

    row_factory: Any = None

    def __init__(self, disk: Disk, name: str, pages: int) -> None:
        self._disk, self._main, self._pages = disk, name, pages
        self._name = f"lossy-{next(_numbers)}"
        self._files = _Files(self._name, disk)
        with _told():
            self._connection = apsw.Connection(name, vfs=self._name)
            self._connection.row_trace = _row
        self.execute("PRAGMA temp_store = MEMORY")
        self.execute("PRAGMA locking_mode = EXCLUSIVE")  # the log's index in the heap: this disk has no shared memory
        self.execute("PRAGMA wal_autocheckpoint = 0")

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, params: Any = ()) -> Answer:
        before = self._connection.total_changes()
        with _told():
            cursor = self._connection.execute(sql, params if isinstance(params, Mapping) else tuple(params))
        if sql == "COMMIT":
            self._checkpoint()
        return Answer(cursor, self._connection.changes() if self._connection.total_changes() != before else 0)

    def executemany(self, sql: str, params: Any) -> Answer:
        with _told():
            return Answer(self._connection.executemany(sql, params), self._connection.changes())

    def close(self) -> None:
        with contextlib.suppress(apsw.Error):  # as SQLite does with a last checkpoint that fails
            self._connection.close()

    def _checkpoint(self) -> None:
        """What SQLite does by itself after a commit that leaves so many pages in the log, and passes over if it fails.

        Here a fault inside a commit would be raised though the commit was done.
        """
        with contextlib.suppress(apsw.Error):
            if self._disk.files[f"{self._main}-wal"].pages() > self._pages:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)


@contextmanager
def _told() -> Generator[None]:
    """Faults by the names the store knows."""
    try:
        yield
    except apsw.ConstraintError as error:
        raise dbapi.IntegrityError(str(error)) from error
    except apsw.FullError as error:
        raise dbapi.OperationalError("database or disk is full") from error
    except (apsw.BusyError, apsw.IOError, apsw.CantOpenError) as error:
        raise dbapi.OperationalError(f"{type(error).__name__}: {error}") from error
    except apsw.Error as error:
        raise dbapi.DatabaseError(f"{type(error).__name__}: {error}") from error
