"""The JSON Schema of policy.yaml for editors, with the tools and facts of this project.

The rule it keeps: whatever the loader accepts, the schema accepts. It says less than the loader, never more.
"""

from collections.abc import Mapping, Sequence
from typing import get_args

from tillgate.guards.facts import CATALOGUE, FactType, Kind, ToolSurface
from tillgate.guards.model import Assurance, Json
from tillgate.guards.money import currencies
from tillgate.guards.policy.including import SHARED
from tillgate.guards.policy.load import REQUIRED
from tillgate.guards.policy.rules import LEVELS, STRENGTHS
from tillgate.guards.policy.sections import MOST_APPROVALS
from tillgate.guards.policy.shape import ID, WORD
from tillgate.guards.policy.types import MaskKind, OutcomeStatus

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The dialect that YAML language servers support."""

_TEXT: Json = {"type": "string", "minLength": 1}
_DURATION: Json = {
    "type": "string",
    "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
    "examples": ["30d", "24h"],
}
_AMOUNT: Json = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$", "examples": ["25.00"]}


def policy_schema(tools: Sequence[ToolSurface]) -> dict[str, Json]:
    """The schema of a whole policy file (draft-07); the sections alone, as included files have them, are in it too."""
    sections = _sections()
    header: dict[str, Json] = {
        "policy": {"$ref": "#/definitions/id"},
        "version": {"type": "integer", "minimum": 0},
        "currency": {"enum": sorted(currencies()), "description": "ISO 4217; all amounts in the file are in it"},
        "mode": _mode(),
        "include": _list({"type": "string", "description": "A file beneath this one's folder"}),
    }
    return {
        "$schema": DIALECT,
        "title": "Tillgate policy",
        **_closed({**header, **sections}, REQUIRED),
        "definitions": _definitions(tools),
    }


def _definitions(tools: Sequence[ToolSurface]) -> dict[str, Json]:
    names = sorted(tool.name for tool in tools)
    conditions = "\n".join(
        ["A condition in CEL. Facts:", *(f"- {path}: {words}" for path, words in fact_list().items())]
    )
    return {
        "id": {"type": "string", "pattern": f"^{ID.pattern}$"},
        "word": {"type": "string", "pattern": f"^{WORD.pattern}$"},
        "condition": {"type": "string", "minLength": 1, "description": conditions},
        "tool": {"enum": [*names]},
        "tools": {"oneOf": [{"const": "*"}, _list({"$ref": "#/definitions/tool"})]},
        "fact": {"enum": [*_scalars()]},
        "escalation": {"oneOf": [{"$ref": "#/definitions/id"}, _escalation()]},
        "rule": _rule(),
    }


def fact_list() -> dict[str, str]:
    """Every fact by its path with its type in words; `?` for one that may be missing."""
    found: dict[str, str] = {}
    for group in CATALOGUE.values():
        for name, fact in group.facts.items():
            unit = f" ({fact.unit})" if fact.unit else ""
            found[f"{group.name}.{name}{'?' if fact.optional else ''}"] = f"{fact}{unit}"
    return found


def _scalars() -> list[str]:
    def fits(fact: FactType) -> bool:
        return fact.kind in (Kind.STRING, Kind.ENUM, Kind.INT, Kind.BOOL)

    return [f"{group.name}.{name}" for group in CATALOGUE.values() for name, fact in group.facts.items() if fits(fact)]


def _closed(properties: Mapping[str, Json], required: Sequence[str] = ()) -> dict[str, Json]:
    found: dict[str, Json] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": [*required]} if required else found


def _list(items: Json, *, empty: bool = False) -> dict[str, Json]:
    return {"type": "array", "items": items} if empty else {"type": "array", "items": items, "minItems": 1}


def _mode() -> dict[str, Json]:
    return {"enum": ["enforce", "shadow"], "description": "shadow: decide and record, change nothing about the answer"}


def _escalation() -> dict[str, Json]:
    approvals: Json = {"type": "integer", "minimum": 1, "maximum": MOST_APPROVALS}
    return _closed({"queue": {"$ref": "#/definitions/id"}, "approvals": approvals, "expires": _DURATION}, ["queue"])


def _rule() -> dict[str, Json]:
    condition: Json = {"$ref": "#/definitions/condition"}
    does: dict[str, Json] = {
        "permit": {"const": True},
        "deny": {"$ref": "#/definitions/word"},
        "verify": {"enum": [*LEVELS]},
        "confirm": {"enum": [*STRENGTHS]},
        "escalate": {"$ref": "#/definitions/escalation"},
    }
    says: dict[str, Json] = {
        "id": {"$ref": "#/definitions/id"},
        "tools": {"$ref": "#/definitions/tools"},
        "when": condition,
        "unless": condition,
        "until": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "Its last day (UTC)"},
        "message": _TEXT,
        "mode": _mode(),
    }
    one: list[Json] = [{"required": [kind]} for kind in does]
    return {**_closed({**says, **does}, ["id", "tools"]), "oneOf": one}


def _sections() -> dict[str, Json]:
    condition: Json = {"$ref": "#/definitions/condition"}
    values: list[Json] = [_list(_TEXT), _closed({"file": {"type": "string"}}, ["file"])]
    sections: dict[str, Json] = {
        "let": {"type": "object", "additionalProperties": condition, "description": "Conditions with a name"},
        "lists": {"type": "object", "additionalProperties": {"oneOf": values}},
        "risk": _risk(),
        "budgets": _list(_budget(), empty=True),
        "rules": _list({"$ref": "#/definitions/rule"}, empty=True),
        "context": _context(),
        "queues": {"type": "object", "additionalProperties": _queue()},
        "invariants": _list(_invariant(), empty=True),
    }
    if set(sections) != set(SHARED):
        raise AssertionError("a section of the policy is missing from its schema")
    return sections


def _risk() -> dict[str, Json]:
    factor = _closed(
        {
            "id": {"$ref": "#/definitions/id"},
            "when": {"$ref": "#/definitions/condition"},
            "points": {"type": "integer", "minimum": 1, "maximum": 1000},
            "because": _TEXT,
            "tools": {"$ref": "#/definitions/tools"},
        },
        ["id", "when", "points", "because"],
    )
    score: Json = {"type": "integer", "minimum": 1, "maximum": 100_000}
    tiers = _closed({"medium": score, "high": score, "critical": score}, ["medium", "high", "critical"])
    return _closed({"factors": _list(factor, empty=True), "tiers": tiers})


def _budget() -> dict[str, Json]:
    fact: Json = {"$ref": "#/definitions/fact"}
    count: Json = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
    limits: list[Json] = [_AMOUNT, {**_closed({"amount": _AMOUNT, "count": count}), "minProperties": 1}]
    per: list[Json] = [fact, _list(fact)]
    exceeded: list[Json] = [
        {"const": "deny"},
        _closed({"escalate": {"$ref": "#/definitions/escalation"}}, ["escalate"]),
    ]
    return _closed(
        {
            "id": {"$ref": "#/definitions/word"},
            "tools": {"$ref": "#/definitions/tools"},
            "per": {"oneOf": per},
            "window": _DURATION,
            "limit": {"oneOf": limits},
            "exceeded": {"oneOf": exceeded},
            "message": _TEXT,
        },
        ["id", "tools", "per", "window", "limit"],
    )


def _context() -> dict[str, Json]:
    view = _closed({level.name.lower(): _list(_TEXT, empty=True) for level in Assurance})
    masks: Json = {"type": "object", "additionalProperties": {"enum": [*get_args(MaskKind)]}}
    return {"type": "object", "properties": {"mask": masks}, "additionalProperties": view}


def _queue() -> dict[str, Json]:
    return _closed({"reviewers": _list({"$ref": "#/definitions/id"}), "four_eyes_over": _AMOUNT}, ["reviewers"])


def _invariant() -> dict[str, Json]:
    outcome: Json = {"enum": [*get_args(OutcomeStatus)]}
    then: Json = {"$ref": "#/definitions/condition"}
    fields: dict[str, Json] = {"tools": {"$ref": "#/definitions/tools"}, "when_outcome": outcome, "then": then}
    return _closed(fields, ["tools", "when_outcome", "then"])
