"""Reads `rules` and `invariants`, and lays the rules of each tool out in the order they are asked."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast, get_args

from tillgate.guards.model import Assurance, Confirm, Consent, Escalate, Reason, Requirement, RuleHit, RuleKind, Verify
from tillgate.guards.policy.compile import compile_conditions
from tillgate.guards.policy.conditions import Conditions
from tillgate.guards.policy.sections import Sections
from tillgate.guards.policy.shape import WORD, Shape
from tillgate.guards.policy.types import (
    Invariant,
    Mode,
    OutcomeStatus,
    RiskFactor,
    Rule,
    ToolFactors,
    ToolRules,
)
from tillgate.guards.policy.written import Piece
from tillgate.guards.policy.yaml import Node, Scalar

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

CONDITION = ("when", "unless", "until")
"""The keys of a rule that say when it applies; all of them must hold."""

KINDS: tuple[RuleKind, ...] = ("deny", "permit", "verify", "confirm", "escalate")
"""Also the order in which rules are laid out."""

LEVELS = {level.name.lower(): level for level in Assurance if level is not Assurance.ANONYMOUS}
STRENGTHS = {strength.name.lower(): strength for strength in Consent if strength is not Consent.NONE}

_MESSAGES: dict[RuleKind, str] = {
    "permit": "This is allowed.",
    "deny": "I'm not able to do that.",
    "verify": "Before I can do that, I need to make sure it's you.",
    "confirm": "Before I can do that, I need you to confirm it.",
    "escalate": "A colleague needs to look at this first.",
}
_CODES: dict[RuleKind, str] = {
    "permit": "permitted",
    "verify": "verification_required",
    "confirm": "confirmation_required",
    "escalate": "approval_required",
}


class Rules:
    """Reads rules with the help of the sections they lean on."""

    def __init__(self, shape: Shape, sections: Sections, conditions: Conditions) -> None:
        self.shape = shape
        self.sections = sections
        self.conditions = conditions

    def read(self, node: Node) -> tuple[Rule, ...]:
        """`rules:`."""
        rules: list[Rule] = []
        seen: set[str] = set()
        for item in self.shape.items(node, "rules", empty=True):
            rule = self._rule(item, seen)
            if rule is not None:
                rules.append(rule)
        return tuple(rules)

    def _rule(self, node: Node, seen: set[str]) -> Rule | None:
        fields = self.shape.mapping(node, "a rule", ["id", "tools"], [*CONDITION, *KINDS, "message", "mode"])
        name = self.shape.named(fields["id"], "a rule's id") if "id" in fields else None
        if name in seen:
            self.shape.error("P030", f"a second rule `{name}`", fields["id"].place, "give one another id")
        seen.update([name] if name else [])
        named = self.sections.tools(fields["tools"]) if "tools" in fields else None
        mode = self.shape.choice(fields["mode"], "a mode", ("enforce", "shadow")) if "mode" in fields else "enforce"
        message = self.shape.text(fields["message"], "message") if "message" in fields else None
        effect = self._effect(node, fields, name or "", message)
        pieces = self._pieces(fields)
        restricts = effect is not None and effect[0] != "permit"
        when = None
        if named is not None and pieces is not None:
            when = self.conditions.read(pieces, named, restricts=restricts)
        if name is None or when is None or effect is None or mode is None:
            return None
        kind, reason, requirement = effect
        hit = RuleHit(name, kind)
        tools = frozenset(when.by_tool)
        source, line = self.shape.where(node)
        return Rule(name, kind, tools, when, cast(Mode, mode), reason, requirement, hit, line, source, _end(fields))

    def _pieces(self, fields: Mapping[str, Node]) -> tuple[Piece, ...] | None:
        """What a rule says of when it applies: `when`, not `unless`, and only `until` the end of a day."""
        pieces: list[Piece | None] = []
        for key in CONDITION:
            node = fields.get(key)
            if node is None:
                continue
            if self.shape.text(node, key, longest=100_000) is None or not isinstance(node, Scalar):
                pieces.append(None)
            elif key == "until":
                pieces.append(self._until(node))
            else:
                pieces.append(Piece(node) if key == "when" else Piece(node, "!("))
        known = tuple(piece for piece in pieces if piece is not None)
        return known if len(known) == len(pieces) else None

    def _until(self, node: Scalar) -> Piece | None:
        after = _day_after(node.text)
        if after is None:
            self.shape.error("P035", f"until is not a day: '{node.text}'", node.place, "write it like 2026-12-31")
            return None
        return Piece(node, "now < ", "", f"timestamp('{after:%Y-%m-%dT%H:%M:%SZ}')")

    def _effect(
        self, node: Node, fields: Mapping[str, Node], name: str, message: str | None
    ) -> tuple[RuleKind, Reason, Requirement | None] | None:
        given: list[RuleKind] = [kind for kind in KINDS if kind in fields]
        if len(given) != 1:
            place = fields[given[1]].place if given else node.place
            wanted = "exactly one of permit, deny, verify, confirm, escalate"
            has = f"has {' and '.join(given)}" if given else "does nothing"
            self.shape.error("P039", f"this rule {has}; it needs {wanted}", place)
            return None
        kind, value = given[0], fields[given[0]]
        code = _CODES.get(kind, "")
        if kind == "deny":
            code = self.shape.named(value, "a deny code", WORD) or ""
        reason = Reason(code, message or _MESSAGES[kind], name)
        if kind in ("permit", "deny"):
            allowed = kind == "deny" or self._is_true(value)
            return (kind, reason, None) if allowed and code else None
        requirement = self._requirement(kind, value, reason)
        return (kind, reason, requirement) if requirement else None

    def _is_true(self, node: Node) -> bool:
        if isinstance(node, Scalar) and node.style is None and node.text == "true":
            return True
        hint = "leave the rule out to permit nothing: everything is denied by default"
        self.shape.error("P011", "permit can only be true", node.place, hint)
        return False

    def _requirement(self, kind: RuleKind, node: Node, reason: Reason) -> Requirement | None:
        if kind == "verify":
            level = self.shape.choice(node, "a level to verify", LEVELS)
            return Verify(LEVELS[level], reason) if level else None
        if kind == "confirm":
            strength = self.shape.choice(node, "a strength of consent", STRENGTHS)
            return Confirm(STRENGTHS[strength], reason) if strength else None
        return self.sections.escalation(node, reason)

    def read_invariants(self, node: Node) -> tuple[Invariant, ...]:
        """`invariants:`; checked for types here, proved elsewhere."""
        invariants: list[Invariant] = []
        for item in self.shape.items(node, "invariants", empty=True):
            fields = self.shape.mapping(item, "an invariant", ["tools", "when_outcome", "then"])
            if len(fields) < 3:
                continue
            named = self.sections.tools(fields["tools"])
            status = self.shape.choice(fields["when_outcome"], "an outcome", get_args(OutcomeStatus))
            if not self.shape.text(fields["then"], "then", longest=100_000) or named is None:
                continue
            then = self.conditions.read(cast(Scalar, fields["then"]), named)
            if then is not None and status is not None:
                outcome = cast(OutcomeStatus, status)
                line = item.place.line + 1
                invariants.append(Invariant(frozenset(then.by_tool), outcome, then, line))
        return tuple(invariants)


def _end(fields: Mapping[str, Node]) -> int | None:
    node = fields.get("until")
    after = _day_after(node.text) if isinstance(node, Scalar) else None
    return int(after.timestamp()) if after else None


def _day_after(text: str) -> datetime | None:
    """When a day is over, in UTC; None for what is no day."""
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC) if _DAY.fullmatch(text) else None
        return day + timedelta(days=1) if day else None
    except (ValueError, OverflowError):
        return None


def strictness(requirement: Requirement) -> tuple[int, int, int]:
    """Sorts requirements as they are asked: verify, confirm, escalate; of one kind, the strictest first."""
    if isinstance(requirement, Verify):
        return 0, -requirement.level, 0
    if isinstance(requirement, Confirm):
        return 1, -requirement.strength, 0
    return 2, -requirement.approvals, requirement.expires_seconds


def as_strict(one: Requirement | None, other: Requirement | None) -> bool:
    """Whether meeting the first always meets the second."""
    if isinstance(one, Verify) and isinstance(other, Verify):
        return one.level >= other.level
    if isinstance(one, Confirm) and isinstance(other, Confirm):
        return one.strength >= other.strength
    if isinstance(one, Escalate) and isinstance(other, Escalate):
        same = (one.queue, one.expires_seconds) == (other.queue, other.expires_seconds)
        return same and one.approvals >= other.approvals
    return one is None and other is None


def bare(requirement: Requirement | None) -> tuple[object, ...]:
    """What is asked for, without the words it is asked in."""
    named = ("level", "strength", "queue", "approvals", "expires_seconds")
    return type(requirement).__name__, *(getattr(requirement, name, None) for name in named)


def lay_out(rules: Iterable[Rule], conditions: Conditions) -> dict[str, ToolRules]:
    """The rules of each tool, sorted and compiled."""
    by_tool: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=_order):
        for tool in rule.tools:
            by_tool.setdefault(tool, []).append(rule)
    return {tool: _tool_rules(tool, found, conditions) for tool, found in by_tool.items()}


def _order(rule: Rule) -> tuple[int, tuple[int, int, int], str]:
    strict = strictness(rule.requirement) if rule.requirement else (0, 0, 0)
    return KINDS.index(rule.kind), strict, rule.id


def _tool_rules(tool: str, rules: list[Rule], conditions: Conditions) -> ToolRules:
    kinds = [rule.kind for rule in rules]
    denies = kinds.count("deny")
    program = compile_conditions([rule.when.by_tool[tool] for rule in rules], conditions.scope(tool))
    return ToolRules(
        rules=tuple(rules),
        program=program,
        hits=tuple(rule.hit for rule in rules),
        demands=tuple(rule.requirement for rule in rules if rule.requirement),
        first_permit=denies,
        first_demand=denies + kinds.count("permit"),
        watched=frozenset(index for index, rule in enumerate(rules) if rule.mode == "shadow"),
    )


def lay_out_factors(factors: Iterable[RiskFactor], conditions: Conditions) -> dict[str, ToolFactors]:
    """The risk factors of each tool, in the order of the file, compiled."""
    by_tool: dict[str, list[RiskFactor]] = {}
    for factor in factors:
        for tool in factor.tools:
            by_tool.setdefault(tool, []).append(factor)
    return {
        tool: ToolFactors(
            tuple(found),
            compile_conditions([factor.when.by_tool[tool] for factor in found], conditions.scope(tool)),
        )
        for tool, found in by_tool.items()
    }
