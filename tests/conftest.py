"""Fixtures that every part of the tests shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql import NEEDED, Server, binaries
from worlds import World, make_world


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `every_store` run once on each."""
    if "place" in metafunc.fixturenames and any(metafunc.definition.iter_markers("every_store")):
        metafunc.parametrize("place", ("sqlite", "postgresql"), indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if binaries() is None:
        terminalreporter.section(NEEDED, sep="!", red=True)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    folder = binaries()
    if folder is None:
        pytest.skip(NEEDED)
    server = Server(folder)
    yield server
    server.stop()


@pytest.fixture
def database(postgresql: Server) -> Iterator[str]:
    """The URL of a PostgreSQL database with nothing in it."""
    name = postgresql.database()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where the test's store is: a folder, or the URL of a database."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return tmp_path
    url: str = request.getfixturevalue("database")
    return url


@pytest.fixture
def world(place: Path | str) -> Iterator[World]:
    """A small shop under a policy that permits everything, for a stepped-up customer."""
    made = make_world(place)
    yield made
    made.store.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked long runs when it is asked for."""
    if config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
