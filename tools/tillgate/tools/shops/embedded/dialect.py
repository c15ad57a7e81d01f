"""The few words in which SQLite and PostgreSQL differ; every statement is written once around them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one database says it. Each takes SQL and gives SQL."""

    name: Literal["sqlite", "postgresql"]
    listed: Callable[[str, str], str]
    """Columns and a source: its rows as one JSON list of lists, in the order of the source."""
    values: Callable[[str], str]
    """The text of a JSON list, as a table with a column `value`."""
    at: Callable[[str, str], str]
    """The text of a JSON object and a key: the text at that key."""
    decoded: Callable[[str], str]
    """UTF-8 bytes, as text."""
    same: Callable[[str, str], str]
    """Whether two long texts are equal, in the words of the index over them."""
    then: str
    """A join that is looked up after what stands before it, where the order is for us to say."""
    using: Callable[[str], str]
    """A table that is gone through by this index, where that is for us to say."""


def _sqlite_listed(columns: str, source: str) -> str:
    return f"(SELECT json_group_array(json_array({columns})) FROM ({source}))"  # noqa: S608


def _postgres_listed(columns: str, source: str) -> str:
    listed = f"coalesce(json_agg(json_build_array({columns})), '[]')"
    return f"(SELECT CAST({listed} AS text) FROM ({source}) AS listed)"  # noqa: S608


SQLITE = Dialect(
    name="sqlite",
    listed=_sqlite_listed,
    values=lambda text: f"json_each({text})",
    at=lambda text, key: f"json_extract({text}, '$.{key}')",
    decoded=lambda octets: octets,
    same=lambda one, other: f"{one} = {other}",
    then="CROSS JOIN",
    using=lambda index: f" INDEXED BY {index}",
)
POSTGRESQL = Dialect(
    name="postgresql",
    listed=_postgres_listed,
    values=lambda text: f"json_array_elements_text(CAST({text} AS json)) AS each(value)",
    at=lambda text, key: f"(CAST({text} AS json) ->> '{key}')",
    decoded=lambda octets: f"convert_from({octets}, 'UTF8')",
    same=lambda one, other: f"md5({one}) = md5({other}) AND {one} = {other}",
    then="JOIN",
    using=lambda _index: "",
)
