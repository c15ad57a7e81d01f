"""Where each test of the battery plays: on SQLite, and where the store makes a difference on PostgreSQL too."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from battery.stage import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty place on SQLite whose provider does what it is asked."""
    return Place(tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Place]:
    """Makes an empty place on each kind of store."""
    if request.param == "postgres":
        pytest.skip("NOT CHECKED: there is no PostgreSQL store yet")
    return partial(Place, tmp_path)
