"""Answers that were asked for before anybody needed them, and which of them a write has made old.

An answer is kept by the statement and its values. Whatever is written drops each answer whose statement so much as
names the table; what is no plain write drops all. So what is found here is what the database would say.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from tillgate.tools.shops.embedded.wire import Answer

Asked: TypeAlias = tuple[bytes, tuple[Any, ...]]
_STATEMENTS = 512
_WORD = re.compile(r"\w+")
_WRITE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_WITH: Mapping[str, tuple[str, ...]] = {"stock_move": ("variant",)}
"""What the database itself writes with a table."""


class Foreseen:
    """The answers of one transaction that may still be asked for."""

    def __init__(self) -> None:
        self._answers: dict[Asked, Answer] = {}

    def __contains__(self, asked: Asked) -> bool:
        return asked in self._answers

    def keep(self, asked: Asked, answer: Answer) -> None:
        """Until it is old."""
        self._answers[asked] = answer

    def find(self, said: bytes, values: Sequence[Any]) -> Answer | None:
        """What was said to just this, if that is still so."""
        return self._answers.get((said, tuple(values))) if self._answers else None

    def writing(self, sql: str) -> None:
        """This is about to be executed."""
        if not self._answers:
            return
        tables = _written(sql)
        old = [asked for asked in self._answers if tables is None or not tables.isdisjoint(_named(asked[0]))]
        for asked in old:
            del self._answers[asked]


@lru_cache(_STATEMENTS)
def _written(sql: str) -> frozenset[str] | None:
    """The tables a statement writes; None where it is no plain write, and could do anything."""
    found = _WRITE.match(sql)
    return frozenset((found[1], *_WITH.get(found[1], ()))) if found else None


@lru_cache(_STATEMENTS)
def _named(said: bytes) -> frozenset[str]:
    """Every word of a statement, tables among them."""
    return frozenset(_WORD.findall(said.decode()))
