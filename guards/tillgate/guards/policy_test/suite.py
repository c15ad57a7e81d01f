"""Reads a test suite: a file of cases for one policy, checked against it whole, or refused with every finding.

The rule it keeps: a test that says something no call can be, or expects something no decision can be, is an error in
the file and never a test that quietly passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tillgate.guards.facts import ToolSurface
from tillgate.guards.money import currency
from tillgate.guards.policy.diagnostics import Findings, Place, PolicyError, did_you_mean
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.yaml import Mapping as MappingNode
from tillgate.guards.policy.yaml import Node, read_yaml
from tillgate.guards.policy_test.expecting import Expectations
from tillgate.guards.policy_test.plain import complete
from tillgate.guards.policy_test.stating import Facts
from tillgate.guards.policy_test.table import Said, Tables
from tillgate.guards.policy_test.types import Case, Suite
from tillgate.guards.policy_test.values import Values

BESIDE = "policy.yaml"
"""The policy of a suite that names none: the file of this name beside it."""


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """A suite's text, read as YAML; `policy` is the path of its policy, relative to the suite."""

    findings: Findings
    fields: Mapping[str, Node]
    policy: str

    def without_policy(self, path: str) -> PolicyError:
        """The error of a suite whose policy, looked for at `path`, cannot be read."""
        hint = None if "policy" in self.fields else "name it: `policy: <file>`, relative to this file"
        place = self.fields["policy"].place if "policy" in self.fields else Place(0, 0)
        self.findings.error("P040", f"the policy `{path}` cannot be read", place, hint)
        return PolicyError(self.findings.errors)


def open_suite(text: str, source: str) -> SuiteFile:
    """A suite as far as it can be read without its policy. Raises PolicyError."""
    findings = Findings(source, text)
    shape = Shape(findings)
    if not text.strip():
        findings.error("P009", "the file is empty", Place(0, 0), "begin with `tests:`")
        raise PolicyError(findings.errors)
    root = read_yaml(text, findings)
    if root is None:
        raise PolicyError(findings.errors)
    fields = shape.mapping(root, "a test suite", ["tests"], ["policy", "fixtures"])
    named = shape.text(fields["policy"], "policy") if "policy" in fields else BESIDE
    if named is None or "tests" not in fields:
        raise PolicyError(findings.errors)
    return SuiteFile(findings, fields, named)


def read_suite(file: SuiteFile, policy: Policy, surfaces: Sequence[ToolSurface]) -> Suite:
    """The cases of a suite, checked against its policy. Raises PolicyError with every finding."""
    shape = Shape(file.findings)
    reader = _Reader(shape, policy, {surface.name: surface for surface in surfaces})
    if "fixtures" in file.fields:
        reader.facts.read_fixtures(file.fields["fixtures"])
    cases: list[Case] = []
    for item in shape.items(file.fields["tests"], "tests"):
        cases += reader.test(item)
    if file.findings.errors:
        raise PolicyError(file.findings.errors)
    return Suite(file.findings.source, policy, tuple(cases))


class _Reader:
    """Reads tests for one policy."""

    def __init__(self, shape: Shape, policy: Policy, surfaces: Mapping[str, ToolSurface]) -> None:
        self.shape = shape
        self.surfaces = surfaces
        self.values = Values(shape, currency(policy.currency))
        self.facts = Facts(shape, self.values, policy)
        self.expectations = Expectations(shape, policy)
        self.tables = Tables(shape, self.facts, self.expectations)
        self.names: dict[str, Place] = {}

    def test(self, node: Node) -> list[Case]:
        """One entry of `tests`: a case, or as many as its table has rows."""
        fields = self.shape.mapping(node, "a test", ["name"], ("tool", "facts", "expect", "table", "acts"))
        name = self._name(fields["name"]) if "name" in fields else None
        facts = self.facts.whole(fields["facts"]) if "facts" in fields else MappingNode({}, {}, node.place)
        asked: Mapping[str, Node] = self.expectations.asked(fields["expect"]) if "expect" in fields else {}
        if facts is None or not fields:
            return []
        base = Said(name or "", fields.get("tool"), facts, asked, fields.get("acts"), node.place)
        says = list(self.tables.rows(fields["table"], base)) if "table" in fields else [base]
        if not says and (surface := self._surface(base)) is not None:
            self.facts.read(base.facts, surface)  # a table with findings hides no others
        cases = [self._case(each) for each in says]
        return [case for case in cases if case is not None]

    def _name(self, node: Node) -> str | None:
        name = self.shape.text(node, "a test's name")
        if name is not None and name in self.names:
            hint = f"first on line {self.names[name].line + 1}"
            self.shape.error("P030", f"a second test `{name}`", node.place, hint)
        elif name is not None:
            self.names[name] = node.place
        return name

    def _case(self, says: Said) -> Case | None:
        surface = self._surface(says)
        if "outcome" not in says.asked:
            self.shape.error("P009", "this test has no `expect`", says.place, "say how the call ends")
        if surface is None:
            return None
        stated = self.facts.read(says.facts, surface)
        expected = self.expectations.read(says.asked, surface.name)
        acts = surface.effect == "write" if says.acts is None else self.values.truth(says.acts, "acts")
        if expected is None or acts is None or self.shape.findings.found:
            return None
        facts = complete(surface, stated.groups, stated.now)
        source, line = self.shape.findings.source, says.place.line + 1
        return Case(says.name, surface.name, facts, stated.used, acts, expected, source, line, says.place.column + 1)

    def _surface(self, says: Said) -> ToolSurface | None:
        if says.tool is None:
            self.shape.error("P009", "this test has no `tool`", says.place)
            return None
        name = self.shape.text(says.tool, "tool")
        if name is not None and name not in self.surfaces:
            self.shape.error("P031", f"unknown tool `{name}`", says.tool.place, did_you_mean(name, self.surfaces))
        return self.surfaces.get(name) if name is not None else None
