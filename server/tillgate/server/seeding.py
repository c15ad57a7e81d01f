"""`tillgate seed`: a shop file into the store, all or nothing, with a record of it in the log."""

from pathlib import Path

from tillgate.guards.errors import ConfigurationError
from tillgate.server.settings import settings
from tillgate.server.store.sqlite import SqliteStore
from tillgate.server.world import FixedClock, RandomMinter, SystemClock
from tillgate.tools.shops.embedded.seed import seed


def seed_file(path: Path, *, db: str | None, replace: bool) -> str:
    """Load a shop file; a sentence of what is there now. Raises SeedError with every finding, nothing changed."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    return seed_text(text, db=db, replace=replace, source=str(path))


def seed_text(text: bytes, *, db: str | None, replace: bool, source: str) -> str:
    """The same from bytes; `source` names them in the log."""
    chosen = settings(db=db)
    clock = FixedClock(chosen.now) if chosen.now else SystemClock()
    store = SqliteStore(chosen.database, clock, RandomMinter())
    try:
        with store.transaction() as desk:
            report = seed(desk.sql, text, now=desk.now, replace=replace)
            desk.append({"kind": "seed", "at": desk.now.isoformat().replace("+00:00", "Z"), "source": source}, ())
    finally:
        store.close()
    rows = report.rows
    kinds = ("customer", "product", "offer", "cart", "orders")
    counts = ", ".join(f"{rows[kind]} {kind.removesuffix('s')}{'' if rows[kind] == 1 else 's'}" for kind in kinds)
    return f"{source}: loaded {counts} in {report.currency}"
