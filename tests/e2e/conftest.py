"""One seeded shop a run; every test gets a copy of its own."""

from pathlib import Path

import pytest
from e2e.world import World, new_world


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> World:
    return new_world(tmp_path_factory.mktemp("seeded"))


@pytest.fixture
def world(seeded: World, tmp_path: Path) -> World:
    return seeded.copy(tmp_path / "world")


@pytest.fixture(scope="module")
def shared(seeded: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """One shop for a whole module, for tests that leave it as it was or touch records of their own."""
    return seeded.copy(tmp_path_factory.mktemp("shared"))
