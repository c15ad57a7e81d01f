"""Answers that were asked for before anybody needed them, and which of them a write has made old.

An answer is kept by the statement and its values. Whatever is written drops each answer whose statement so much as
names the table; what is no plain write drops all. So what is found here is what the database would say.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from tillgate.tools.shops.embedded.wire import Answer

Values: TypeAlias = tuple[Any, ...]
_STATEMENTS = 512
_WORD = re.compile(r"\w+")
_WRITE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
WRITTEN_WITH: Mapping[str, tuple[str, ...]] = {"stock_move": ("variant",)}
"""What the database itself writes with a table."""


class Foreseen:
    """The answers of one transaction that may still be asked for, by statement and then by values."""

    def __init__(self) -> None:
        self._answers: dict[bytes, dict[Values, Answer]] = {}

    def keep(self, said: bytes, values: Values, answer: Answer) -> None:
        """Until it is old."""
        self._answers.setdefault(said, {})[values] = answer

    def find(self, said: bytes, values: Values) -> Answer | None:
        """What was said to just this, if that is still so."""
        found = self._answers.get(said)
        return found.get(values) if found else None

    def writing(self, sql: str) -> None:
        """This is about to be executed."""
        if not self._answers:
            return
        tables = _written(sql)
        for said in [each for each in self._answers if tables is None or not tables.isdisjoint(_named(each))]:
            del self._answers[said]


@lru_cache(_STATEMENTS)
def _written(sql: str) -> frozenset[str] | None:
    """The tables a statement writes; None where it is no plain write, and could do anything."""
    found = _WRITE.match(sql)
    return frozenset((found[1], *WRITTEN_WITH.get(found[1], ()))) if found else None


@lru_cache(_STATEMENTS)
def _named(said: bytes) -> frozenset[str]:
    """Every word of a statement, tables among them."""
    return frozenset(_WORD.findall(said.decode()))
