"""Migrates a PostgreSQL database: everything in one transaction, each process in its turn."""

import random
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import psycopg
from sqlalchemy import Connection, NullPool
from sqlalchemy.exc import DBAPIError
from sqlmodel import create_engine

from tillgate.guards.errors import ConfigurationError
from tillgate.server.store import layout
from tillgate.server.store.creating import TURN, driver
from tillgate.server.store.layout import layout_of_schema, refuse_foreign
from tillgate.server.store.migrating import Migrated, commit, failed, migrate
from tillgate.server.store.postgresql import connecting

PATIENCE_SECONDS = 5.0
"""How long a migration waits for the other sessions to be gone."""
PLACE = "PostgreSQL"
_NAME = "tillgate store migrate"
_PAUSE = 0.1
_OTHERS = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s ORDER BY pid
"""


def migrate_database(url: str, *, check: bool = False, patience: float = PATIENCE_SECONDS) -> Migrated:
    """Migrate the store; with `check` roll it all back at the end, which holds the others up until then.

    Raises ConfigurationError where there is no way, others have the store open, or something fails: nothing changed
    then.
    """
    how: dict[str, Any] = {**connecting(url), "application_name": _NAME}
    served_as = connecting(url)["application_name"]
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(**how), poolclass=NullPool)
    try:
        with closing(psycopg.connect(**how, autocommit=True)) as beside, engine.connect() as bound:
            if (found := _in_turn(bound)) == layout.LAYOUTS[-1]:
                return Migrated(found, ())
            if not check:
                _wait_until_alone(beside, served_as, patience)
            _adopt(bound, found)
            done = migrate(bound, found)
            if not check:
                _wait_until_alone(beside, served_as, patience)  # whoever had looked before the table was locked
                commit(bound, PLACE)
            return done
    except (psycopg.Error, DBAPIError) as error:
        raise failed(PLACE, error) from error


def _in_turn(bound: Connection) -> int:
    """The layout, once nobody else makes, changes or reads it. Whoever opens the store waits from here on."""
    bound.exec_driver_sql("SET LOCAL statement_timeout = 0")
    bound.exec_driver_sql(TURN)
    if (found := layout_of_schema(driver(bound))) is None:
        raise ConfigurationError(f"{PLACE}: there is no store in this database; tillgate seed makes one")
    refuse_foreign(found, PLACE)
    if found != layout.LAYOUTS[-1]:
        bound.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
        bound.exec_driver_sql("LOCK TABLE layout IN ACCESS EXCLUSIVE MODE")
    return found


def _adopt(bound: Connection, found: int) -> None:
    """Have the table say the layout as alembic does, if it did not until now. Who may read it stays."""
    if any(column["name"] == "version_num" for column in bound.dialect.get_columns(bound, "layout")):
        return
    bound.exec_driver_sql("ALTER TABLE layout RENAME COLUMN version TO version_num")
    bound.exec_driver_sql(f"ALTER TABLE layout ALTER COLUMN version_num TYPE varchar(32) USING '{found}'")
    bound.exec_driver_sql("ALTER TABLE layout ADD CONSTRAINT layout_pkc PRIMARY KEY (version_num)")


def _wait_until_alone(beside: "psycopg.Connection[Any]", served_as: str, patience: float) -> None:
    """Raises ConfigurationError when processes that serve the store stay connected."""
    until = time.monotonic() + patience
    while others := _others(beside, served_as):
        if time.monotonic() > until:
            raise ConfigurationError(
                f"{PLACE}: {len(others)} other sessions called {served_as} are connected to this database (backends "
                f"{', '.join(map(str, others))}); stop what serves it, and run the command again"
            )
        time.sleep(random.uniform(0, _PAUSE))  # noqa: S311


def _others(beside: "psycopg.Connection[Any]", served_as: str) -> Sequence[int]:
    return [pid for (pid,) in beside.execute(_OTHERS, (served_as,))]
