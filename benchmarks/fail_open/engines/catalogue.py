"""The engines that are measured, each in its default mode and in the strictest one its documentation offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, cast

from benchmarks.fail_open.engines.base import Engine


@dataclass(frozen=True, slots=True)
class Contender:
    """One column of the table. `runs_in` is what must be there: this repository, the peers' Python, or a binary."""

    name: str
    title: str
    module: str
    runs_in: Literal["repository", "python", "binary"]
    mode: Mapping[str, bool] = field(default_factory=dict[str, bool])

    def engine(self) -> Engine:
        """A new engine in this mode; imports what the engine needs."""
        return cast(Engine, getattr(self._module(), self.module.capitalize())(**self.mode))

    def versions(self) -> str:
        """What exactly is measured."""
        return str(self._module().versions())

    def _module(self) -> Any:
        return import_module(f"benchmarks.fail_open.engines.{self.module}")


CONTENDERS = (
    Contender("tillgate", "Tillgate", "tillgate", "repository"),
    Contender("cerbos", "Cerbos", "cerbos", "binary"),
    Contender("cerbos-strict", "Cerbos, strict evaluation", "cerbos", "binary", {"strict": True}),
    Contender("cerbos-schemas", "Cerbos, strict, with schemas", "cerbos", "binary", {"strict": True, "schemas": True}),
    Contender("cedar", "Cedar", "cedar", "python"),
    Contender("cedar-schema", "Cedar, with a schema", "cedar", "python", {"schema": True}),
    Contender("agt", "AGT `govern()`", "agt", "python"),
    Contender("agt-lint", "AGT, with its linter", "agt", "python", {"lint": True}),
)


def contender(name: str) -> Contender:
    """The one of this name. Raises KeyError."""
    return {each.name: each for each in CONTENDERS}[name]
