"""A connection that could lose what was answered is not worked with."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tillgate.guards.errors import ConfigurationError
from tillgate.tools.shops.embedded.engine import dbapi
from tillgate.tools.shops.embedded.sqlite import connect, durable


class Deaf(dbapi.Connection):
    """Passes over one pragma, as SQLite does with what it cannot follow."""

    deaf_to = ""

    def execute(self, sql: str, *rest: Any) -> Any:
        return super().execute("SELECT 1" if sql.startswith(f"PRAGMA {self.deaf_to} =") else sql, *rest)


@pytest.mark.parametrize("pragma", ["journal_mode", "synchronous", "foreign_keys", "secure_delete"])
def test_a_pragma_that_is_passed_over_is_seen(tmp_path: Path, pragma: str) -> None:
    connection = dbapi.connect(tmp_path / "shop.db", isolation_level=None, factory=Deaf)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = OFF")
    connection.deaf_to = pragma
    with pytest.raises(ConfigurationError, match=f"keeps {pragma} at"):
        durable(connection)
    with pytest.raises(dbapi.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_where_there_is_no_write_ahead_log_there_is_no_store() -> None:
    with pytest.raises(ConfigurationError, match="journal_mode at memory"):
        connect(":memory:")


def test_what_a_killed_process_left_in_the_log_is_put_into_the_database_first(tmp_path: Path) -> None:
    killed = connect(tmp_path / "shop.db")
    killed.execute("CREATE TABLE kept (id INTEGER)")
    for end in ("", "-wal"):
        shutil.copy(tmp_path / f"shop.db{end}", tmp_path / f"left.db{end}")
    killed.close()
    next_one = connect(tmp_path / "left.db")
    shutil.copy(tmp_path / "left.db", tmp_path / "alone.db")
    next_one.close()
    alone = dbapi.connect(tmp_path / "alone.db")
    assert alone.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    alone.close()
