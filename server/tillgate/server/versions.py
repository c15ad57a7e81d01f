"""The policies a store was served under, and the way back to one of them.

The rule kept: the file stays the one source. Going back writes the older file, whole and checked, and keeps the newer
one beside it; running servers take it like any other change.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.policy.files import is_beneath, unpacked
from tillgate.guards.policy.load import load_policy
from tillgate.server.app import surfaces, tool_map
from tillgate.server.store.desk import SqlDesk


@dataclass(frozen=True, slots=True)
class Version:
    """One time a policy began to be served; `actions` were let through under its digest."""

    digest: str
    source: str
    served_at: str
    text: str
    actions: int


def versions(desk: SqlDesk) -> tuple[Version, ...]:
    """Every policy this store was served under, oldest first."""
    rows = desk.sql.rows(
        "SELECT digest, source, served_at, text, "
        "(SELECT count(*) FROM action a WHERE a.shop = p.shop AND a.policy = p.digest) AS actions "
        "FROM policy_version p WHERE p.shop = ? ORDER BY p.seq",
        (desk.shop,),
    )
    return tuple(Version(**dict(row)) for row in rows)


def chosen(found: tuple[Version, ...], digest: str) -> Version:
    """The version of a digest, or of the beginning of one. Raises ConfigurationError for none or several."""
    wanted = digest.removeprefix("sha256:")
    fits = {each.digest: each for each in found if wanted and each.digest.removeprefix("sha256:").startswith(wanted)}
    if len(fits) != 1:
        said = "no policy of that digest was" if not fits else f"{len(fits)} policies of that digest were"
        raise ConfigurationError(f"{digest}: {said} served here; `tillgate policy log` lists them")
    return next(iter(fits.values()))


def restore(version: Version, file: Path) -> Path | None:
    """Write the version's files in place of `file`, and say where the file that was there is kept."""
    load_policy(version.text, version.source, surfaces(tool_map()))
    files = unpacked(version.text)
    if astray := [name for name in files.others if not is_beneath(name)]:
        raise ConfigurationError(f"{astray[0]}: is not beneath the policy's folder, so nothing is written")
    kept = None
    if file.is_file():
        kept = file.with_name(f"{file.name}.before-rollback")
        _write(kept, file.read_bytes())
    for name, text in files.others.items():
        path = file.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, text.encode("utf-8"))
    _write(file, files.text.encode("utf-8"))
    return kept


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing: a reader never sees half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
