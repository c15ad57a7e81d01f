"""Where each test of the battery plays: on SQLite, and where the store makes a difference on PostgreSQL too."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from battery.stage import OpenHere, Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty place on SQLite whose provider does what it is asked."""
    return Place(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Makes an empty place on each kind of store."""
    url = request.getfixturevalue("database") if request.param == "postgresql" else None
    open_here = OpenHere()
    yield partial(Place, tmp_path, url, open_here=open_here)
    for store in open_here:
        store.close()
