"""Makes the tables of a new SQLite file from the classes that declare them.

Apart from the store, since only a new file needs SQLAlchemy, and loading it takes as long as all the rest of a start.
"""

from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlmodel import create_engine

from tillgate.server.store.tables import create_tables
from tillgate.tools.shops.embedded.engine import dbapi


def create(path: Path, schema: int, wait_seconds: float) -> None:
    """Make what is not there yet. Processes that start on a new file together wait for one another.

    Raises the driver's own errors.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": wait_seconds}, module=dbapi)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            create_tables(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {schema}")
            connection.commit()
    except DBAPIError as error:
        raise error.orig or error from error
    finally:
        engine.dispose()
