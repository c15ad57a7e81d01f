"""Which facts a set of conditions reads, as a tree: the one list that validation and compilation both work from."""

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from tillgate.guards.facts import CATALOGUE, NOW, FactType, Kind
from tillgate.guards.policy.expression import Expr, Path, read_by
from tillgate.guards.policy.scope import Scope

Guarding: TypeAlias = Literal["plain", "always", "maybe"]
"""`plain` groups are on every call; the others carry `present`, which must be true for `always`."""


class FactUse(Struct, frozen=True):
    """A fact that is read, or asked for with `has()`; `inner` are the parts of a record that are read."""

    path: Path
    type: FactType
    inner: tuple["FactUse", ...] = ()


class GroupUse(Struct, frozen=True):
    """A group and the facts of it that are read."""

    name: str
    guarding: Guarding
    facts: tuple[FactUse, ...]


class Uses(Struct, frozen=True):
    """Everything a program reads."""

    groups: tuple[GroupUse, ...] = ()
    now: bool = False


def uses_of(conditions: Iterable[Expr], scope: Scope) -> Uses:
    """The facts these conditions read, with their types for this tool, in a fixed order."""
    paths: set[Path] = set()
    for condition in conditions:
        paths |= read_by(condition)
    names = sorted({path[0] for path in paths if path != ("now",)})
    groups: list[GroupUse] = []
    for name in names:
        guarding: Guarding = "plain"
        if CATALOGUE[name].availability == "by_tool":
            guarding = scope.groups[name]
        facts = _branch((name,), scope.fields(name), paths)
        groups.append(GroupUse(name, guarding, facts))
    return Uses(tuple(groups), ("now",) in paths)


NOW_USE = FactUse(("now",), NOW)


def _branch(prefix: Path, fields: Mapping[str, FactType], paths: set[Path]) -> tuple[FactUse, ...]:
    depth = len(prefix)
    names = sorted({path[depth] for path in paths if len(path) > depth and path[:depth] == prefix})
    found: list[FactUse] = []
    for name in names:
        path, fact = (*prefix, name), fields[name]
        inner = _branch(path, fact.fields, paths) if fact.kind is Kind.RECORD else ()
        found.append(FactUse(path, fact, inner))
    return tuple(found)
