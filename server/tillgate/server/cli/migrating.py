"""`tillgate store migrate`: which store it is, and what is said of it."""

from tillgate.guards.errors import ConfigurationError
from tillgate.server.settings import settings
from tillgate.server.store.migrating import Migrated
from tillgate.server.store.opening import NEEDED, file_of, is_database


def run(db: str | None, *, check: bool) -> Migrated:
    """Migrate or rehearse. Raises ConfigurationError when that cannot be, with the store as it was."""
    url = settings(db=db).db
    if not is_database(url):
        from tillgate.server.store.migrating_sqlite import migrate_file

        return migrate_file(file_of(url), check=check)
    try:
        from tillgate.server.store.migrating_postgresql import migrate_database
    except ImportError as error:
        raise ConfigurationError(NEEDED) from error
    return migrate_database(url, check=check)


def migrated_words(done: Migrated, *, check: bool) -> str:
    """For the operator."""
    if not done.steps:
        return f"layout {done.found}: there is nothing to do"
    lines = [f"layout {layout}: {what}" for layout, what in done.steps]
    if done.copy:
        lines.append(f"the store as it was: {done.copy}")
    ended = "rehearsed, and nothing was changed" if check else "migrated"
    way = f"from layout {done.found} to {done.steps[-1][0]}"
    return "\n".join([*lines, f"{ended}: {way}; the logs end as they did, with {done.records} records"])
