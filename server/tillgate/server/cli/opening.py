"""An app for one command: built, and closed again."""

from collections.abc import Generator
from contextlib import contextmanager

from tillgate.server.app import App, build
from tillgate.server.settings import settings


@contextmanager
def opened(**flags: object) -> Generator[App]:
    """Build the app of these flags and close its store at the end."""
    built = build(settings(**flags))
    try:
        yield built
    finally:
        built.store.close()
