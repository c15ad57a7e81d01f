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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked long runs when it is asked for."""
    if config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
