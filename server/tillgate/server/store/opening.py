"""Which store a URL or a path names."""

from pathlib import Path

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.ports import Clock, Minter
from tillgate.server.store.sqlite import SqliteStore
from tillgate.server.store.store import SqlStore
from tillgate.server.world import SystemClock
from tillgate.tools.shops.embedded.sql import MAIN

_POSTGRESQL = ("postgresql://", "postgres://")
NEEDED = "PostgreSQL needs the extra postgres: pip install 'tillgate[postgres]'"


def open_at(url: str, clock: Clock | None, minter: Minter, shop: str = MAIN) -> SqlStore:
    """The store of one shop: a SQLite file by its path or `sqlite:///PATH`, or a PostgreSQL database by its URL.

    Without a `clock` it goes by the time of the machine the store is on. Raises ConfigurationError for anything else,
    for a store that cannot be opened, and where the library for it is not installed.
    """
    if is_database(url):
        try:
            from tillgate.server.store.postgresql import PostgresStore
        except ImportError as error:
            raise ConfigurationError(NEEDED) from error
        return PostgresStore(url, clock, minter, shop)
    return SqliteStore(file_of(url), clock or SystemClock(), minter, shop)


def is_database(url: str) -> bool:
    """Whether it names a PostgreSQL database."""
    return url.startswith(_POSTGRESQL)


def file_of(url: str) -> Path:
    """The SQLite file that a path or URL names. Raises ConfigurationError for another URL."""
    path = url.removeprefix("sqlite:///")
    if "://" in path:
        raise ConfigurationError(
            f"--db {url.partition('://')[0]}://…: give a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE"
        )
    return Path(path)
