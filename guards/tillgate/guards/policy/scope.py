"""Which facts a condition may speak of for one tool, and what is known about them at a point of the condition.

The rule it keeps: a fact that may be missing is never read on a path where nothing has shown that it is there.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from tillgate.guards.facts import CATALOGUE, NOW, FactType, Kind, enum, usage_fields
from tillgate.guards.money import Currency
from tillgate.guards.policy.diagnostics import Severity, did_you_mean
from tillgate.guards.policy.expression import Expr, Path, Span
from tillgate.guards.policy.syntax import Name, Select

LISTS = "lists"
"""The name under which conditions find the policy's own lists."""

Had: TypeAlias = Literal["always", "maybe"]


class Problem(Struct, frozen=True):
    """A finding inside a condition, by offset; the loader knows where the condition stands in the file."""

    code: str
    message: str
    span: Span
    hint: str | None = None
    severity: Severity = "error"


class Scope(Struct, frozen=True):
    """What one tool offers to a condition. `closed` are groups this condition may not use, and why."""

    tool: str
    groups: Mapping[str, Had]
    args: FactType
    tools: tuple[str, ...]
    budgets: Mapping[str, bool]
    currency: Currency
    closed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    named: tuple[str, ...] = ()

    def fields(self, group: str) -> Mapping[str, FactType]:
        """The facts of a group for this tool."""
        if group == "args":
            return self.args.fields
        if group == "usage":
            return {
                name: FactType(Kind.RECORD, fields=usage_fields(counts=counts)) for name, counts in self.budgets.items()
            }
        facts = CATALOGUE[group].facts
        return {**facts, "tool": enum(*self.tools)} if group == "call" else facts


Known: TypeAlias = frozenset[Path]
"""Optional facts, and groups as one-part paths, that are there at this point of the condition."""

NOTHING: Known = frozenset()


class Judged(Struct, frozen=True):
    """A checked part, and what is known where it is true and where it is false; `expr` is None after a finding."""

    expr: Expr | None
    yes: Known = NOTHING
    no: Known = NOTHING


class Resolved(Struct, frozen=True):
    """A fact a path names. `doubts` are its optional parts, outermost first, that must be known before it is read."""

    path: Path
    type: FactType
    bound: bool
    doubts: tuple[Path, ...]
    presence: bool = False


Report: TypeAlias = Callable[[Problem], None]


def resolve(
    scope: Scope,
    variables: Mapping[str, FactType],
    root: Name,
    members: tuple[Select, ...],
    report: Report,
) -> Resolved | None:
    """The fact a path names, or None after saying why there is none."""
    if root.name in variables:
        start = Resolved((root.name,), variables[root.name], bound=True, doubts=())
        return _descend(start, members, report)
    if root.name == "now":
        return _descend(Resolved(("now",), NOW, bound=False, doubts=()), members, report)
    if root.name == LISTS:
        report(Problem("P017", "a list of the policy can only stand after `in`", root.span))
        return None
    if root.name not in CATALOGUE:
        known = [*scope.named, *CATALOGUE, "now", *variables]
        report(Problem("P024", f"unknown name `{root.name}`", root.span, did_you_mean(root.name, known, show=20)))
        return None
    if root.name in scope.closed:
        report(Problem("P033", f"`{root.name}` cannot be used here", root.span, scope.closed[root.name]))
        return None
    return _in_group(scope, root, members, report)


def _in_group(scope: Scope, root: Name, members: tuple[Select, ...], report: Report) -> Resolved | None:
    group = root.name
    by_tool = CATALOGUE[group].availability == "by_tool"
    if not members:
        hint = f"name one of its facts: {', '.join(list(scope.fields(group))[:8])}"
        report(Problem("P017", f"`{group}` is a group of facts, not a value", root.span, hint))
        return None
    if by_tool and members[0].member == "present" and len(members) == 1:
        return Resolved((group,), FactType(Kind.BOOL), bound=False, doubts=(), presence=True)
    doubts: tuple[Path, ...] = ((group,),) if by_tool and scope.groups.get(group) == "maybe" else ()
    whole = FactType(Kind.RECORD, fields=scope.fields(group))
    return _descend(Resolved((group,), whole, bound=False, doubts=doubts), members, report, scope)


def _descend(
    found: Resolved, members: tuple[Select, ...], report: Report, scope: Scope | None = None
) -> Resolved | None:
    for select in members:
        if found.type.kind is not Kind.RECORD:
            message = f"`{'.'.join(found.path)}` is a {found.type.kind}, it has no `{select.member}`"
            report(Problem("P017", message, select.member_span))
            return None
        inner = found.type.fields.get(select.member)
        path = (*found.path, select.member)
        if inner is None:
            report(_unknown(found, select, scope))
            return None
        doubts = (*found.doubts, path) if inner.optional else found.doubts
        found = replace(found, path=path, type=inner, doubts=doubts)
    return found


def _unknown(found: Resolved, select: Select, scope: Scope | None) -> Problem:
    path = ".".join((*found.path, select.member))
    hint = did_you_mean(select.member, found.type.fields)
    if found.path == ("usage",):
        return Problem("P012", f"unknown budget `{path}`", select.member_span, hint)
    if found.path[0] == "args" and scope is not None:
        hint = hint or "this tool has no arguments"
        return Problem("P012", f"`{scope.tool}` has no argument `{path}`", select.member_span, hint)
    return Problem("P012", f"unknown fact `{path}`", select.member_span, hint)


def unguarded(scope: Scope, found: Resolved, known: Known, span: Span) -> Problem | None:
    """The problem with reading `found` where only `known` is there, or None when it is safe."""
    for doubt in found.doubts:
        if doubt in known:
            continue
        name = ".".join(doubt)
        if len(doubt) == 1:
            hint = f"guard it: {name}.present && …"
            return Problem("P016", f"`{name}` may be absent for `{scope.tool}`", span, hint)
        hint = f"guard it: has({name}) && …"
        return Problem("P015", f"`{name}` is optional and may be missing", span, hint)
    return None
