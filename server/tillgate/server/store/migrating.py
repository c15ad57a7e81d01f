"""Brings a store of an earlier layout to this version's, whole or not at all.

Only `tillgate store migrate` loads this: alembic and SQLAlchemy take longer to load than a whole start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tillgate.guards.errors import ConfigurationError, IntegrityError
from tillgate.server.store import layout

_ENDS = """
SELECT shop, seq, hash, (SELECT count(*) FROM audit AS each WHERE each.shop = audit.shop) FROM audit
WHERE seq = (SELECT max(seq) FROM audit AS each WHERE each.shop = audit.shop) ORDER BY shop
"""
"""Of each shop's log, the last record and how many there are."""


@dataclass(frozen=True)
class Migrated:
    """What a migration did, or would do. `copy` is the store as it was before; `records` how many the logs hold."""

    found: int
    steps: Sequence[tuple[int, str]]
    records: int = 0
    copy: Path | None = None


def steps_from(found: int) -> Sequence[tuple[int, str]]:
    """The layouts on the way from this one to this version's, and what each changes."""
    script = ScriptDirectory(str(layout.MIGRATIONS))
    revisions = script.iterate_revisions(str(layout.LAYOUTS[-1]), str(found))
    return [(int(each.revision), each.doc) for each in reversed(list(revisions))]


def migrate(connection: Connection, found: int, copy: Path | None = None) -> Migrated:
    """All steps, in the transaction that the connection is in; whoever began it ends it.

    Raises IntegrityError where the end of a log is not what it was.
    """
    before = _ends_of_logs(connection)
    upgrade(connection)
    if _ends_of_logs(connection) != before:
        raise IntegrityError("a migration changed the audit log; the store is as it was")
    return Migrated(found, steps_from(found), sum(end[3] for end in before), copy)


def upgrade(connection: Connection) -> None:
    """All steps from where its table `layout` says it is; from nothing, the first of them makes the tables."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(layout.MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, str(layout.LAYOUTS[-1]))


def commit(connection: Connection, place: str) -> None:
    """Raises ConfigurationError where the database does not say that it was kept."""
    try:
        connection.commit()
    except DBAPIError as error:
        raise ConfigurationError(
            f"{place}: the commit failed, so the store has its old layout or the new one, whole; "
            f"run the command again to know: {error.orig}"
        ) from error


def failed(place: str, error: Exception) -> ConfigurationError:
    """What an operator is told when a migration could not be done."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return ConfigurationError(f"{place}: it could not be migrated, and is as it was: {str(said).strip()}")


def _ends_of_logs(connection: Connection) -> Sequence[Any]:
    return connection.exec_driver_sql(_ENDS).fetchall()
