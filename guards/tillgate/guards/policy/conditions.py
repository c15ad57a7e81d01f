"""Decides for which tools a condition is meant, checks it for each of them, and places findings in the file.

A condition applies only to tools that can have every group it mentions; the rule it keeps is that a tool someone named
is never dropped silently, and never at all from what restricts it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from tillgate.guards.facts import CATALOGUE, ToolSurface
from tillgate.guards.money import Currency
from tillgate.guards.policy.check import check_condition
from tillgate.guards.policy.diagnostics import Findings, Place
from tillgate.guards.policy.expression import BOOL, Const, Expr, Span
from tillgate.guards.policy.lexer import SyntaxProblem
from tillgate.guards.policy.parser import parse
from tillgate.guards.policy.scope import Had, Problem, Scope
from tillgate.guards.policy.syntax import Syntax, names_in
from tillgate.guards.policy.types import Condition
from tillgate.guards.policy.unscored import rests_on_risk
from tillgate.guards.policy.written import Piece, Written, filled_in, written
from tillgate.guards.policy.yaml import Scalar

ALWAYS = Const(True, BOOL, Span(0, 0))
"""The condition of a rule without `when`."""

UNSCORED = Problem(
    "P026", "this can never apply: without a section `risk` nothing scores", Span(0, 0), "declare factors and tiers"
)

_BY_TOOL = frozenset(name for name, group in CATALOGUE.items() if group.availability == "by_tool")


class Named(Struct, frozen=True):
    """The tools a rule names: `places` has the place of each, and is empty for `"*"`."""

    tools: tuple[str, ...]
    places: Mapping[str, Place]
    place: Place


class Declared(Struct, frozen=True):
    """A budget as conditions see it: which tools draw on it, and whether it limits a count."""

    tools: frozenset[str]
    counts: bool


@dataclass(slots=True)
class Conditions:
    """Checks conditions against the tools on offer."""

    findings: Findings
    surfaces: Mapping[str, ToolSurface]
    currency: Currency
    budgets: Mapping[str, Declared] = field(default_factory=lambda: MappingProxyType({}))
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    named: dict[str, Syntax] = field(default_factory=dict[str, Syntax])
    mentioned: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    scored: bool = True
    """Whether the policy has risk factors."""

    def scope(self, tool: str, closed: Mapping[str, str] | None = None) -> Scope:
        """What one tool offers to conditions."""
        surface = self.surfaces[tool]
        groups: dict[str, Had] = dict.fromkeys(surface.maybe & _BY_TOOL, "maybe")
        groups.update(dict.fromkeys(surface.always & _BY_TOOL, "always"))
        budgets = {name: budget.counts for name, budget in self.budgets.items() if tool in budget.tools}
        return Scope(
            tool,
            groups,
            surface.args,
            tuple(self.surfaces),
            budgets,
            self.currency,
            closed or MappingProxyType({}),
            self.lists,
            tuple(self.named),
        )

    def read(
        self,
        pieces: Scalar | tuple[Piece, ...],
        named: Named,
        closed: Mapping[str, str] | None = None,
        *,
        restricts: bool = False,
    ) -> Condition | None:
        """The condition for every tool it applies to, or None after a finding. No pieces mean always.

        Of what `restricts`, every tool someone named must be able to have the facts: one left out would go free.
        """
        pieces = (Piece(pieces),) if isinstance(pieces, Scalar) else pieces
        if not pieces:
            return Condition("true", dict.fromkeys(named.tools, ALWAYS))
        found = self.parsed(pieces)
        if found is None:
            return None
        text, syntax = found
        tools = self._applicable(syntax, named, text, restricts)
        by_tool = self._check(syntax, text, tools, closed)
        if restricts and not self.scored and rests_on_risk(by_tool.values()):
            self._place(replace(UNSCORED, span=Span(0, len(text.text))), text)
        return Condition(text.text, by_tool) if by_tool else None

    @property
    def by_tool(self) -> frozenset[str]:
        """The groups that some tools have and others lack."""
        return _BY_TOOL

    def parsed(self, pieces: tuple[Piece, ...], *, fill: bool = True) -> tuple[Written, Syntax] | None:
        """The whole condition with its named conditions filled in, or None after a finding."""
        whole = written(pieces)
        for piece in pieces if whole.text != pieces[0].text else ():
            # Each part must be a condition by itself, or it could reach around the brackets it is put in.
            if piece.says is None and self._parse(written((Piece(piece.node),))) is None:
                return None
        syntax = self._parse(whole)
        if syntax is None:
            return None
        self.mentioned |= names_in(syntax)
        try:
            return whole, filled_in(syntax, self.named) if fill else syntax
        except SyntaxProblem as problem:
            self._place(Problem(problem.code, problem.message, problem.span, problem.hint), whole)
            return None

    def _parse(self, text: Written) -> Syntax | None:
        try:
            return parse(text.text)
        except SyntaxProblem as problem:
            self._place(Problem(problem.code, problem.message, problem.span, problem.hint), text)
            return None

    def _applicable(self, syntax: Syntax, named: Named, text: Written, restricts: bool) -> tuple[str, ...]:
        mentioned = names_in(syntax)
        kept: list[str] = []
        for tool in named.tools:
            why = self._lacks(tool, mentioned)
            if why is None:
                kept.append(tool)
            elif tool in named.places and len(named.tools) > 1:
                message = f"this never applies to `{tool}`, which has no `{why}`"
                if restricts:
                    hint = "leave it out, or write a rule of its own for it"
                    self.findings.error("P025", message, named.places[tool], hint)
                else:
                    self.findings.warning("P101", message, named.places[tool], "leave it out")
        if not kept and named.tools:
            why = self._lacks(named.tools[0], mentioned)
            place = text.place(Span(0, len(text.text)), self.findings)
            self.findings.error("P025", f"this applies to no tool: `{named.tools[0]}` has no `{why}`", place)
        return tuple(kept)

    def _lacks(self, tool: str, mentioned: frozenset[tuple[str, ...]]) -> str | None:
        """A group or budget the condition mentions and the tool can never have."""
        surface = self.surfaces[tool]
        for path in sorted(mentioned):
            if path[0] in _BY_TOOL and path[0] not in surface.always | surface.maybe:
                return path[0]
            budget = self.budgets.get(path[1]) if path[0] == "usage" and len(path) > 1 else None
            if budget is not None and tool not in budget.tools:
                return ".".join(path)
        return None

    def _check(
        self, syntax: Syntax, text: Written, tools: Sequence[str], closed: Mapping[str, str] | None
    ) -> dict[str, Expr]:
        """Checks once per kind of tool; a finding at one place is told once, for the first tool that has it."""
        mentioned = {path[0] for path in names_in(syntax)}
        seen: dict[object, Expr | None] = {}
        told: dict[tuple[str, Span], Problem] = {}
        by_tool: dict[str, Expr] = {}
        for tool in tools:
            kind = self._kind(tool, mentioned)
            if kind not in seen:
                seen[kind], problems = check_condition(syntax, self.scope(tool, closed))
                for problem in problems:
                    told.setdefault((problem.code, problem.span), problem)
            expr = seen[kind]
            if expr is not None:
                by_tool[tool] = expr
        for problem in told.values():
            # What a named condition is warned of is said once, where it is written.
            if problem.severity == "error" or text.text[problem.span.start : problem.span.end] not in self.named:
                self._place(problem, text)
        return by_tool if len(by_tool) == len(tools) else {}

    def _kind(self, tool: str, mentioned: set[str]) -> object:
        """Tools of one kind give a condition the same types."""
        surface = self.surfaces[tool]
        groups = tuple((group, group in surface.always) for group in sorted(mentioned & _BY_TOOL))
        return (
            groups,
            id(surface.args) if "args" in mentioned else None,
            tool if "usage" in mentioned else None,
        )

    def _place(self, problem: Problem, text: Written) -> None:
        place = text.place(problem.span, self.findings)
        report = self.findings.error if problem.severity == "error" else self.findings.warning
        report(problem.code, problem.message, place, problem.hint or None)
