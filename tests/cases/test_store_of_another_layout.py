"""A store that another version laid out is refused and left exactly as it was."""

from pathlib import Path

import pytest
from worlds import SeededMinter, TestClock

from tillgate.guards.errors import ConfigurationError
from tillgate.server.store.sqlite import SqliteStore
from tillgate.tools.shops.embedded.engine import dbapi as sqlite3


def test_a_store_of_an_earlier_layout_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = sqlite3.connect(path)
    old.execute("CREATE TABLE refund (id TEXT PRIMARY KEY, amount INTEGER)")
    old.execute("INSERT INTO refund VALUES ('r_1', 100)")
    old.commit()
    old.close()
    with pytest.raises(ConfigurationError, match="layout 0"):
        SqliteStore(path, TestClock(), SeededMinter())
    kept = sqlite3.connect(path)
    assert kept.execute("SELECT * FROM refund").fetchall() == [("r_1", 100)]
    assert kept.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 2
    kept.close()
