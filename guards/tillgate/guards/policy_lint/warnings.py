"""Collects warnings about one policy, each at the place of the rule, factor, budget, queue or section it is about."""

import re
from functools import cached_property

from tillgate.guards.policy.diagnostics import Diagnostic
from tillgate.guards.policy.files import unpacked
from tillgate.guards.policy.types import Policy, Rule
from tillgate.guards.policy.where import Places


class Warnings:
    """The warnings so far. The file is read again for places only when something is warned of that is no rule."""

    def __init__(self, policy: Policy, text: str) -> None:
        self.found: list[Diagnostic] = []
        self._policy = policy
        self._text = text
        files = unpacked(text)
        self._lines = {policy.source: files.text.splitlines()} | {n: t.splitlines() for n, t in files.others.items()}

    @property
    def _main(self) -> list[str]:
        return self._lines[self._policy.source]

    @cached_property
    def _places(self) -> Places:
        return Places(self._policy, self._text)

    def rule(self, code: str, rule: Rule, message: str, hint: str | None = None) -> None:
        """A warning at the line where a rule begins."""
        excerpt = self._line(rule.source, rule.line)
        found = re.search(rf"\bid: *[\"']?({re.escape(rule.id)})\b", excerpt)
        at = found.start(1) if found else len(excerpt) - len(excerpt.lstrip())
        self._add(code, message, rule.source, rule.line, at + 1, len(rule.id) if found else 1, hint)

    def part(self, code: str, kind: str, name: str, message: str, hint: str | None = None) -> None:
        """A warning at the name of a rule, factor, budget, queue or view, or at the key of a section (`kind` "")."""
        line = None if kind else next((n for n, text in enumerate(self._main, 1) if text.startswith(f"{name}:")), None)
        if line is not None:
            self._add(code, message, self._policy.source, line, 1, len(name), hint)
        else:
            spot = self._places.named(kind, name)
            self._add(code, message, spot.source, spot.line, spot.column, len(name), hint)

    def _add(self, code: str, message: str, source: str, line: int, column: int, span: int, hint: str | None) -> None:
        excerpt = self._line(source, line)
        self.found.append(Diagnostic(code, message, source, line, column, excerpt, span, hint, "warning"))

    def _line(self, source: str, line: int) -> str:
        lines = self._lines[source]
        return lines[line - 1] if line <= len(lines) else ""
