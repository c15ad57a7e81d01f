"""The engines of the comparison, each in the configuration of its first example and in its strictest reasonable one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from benchmarks.approved_twice.provider import Books
from benchmarks.approved_twice.story import Engine


@dataclass(frozen=True, slots=True)
class Contender:
    """One column. `packages` are what its Python needs, none for this repository's own."""

    name: str
    title: str
    module: str
    packages: tuple[str, ...] = ()
    on_postgres: bool = False
    mode: Mapping[str, bool] = field(default_factory=dict[str, bool])

    def engine(self, folder: Path, books: Books, orders: Sequence[str]) -> Engine:
        """A new engine that keeps its files in this folder and pays by these books; imports what it needs."""
        return cast(Engine, getattr(self._module(), self.module.capitalize())(folder, books, orders, **self.mode))

    def versions(self) -> str:
        """What exactly is measured."""
        return str(self._module().versions())

    def _module(self) -> Any:
        return import_module(f"benchmarks.approved_twice.engines.{self.module}")


DATABASE = "APPROVED_TWICE_POSTGRES"
"""The variable that tells an engine where PostgreSQL is."""
LANGCHAIN = (
    "langchain==1.5.2",
    "langgraph==1.2.24",
    "langgraph-checkpoint-sqlite==3.1.2",
    "langgraph-checkpoint-postgres==3.2.0",
    "psycopg[binary]>=3.2",
)
AIRLOCK = ("mcp-airlock[postgres]==0.4.1",)
CONTENDERS = (
    Contender("tillgate", "Tillgate", "tillgate"),
    Contender("langchain", "LangChain", "langchain", LANGCHAIN),
    Contender("langchain-strict", "LangChain, strict", "langchain", LANGCHAIN, True, {"strict": True}),
    Contender("airlock", "mcp-airlock", "airlock", AIRLOCK),
    Contender("airlock-strict", "mcp-airlock, strict", "airlock", AIRLOCK, True, {"strict": True}),
)


def contender(name: str) -> Contender:
    """The one of this name. Raises KeyError."""
    return {each.name: each for each in CONTENDERS}[name]
