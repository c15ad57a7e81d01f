"""The published conformance tests of CEL: whatever of them the policy language accepts has the value they ask for.

The corpus is the package `@bufbuild/cel-spec` (Apache-2.0), installed by name into a temporary folder.
"""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from guards.policy.conftest import FACTS, SURFACES

from tillgate.guards.facts import ToolSurface
from tillgate.guards.money import currency
from tillgate.guards.policy.check import Checker
from tillgate.guards.policy.compile import compile_conditions
from tillgate.guards.policy.conditions import Conditions
from tillgate.guards.policy.diagnostics import Findings
from tillgate.guards.policy.interpret import FactError, holds
from tillgate.guards.policy.lexer import SyntaxProblem
from tillgate.guards.policy.parser import parse
from tillgate.guards.policy.scope import NOTHING, Scope

CORPUS = "@bufbuild/cel-spec@0.6.1"
DUMP = "process.stdout.write(JSON.stringify(require('@bufbuild/cel-spec/testdata/conformance.js').tests))"
OF_POLICIES = {"P013"}
"""A comparison that never holds: sound in the language, refused in a policy."""
LEAST = 170
"""Tests the language must accept, so that refusing everything does not pass."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Mapping[str, Any]]]:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not here: the conformance tests of CEL are NOT run")
    folder = tmp_path_factory.mktemp("cel-spec")
    install = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", CORPUS]
    done = subprocess.run(install, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        pytest.skip(f"{CORPUS} cannot be installed: the conformance tests of CEL are NOT run\n{done.stderr[-300:]}")
    told = subprocess.run([node, "-e", DUMP], capture_output=True, text=True, check=True, cwd=folder)
    return list(_flat(json.loads(told.stdout), ""))


def _flat(suite: Mapping[str, Any], above: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    name = f"{above}/{suite['name']}"
    for test in suite.get("tests", ()):
        yield f"{name}/{test['original']['name']}", test["original"]
    for inner in suite.get("suites", ()):
        yield from _flat(inner, name)


def _condition(test: Mapping[str, Any]) -> tuple[str, bool | None] | None:
    """The test as a condition and whether it must hold; None for "must not come out at all"."""
    expr, value = test["expr"], test.get("value", {"boolValue": True})
    if test.get("bindings") or test.get("typeEnv") or test.get("container"):
        return None
    if "evalError" in test or "anyEvalErrors" in test:
        return expr, None
    match value:
        case {"boolValue": bool(wanted)}:
            return expr, wanted
        case {"int64Value": number}:
            return f"({expr}) == {number}", True
        case {"stringValue": str(text)}:
            return f"({expr}) == {_literal(text)}", True
        case _:
            return None


def _literal(text: str) -> str:
    """A text as the language writes it, with nothing in it that nobody can see."""
    chars = (char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08X}" for char in text)
    return f'"{"".join(chars)}"'


def _value(condition: str, scope: Scope) -> bool | str:
    """What the language makes of it, by both evaluators; `refused` when it is not part of the language."""
    checker = Checker(scope)
    try:
        expr = checker.truth(parse(condition), NOTHING).expr
    except SyntaxProblem:
        return "refused"
    errors = {problem.code for problem in checker.problems if problem.severity == "error"}
    if expr is None or errors - OF_POLICIES:
        return "refused"
    try:
        slow: bool | str = holds(expr, FACTS)
    except FactError:
        slow = "error"
    fast = compile_conditions([expr], scope).match(FACTS)
    assert ([0] if slow is True else []) == (fast or []), condition
    return slow


@pytest.mark.long
def test_what_the_language_accepts_means_what_cel_says(corpus: list[tuple[str, Mapping[str, Any]]]) -> None:
    tools: dict[str, ToolSurface] = {surface.name: surface for surface in SURFACES}
    scope = Conditions(Findings("x", ""), tools, currency("USD")).scope("issue_refund")
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for name, test in corpus:
        asked = _condition(test)
        if asked is None:
            continue
        value = _value(asked[0], scope)
        seen["refused" if value == "refused" else "accepted"] += 1
        if value not in ("refused", "error" if asked[1] is None else asked[1]):
            wrong.append(f"{name}: {asked[0]} is {value}, not {asked[1]}")
    assert wrong == []
    assert seen["accepted"] >= LEAST, seen
