"""Which layout the tables of a store have, and what is said of one that is not this version's.

A store says it in its table `layout`, which alembic keeps. It is read here without alembic, so that a start on a store
of the right layout loads nothing of it. What was made before there was such a table says it in other words.
"""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tillgate.guards.errors import ConfigurationError

if TYPE_CHECKING:
    import sqlite3

    import psycopg

MIGRATIONS = Path(__file__).with_name("migrations")
TABLE = "layout"
MADE_WITH = "CREATE TABLE layout (version_num VARCHAR(32) NOT NULL, CONSTRAINT layout_pkc PRIMARY KEY (version_num))"
"""As alembic would make it."""
MARKED = 5
"""`user_version` of a SQLite file in which the table says it, whatever it says: versions of before refuse the file."""
_ON_SQLITE = """
SELECT user_version, (SELECT count(*) FROM sqlite_master WHERE type = 'table'),
  (SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'layout')
FROM pragma_user_version
"""
_ON_POSTGRESQL = b"""
SELECT CAST(coalesce(said ->> 'version_num', CAST(CAST(said ->> 'version' AS integer) + 3 AS text)) AS integer)
FROM (SELECT to_jsonb(layout) FROM layout) AS found (said)
"""
"""Before there was `version_num`, layout 4 was called version 1 there."""


def layouts(folder: Path) -> tuple[int, ...]:
    """Each layout there is a way to, the oldest first: one file each."""
    steps = [name.removesuffix(".py").removeprefix("layout_") for name in os.listdir(folder / "versions")]
    return tuple(sorted(int(each) for each in steps if each.isdecimal()))


LAYOUTS = layouts(MIGRATIONS)
"""The last one is the one this version works with; a store of another before it can be migrated."""


def layout_of_file(connection: "sqlite3.Connection") -> int | None:
    """None for a file without tables. For whoever is in a transaction: another process may be making them."""
    user_version, tables, said = connection.execute(_ON_SQLITE).fetchone()
    if not tables:
        return None
    return _only(connection.execute("SELECT CAST(version_num AS integer) FROM layout")) if said else user_version


def layout_of_schema(connection: "psycopg.Connection[Any]") -> int | None:
    """None in a schema without tables. Raises ConfigurationError where the tables are somebody else's."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    if not tables:
        return None
    if (TABLE,) not in tables:
        raise ConfigurationError("PostgreSQL: there are tables of something else here; give a database or schema apart")
    return _only(connection.execute(_ON_POSTGRESQL))


def _only(cursor: Any) -> int:
    row = cursor.fetchone()
    return row[0] if row else 0


def refuse(found: int, place: str, db: str) -> None:
    """Raises ConfigurationError, with the mend, unless this version works with that layout. `db` names the store."""
    if found == LAYOUTS[-1]:
        return
    refuse_foreign(found, place)
    import shlex  # which a start does without

    raise ConfigurationError(
        f"{place}: this store has layout {found}, and this version of Tillgate works with layout {LAYOUTS[-1]}; "
        f"stop what serves it and run: tillgate store migrate --db {shlex.quote(_without_password(db))}"
    )


def refuse_foreign(found: int, place: str) -> None:
    """Raises ConfigurationError, with the mend, for a layout from which there is no way to this version's."""
    if found in LAYOUTS:
        return
    this = f"this store has layout {found}, and this version of Tillgate works with layout {LAYOUTS[-1]}"
    if found > LAYOUTS[-1]:
        raise ConfigurationError(f"{place}: {this}: it was made by a newer version; use that one, or a newer one")
    raise ConfigurationError(
        f"{place}: {this}, and migrates from {LAYOUTS[0]} on; keep it for the version that made it, and seed a new one"
    )


def _without_password(url: str) -> str:
    """A URL that can be shown: where it has a password, dots stand for it. A path is left as it is."""
    if "://" not in url:
        return url
    return re.sub(r"([?&]password=)[^&]*", r"\1…", re.sub(r"(://[^/@:]*:)[^/@]*@", r"\1…@", url))
