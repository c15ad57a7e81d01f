"""One seeded shop a run, a copy of it for each test or module, and a server for those that leave it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.world import World, new_world
from web.house import Web, serving


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> World:
    return new_world(tmp_path_factory.mktemp("seeded"))


@pytest.fixture
def world(seeded: World, tmp_path: Path) -> World:
    return seeded.copy(tmp_path / "world")


@pytest.fixture(scope="module")
def web(seeded: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A server for a whole module, for tests that touch no record or only their own."""
    with serving(seeded.copy(tmp_path_factory.mktemp("shared"))) as made:
        yield made
