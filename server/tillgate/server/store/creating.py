"""Makes the tables of a new store from the classes that declare them, in the layout of this version.

Apart from the stores, since only a new one needs SQLAlchemy, and loading it takes as long as all the rest of a start.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import create_engine

from tillgate.server.store.layout import LAYOUTS, MADE_WITH, MARKED, layout_of_file, layout_of_schema
from tillgate.server.store.tables import create_tables
from tillgate.tools.shops.embedded.engine import dbapi

TURN = "SELECT pg_advisory_xact_lock(1896966782)"
"""On PostgreSQL, whoever makes or changes tables does it under this lock."""


def create(path: Path, wait_seconds: float) -> None:
    """Make a SQLite file's tables. Processes that start on a new file together wait for one another.

    Raises the driver's own errors.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": wait_seconds}, module=dbapi)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            if layout_of_file(driver(connection)) is None:
                _make(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {MARKED}")
            connection.commit()
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()


def create_in_database(connecting: Mapping[str, Any]) -> None:
    """Make the tables in a PostgreSQL database, each process in its turn. Raises the driver's own errors."""
    import psycopg

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(**connecting))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(TURN)
            if layout_of_schema(driver(connection)) is None:
                _make(connection)
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()


def driver(connection: Connection) -> Any:
    """The driver's own connection."""
    return cast(Any, connection.connection.driver_connection)


def _make(connection: Connection) -> None:
    create_tables(connection)
    connection.exec_driver_sql(MADE_WITH)
    connection.execute(text("INSERT INTO layout VALUES (:layout)"), {"layout": str(LAYOUTS[-1])})
