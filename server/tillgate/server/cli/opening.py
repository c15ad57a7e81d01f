"""A store or an app for one command: opened, and closed again."""

from collections.abc import Generator
from contextlib import contextmanager

from tillgate.guards.money import Currency, currency
from tillgate.server.app import App, build, open_store
from tillgate.server.settings import settings
from tillgate.server.store.desk import SqlDesk
from tillgate.tools.shops.embedded.shop import shop_currency


@contextmanager
def opened(**flags: object) -> Generator[App]:
    """An app that decides by the policy its store is served under."""
    built = build(settings(**flags))
    try:
        yield built
    finally:
        built.store.close()


@contextmanager
def reading(**flags: object) -> Generator[SqlDesk]:
    """A look into the store at one instant; it needs no policy."""
    store = open_store(settings(**flags))
    try:
        with store.reading() as desk:
            yield desk
    finally:
        store.close()


def money_of(desk: SqlDesk) -> Currency:
    """The shop's currency; US dollars while there is no shop."""
    return shop_currency(desk.sql) or currency("USD")
