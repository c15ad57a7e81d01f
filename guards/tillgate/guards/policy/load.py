"""Loads policy.yaml: text in, a frozen policy out, or one error with every finding; a file is never half accepted."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypedDict, cast

from tillgate.guards.facts import ToolSurface
from tillgate.guards.money import Currency, currencies, currency
from tillgate.guards.policy.conditions import Conditions
from tillgate.guards.policy.diagnostics import Findings, Place, PolicyError
from tillgate.guards.policy.files import gathered, unpacked
from tillgate.guards.policy.including import SHARED, put_together
from tillgate.guards.policy.naming import read_lists, read_named, warn_of_unused
from tillgate.guards.policy.rules import Rules, lay_out, lay_out_factors
from tillgate.guards.policy.sections import Sections
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.types import Budget, Invariant, MaskKind, Mode, Policy, Queue, RiskFactor, Rule, Tiers, View
from tillgate.guards.policy.views import Views
from tillgate.guards.policy.yaml import MAX_BYTES, Node, read_yaml

REQUIRED = ("policy", "version", "currency")
OPTIONAL = ("mode", "include", *SHARED)


class Parts(TypedDict):
    """What a file holds below its header."""

    tiers: Tiers | None
    factors: tuple[RiskFactor, ...]
    budgets: tuple[Budget, ...]
    rules: tuple[Rule, ...]
    views: tuple[View, ...]
    masks: tuple[tuple[str, MaskKind], ...]
    queues: Mapping[str, Queue]
    invariants: tuple[Invariant, ...]


def load_policy(text: str, source: str, tools: Sequence[ToolSurface]) -> Policy:
    """The policy in `text`, checked against the tools on offer; `source` names the file. Raises PolicyError.

    The text is a policy file, or one packed with the files it includes (`guards.policy.files`).
    """
    try:
        files = unpacked(text)
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(source, f"this packed policy is damaged: {error}") from error
    findings = Findings(source, files.text)
    root = read_yaml(files.text, findings)
    policy = _Loader(findings, tools, files.others).policy(root, text) if root is not None else None
    if policy is None or findings.errors:
        raise PolicyError(findings.errors)
    return policy


def load_policy_file(path: Path, tools: Sequence[ToolSurface]) -> Policy:
    """The policy in a file. Raises PolicyError, also when the file cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise _unreadable(str(path), f"cannot read the file: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(str(path), f"the file is not UTF-8 at byte {error.start}") from error
    return load_policy(gathered(text, path.parent).packed(), str(path), tools)


def _unreadable(source: str, message: str) -> PolicyError:
    findings = Findings(source, "")
    findings.error("P007", message, Place(0, 0))
    return PolicyError(findings.errors)


class _Loader:
    """Reads the sections in the order they depend on each other, whatever their order in the file."""

    def __init__(self, findings: Findings, tools: Sequence[ToolSurface], files: Mapping[str, str]) -> None:
        self._findings = findings
        self._files = files
        self._shape = Shape(findings)
        self._surfaces: Mapping[str, ToolSurface] = {tool.name: tool for tool in tools}

    def policy(self, root: Node, text: str) -> Policy | None:
        """The policy, or None after a finding."""
        fields = self._shape.mapping(root, "the policy", REQUIRED, OPTIONAL)
        name = self._shape.named(fields["policy"], "policy") if "policy" in fields else None
        version = self._shape.integer(fields["version"], "version", 0, 10**9) if "version" in fields else None
        mode = self._mode(fields.get("mode"))
        conditions = Conditions(self._findings, self._surfaces, self._currency(fields.get("currency")))
        whole = put_together(fields, self._files, self._shape)
        parts = self._sections(whole, conditions)
        warn_of_unused(conditions, whole.get("let"), whole.get("lists"), self._shape)
        if self._findings.errors or name is None or version is None or mode is None:
            return None
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        return Policy(
            name, version, conditions.currency.code, mode, digest, self._findings.source, self._findings.warnings,
            **parts,
            by_tool=MappingProxyType(lay_out(parts["rules"], conditions)),
            factors_by_tool=MappingProxyType(lay_out_factors(parts["factors"], conditions)),
        )  # fmt: skip

    def _sections(self, fields: Mapping[str, Node], conditions: Conditions) -> Parts:
        """Everything below the header; what has a name comes first because rules lean on it."""
        sections = Sections(self._shape, conditions)
        conditions.scored = "risk" in fields
        if "queues" in fields:
            sections.read_queues(fields["queues"])
        budgets, conditions.budgets = sections.read_budgets(fields["budgets"]) if "budgets" in fields else ((), {})
        if "lists" in fields:
            conditions.lists = read_lists(fields["lists"], self._files, self._shape)
        if "let" in fields:
            read_named(fields["let"], conditions, self._shape)
        factors, tiers = sections.read_risk(fields["risk"]) if "risk" in fields else ((), None)
        reader = Rules(self._shape, sections, conditions)
        context = Views(self._shape, self._surfaces)
        views, masks = context.read(fields["context"]) if "context" in fields else ((), ())
        return Parts(
            tiers=tiers,
            factors=factors,
            budgets=budgets,
            rules=reader.read(fields["rules"]) if "rules" in fields else (),
            views=views,
            masks=masks,
            queues=MappingProxyType(sections.queues or {}),
            invariants=reader.read_invariants(fields["invariants"]) if "invariants" in fields else (),
        )

    def _currency(self, node: Node | None) -> Currency:
        """The file's currency; after a finding a stand-in, so that amounts elsewhere are still checked."""
        code = self._shape.choice(node, "a current ISO 4217 currency code", currencies()) if node else None
        return currency(code or "USD")

    def _mode(self, node: Node | None) -> Mode | None:
        if node is None:
            return "enforce"
        return cast("Mode | None", self._shape.choice(node, "a mode", ("enforce", "shadow")))
