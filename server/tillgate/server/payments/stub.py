"""A payment provider that stands in for a real one: its books are an SQLite file of its own, its faults are asked for.

It keeps what a good provider keeps: a key is carried out once, however often it comes.
"""

import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args
from urllib.parse import parse_qs

import orjson

from tillgate.guards.effects import Answer, Done, Effect, Refused, Unknown
from tillgate.guards.errors import ConfigurationError

Behaviour: TypeAlias = Literal["done", "refused", "lost_before", "lost_after", "error_after", "late"]
"""How one request goes: it is done; it is refused; no answer comes, before or after it was done; it is done and then
an error is answered; or it is done only after its answer was given up."""

_TABLES = """
CREATE TABLE IF NOT EXISTS act (
  key TEXT PRIMARY KEY, effect TEXT NOT NULL, done INTEGER NOT NULL, asked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS request (number INTEGER PRIMARY KEY, key TEXT NOT NULL);
"""


class Lost(Exception):
    """The connection ended before an answer came."""


@dataclass(frozen=True, slots=True)
class StubProvider:
    """Implements `tillgate.guards.effects.Provider`. `behaviours` are gone through in order, again and again."""

    path: Path
    behaviours: Sequence[Behaviour] = ("done",)
    repeatable: bool = True
    findable: bool = True

    def carry_out(self, effect: Effect, key: str) -> Answer:
        with self._books() as books:
            number = books.execute("INSERT INTO request (key) VALUES (?) RETURNING number", (key,)).fetchone()[0]
            behaviour: Behaviour = self.behaviours[(int(number) - 1) % len(self.behaviours)]
            if books.execute("SELECT 1 FROM act WHERE key = ?", (key,)).fetchone() is not None:
                behaviour = "done"  # it has gone through before, and is answered as if nothing had been amiss
            if behaviour not in ("refused", "lost_before"):
                self._enter(books, effect, key, done=behaviour != "late")
        return _answer(behaviour, key)

    def find(self, key: str) -> Answer | None:
        if not self.findable:
            return None
        with self._books() as books:
            late = books.execute("UPDATE act SET done = 1 WHERE key = ? AND done = 0 RETURNING key", (key,)).fetchone()
            known = books.execute("SELECT done FROM act WHERE key = ?", (key,)).fetchone()
        if late is not None:
            return Unknown("not yet")
        return Done(key) if known is not None else Refused("it was never asked for")

    def acts(self) -> Mapping[str, int]:
        """How often each key was really carried out: 0 or 1, whatever was asked."""
        with self._books() as books:
            return dict(books.execute("SELECT key, done FROM act ORDER BY key").fetchall())

    def _enter(self, books: sqlite3.Connection, effect: Effect, key: str, *, done: bool) -> None:
        details = orjson.dumps(dict(effect.details), option=orjson.OPT_SORT_KEYS).decode()
        books.execute(
            "INSERT INTO act (key, effect, done, asked) VALUES (?, ?, ?, 1)"
            " ON CONFLICT (key) DO UPDATE SET asked = asked + 1, done = max(done, excluded.done)",
            (key, details, done),
        )

    @contextmanager
    def _books(self) -> Generator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=5, isolation_level=None)
        try:
            connection.executescript(_TABLES)
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()


def _answer(behaviour: Behaviour, key: str) -> Answer:
    match behaviour:
        case "done":
            return Done(key)
        case "refused":
            return Refused("the card was declined")
        case "error_after":
            return Unknown("500 Internal Server Error")
        case "lost_before" | "lost_after" | "late":
            raise Lost


def stub_from(rest: str) -> StubProvider:
    """`PATH?behaviours=done,lost_after&repeatable=no&findable=no`. Raises ConfigurationError for anything else."""
    path, _, query = rest.partition("?")
    asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    behaviours = tuple(asked.pop("behaviours", "done").split(","))
    flags = {name: asked.pop(name, "yes") for name in ("repeatable", "findable")}
    unknown = [*asked, *(each for each in behaviours if each not in get_args(Behaviour))]
    unknown += [value for value in flags.values() if value not in ("yes", "no")]
    if not path or unknown:
        raise ConfigurationError(
            f"--payments stub: {unknown[0] if unknown else 'the path'} is not understood; give "
            f"stub:PATH?behaviours={','.join(get_args(Behaviour))}&repeatable=yes|no&findable=yes|no"
        )
    return StubProvider(Path(path), behaviours, flags["repeatable"] == "yes", flags["findable"] == "yes")  # type: ignore[arg-type]
