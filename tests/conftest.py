"""Fixtures that every part of the tests shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from worlds import World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A small shop under a policy that permits everything, for a stepped-up customer."""
    made = make_world(tmp_path)
    yield made
    made.store.close()
