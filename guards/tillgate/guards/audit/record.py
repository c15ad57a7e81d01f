"""The nouns of a call as canonical JSON and back, so that a decision can be written down and made again."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias, TypeVar

from tillgate.guards.audit.canonical import canonical
from tillgate.guards.model import (
    Assurance,
    Change,
    Confirm,
    Consent,
    Decision,
    Escalate,
    Impact,
    Json,
    Plan,
    Reason,
    Requirement,
    RiskAssessment,
    Undo,
    Verify,
)

Recorded: TypeAlias = Decision | RiskAssessment | Plan | Requirement
JsonObject: TypeAlias = dict[str, Json]

_T = TypeVar("_T")


def as_json(noun: Recorded) -> JsonObject:
    """A decision, risk assessment, plan or requirement as JSON: enums by name, times as RFC 3339 UTC."""
    match noun:
        case Decision():
            return decision_json(noun)
        case RiskAssessment():
            return risk_json(noun)
        case Plan():
            return plan_json(noun)
        case Verify() | Confirm() | Escalate():
            return requirement_json(noun)


@lru_cache(maxsize=256)
def rfc3339(moment: datetime) -> str:
    """An aware time as RFC 3339 UTC (`2026-01-01T00:00:00Z`). Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time in a record has a zone")
    return moment.astimezone(UTC).isoformat()[: -len("+00:00")] + "Z"


def plan_digest(plan: Plan) -> str:
    """Hex SHA-256 of what a person consents to: tool, changes but the clock's stamps, impact and basis."""
    exact = {
        "tool": plan.tool,
        "changes": [change_json(change) for change in plan.changes if not change.stamp],
        "impact": impact_json(plan.impact),
        "basis": sorted([entity, version] for entity, version in plan.basis),
    }
    return hashlib.sha256(canonical(exact)).hexdigest()


def requirements_from_json(items: Iterable[Mapping[str, Json]]) -> tuple[Requirement, ...]:
    """The requirements that `as_json` wrote. Raises ValueError for anything it does not write."""
    return tuple(_read(_requirement_from, item, "requirement") for item in items)


def plan_from_json(item: Mapping[str, Json]) -> Plan:
    """The plan that `as_json` wrote. Raises ValueError for anything it does not write."""
    return _read(_plan_from, item, "plan")


def reason_json(reason: Reason) -> JsonObject:
    """A reason, its rule None where no rule of the policy spoke."""
    return {"code": reason.code, "message": reason.message, "rule": reason.rule}


def decision_json(decision: Decision) -> JsonObject:
    """A decision without the policy's digest, which every record carries itself."""
    return {
        "verdict": decision.verdict.value,
        "reasons": [reason_json(reason) for reason in decision.reasons],
        "unmet": [requirement_json(requirement) for requirement in decision.unmet],
        "hits": [{"rule": hit.rule, "kind": hit.kind, "errored": hit.errored} for hit in decision.hits],
        "shadow": None if decision.shadow is None else decision.shadow.value,
    }


def risk_json(risk: RiskAssessment) -> JsonObject:
    """A risk assessment with every factor that applied."""
    return {
        "score": risk.score,
        "tier": risk.tier.name,
        "contributions": [
            {"factor": part.factor, "points": part.points, "because": part.because} for part in risk.contributions
        ],
    }


def requirement_json(requirement: Requirement) -> JsonObject:
    """A requirement by kind: verify, confirm or escalate."""
    reason = reason_json(requirement.reason)
    match requirement:
        case Verify():
            return {"kind": "verify", "level": requirement.level.name, "reason": reason}
        case Confirm():
            return {"kind": "confirm", "strength": requirement.strength.name, "reason": reason}
        case Escalate():
            return {
                "kind": "escalate",
                "queue": requirement.queue,
                "approvals": requirement.approvals,
                "expires_seconds": requirement.expires_seconds,
                "reason": reason,
            }


def change_json(change: Change) -> JsonObject:
    """One changed field, before and after."""
    return {
        "entity": change.entity,
        "field": change.field,
        "before": change.before,
        "after": change.after,
        "stamp": change.stamp,
    }


def impact_json(impact: Impact) -> JsonObject:
    """An impact, its amount in minor units."""
    return {"amount": impact.amount, "kind": impact.kind, "reversible": impact.reversible}


def undo_json(undo: Undo) -> JsonObject:
    """Whether and until when a plan can be taken back."""
    return {"until": None if undo.until is None else rfc3339(undo.until), "why_not": undo.why_not}


def plan_json(plan: Plan) -> JsonObject:
    """A whole plan; `plan_from_json` reads it back."""
    return {
        "tool": plan.tool,
        "summary": plan.summary,
        "changes": [change_json(change) for change in plan.changes],
        "impact": impact_json(plan.impact),
        "basis": [[entity, version] for entity, version in plan.basis],
        "undo": undo_json(plan.undo),
        "requires": [requirement_json(requirement) for requirement in plan.requires],
        "method": dict(plan.method),
        "result": dict(plan.result),
        "denies": None if plan.denies is None else reason_json(plan.denies),
        "next_step": plan.next_step,
        "request": plan.request,
        "undoes": plan.undoes,
    }


def _read(reader: Callable[[Mapping[str, Json]], _T], item: Mapping[str, Json], what: str) -> _T:
    try:
        return reader(item)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a recorded {what}: {error!r}") from error


def _requirement_from(item: Mapping[str, Json]) -> Requirement:
    reason = Reason(**item["reason"])
    match item["kind"]:
        case "verify":
            return Verify(Assurance[item["level"]], reason)
        case "confirm":
            return Confirm(Consent[item["strength"]], reason)
        case "escalate":
            return Escalate(item["queue"], item["approvals"], item["expires_seconds"], reason)
        case other:
            raise ValueError(f"kind {other!r}")


def _plan_from(item: Mapping[str, Json]) -> Plan:
    until = item["undo"]["until"]
    return Plan(
        tool=item["tool"],
        summary=item["summary"],
        changes=tuple(Change(**change) for change in item["changes"]),
        impact=Impact(**item["impact"]),
        basis=tuple((entity, version) for entity, version in item["basis"]),
        undo=Undo(None if until is None else datetime.fromisoformat(until), item["undo"]["why_not"]),
        requires=requirements_from_json(item["requires"]),
        method=dict(item["method"]),
        result=dict(item["result"]),
        denies=None if item["denies"] is None else Reason(**item["denies"]),
        next_step=item["next_step"],
        request=item["request"],
        undoes=item["undoes"],
    )
