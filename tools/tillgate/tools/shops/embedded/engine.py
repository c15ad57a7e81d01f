"""Which SQLite the store runs on: the one that is bundled, where there is one for this platform.

The rule kept: never one that can lose a commit that was answered. From 3.7.0 to 3.51.2 two processes that write and
checkpoint at once can overwrite each other's commits in the write-ahead log (https://sqlite.org/wal.html#walresetbug).
"""

import importlib
import sqlite3
from importlib.util import find_spec

dbapi = sqlite3
if find_spec("pysqlite3") is not None:
    dbapi = importlib.import_module("pysqlite3.dbapi2")  # the same module by another name

FAULTY_FROM, MENDED_IN = (3, 7, 0), (3, 51, 3)


def may_lose_commits(version: tuple[int, ...]) -> bool:
    """Whether this version of SQLite has that fault."""
    return FAULTY_FROM <= version < MENDED_IN
