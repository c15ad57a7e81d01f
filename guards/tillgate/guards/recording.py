"""What is written down of a call: enough to explain it, prove it, decide it again and undo it.

Values that identify a person are named here, so that the log keeps a commitment and the value lies beside it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from tillgate.guards.audit.record import decision_json, plan_json, requirement_json, rfc3339, risk_json
from tillgate.guards.case import Case
from tillgate.guards.desk import Received, Request
from tillgate.guards.effects import UnderWay
from tillgate.guards.model import Json, Plan, at
from tillgate.guards.outcome import Outcome
from tillgate.guards.policy.types import Policy

Record = tuple[Mapping[str, Json], tuple[str, ...]]
_LONGEST_NAME = 64
_NEVER = frozenset({"code"})
"""Arguments that are secrets: not even kept beside the log."""


def call_record(now: datetime, case: Case, shown: Outcome, way: UnderWay | None = None) -> Record:
    """The record of one call and the paths of the personal values in it."""
    limits, plan, grant = case.limits, case.plan, case.grant
    body: dict[str, Json] = {
        "kind": _kind(case, shown, way),
        **_who(now, case.received, case.call_id, case.policy),
        "subject": {"customer_id": case.subject.customer_id, "assurance": case.subject.assurance.name},
        "arguments": _arguments(case),
        "words": case.args.gate("customer_request") if case.args else None,
        "facts": _facts(case),
        "risk": risk_json(case.risk) if case.risk else None,
        "limits": {
            "exceeded": [budget.id for budget in limits.exceeded] if limits else [],
            "requires": [requirement_json(demand) for demand in plan.requires] if plan else [],
        },
        "decision": decision_json(case.decision) if case.decision else None,
        "refusal": {"code": case.refusal.code, "message": case.refusal.message} if case.refusal else None,
        "plan": _plan(plan),
        "approvals": list(grant.reviewers) if grant else [],
        "request": way.handle if way else grant.handle if grant else None,
        **({"under_way": _under_way(way)} if way else {}),
        "outcome": _outcome(shown),
        "replayed": shown.replayed,
    }
    return body, tuple(_personal(body, case))


def _personal(body: Mapping[str, Json], case: Case) -> Iterator[str]:
    """Where in the body something stands that identifies a person."""
    for name in sorted(case.args.personal() - _NEVER) if case.args else ():
        places = (f"arguments.{name}", f"facts.args.{name}")
        yield from (place for place in places if at(body, place) is not None)
    if body["words"] is not None:
        yield "words"
    if body["plan"] is not None:
        yield "plan.changes"
    if "data" in body["outcome"]:
        yield "outcome.data"


def outcome_record(
    now: datetime, request: Request, shown: Outcome, answer: Mapping[str, Json], by: str | None
) -> Record:
    """How a call ended whose effects happened outside; its decision and plan are in the record before."""
    body = {
        "kind": "outcome",
        "at": rfc3339(now),
        "call_id": request.call_id,
        "request": request.handle,
        "conversation": request.received.caller.conversation,
        "tool": request.received.tool,
        "effects": dict(answer),
        "settled_by": by,
        "outcome": _outcome(shown),
    }
    return body, (("outcome.data",) if shown.data is not None else ())


def failure_record(now: datetime, received: Received, call_id: str, policy: Policy) -> Record:
    """A call that broke: that it came and that nothing was done. The fault itself goes to the operator's log."""
    return {"kind": "failure", **_who(now, received, call_id, policy), "outcome": {"status": "failed"}}, ()


def review_record(
    kind: Literal["approval", "denial"], now: datetime, handle: str, call_id: str, reviewer: str, said: str | None
) -> Record:
    """What a reviewer answered; `said` is the lowered amount or the words for the customer."""
    body = {"kind": kind, "at": rfc3339(now), "request": handle, "call_id": call_id, "reviewer": reviewer, "said": said}
    return body, ()


def switch_record(kind: Literal["pause", "resume"], now: datetime, tool: str | None, by: str) -> Record:
    """Somebody switched a tool, or all of them, off or on."""
    return {"kind": kind, "at": rfc3339(now), "tool": tool, "by": by}, ()


def _who(now: datetime, received: Received, call_id: str, policy: Policy) -> dict[str, Json]:
    agent = received.caller.agent
    return {
        "at": rfc3339(now),
        "call_id": call_id,
        "conversation": received.caller.conversation,
        "agent": {"id": agent.id, "channel": agent.channel},
        "tool": _plain(received.tool),
        "policy": policy.digest,
    }


def _kind(case: Case, shown: Outcome, way: UnderWay | None) -> str:
    if case.grant is None or case.grant.handle is None:
        return "call"
    return "execution" if way is not None or shown.status == "completed" else "stale"


def _under_way(way: UnderWay) -> Json:
    """What is about to happen outside: an outcome follows that says what became of it."""
    return [
        {"key": key, "port": effect.port, "act": effect.act, "details": dict(effect.details)}
        for key, effect in way.keyed()
    ]


def _arguments(case: Case) -> Json:
    """What was asked, once it was understood; a refused message is not kept, it may hold anything."""
    if case.args is None:
        return None
    return _without_secrets(case.args.as_json())


def _facts(case: Case) -> Json:
    if case.facts is None:
        return None
    return {**case.facts, "args": _without_secrets(case.facts["args"])}


def _without_secrets(args: Mapping[str, Json]) -> Mapping[str, Json]:
    if _NEVER.isdisjoint(args):
        return args
    return {name: "[secret]" if name in _NEVER else value for name, value in args.items()}


def _plan(plan: Plan | None) -> Json:
    """The plan without what it would answer, which is in the outcome as it was shown."""
    if plan is None or not plan.changes:
        return None
    written = plan_json(plan)
    del written["result"]
    return written


def _outcome(shown: Outcome) -> Json:
    """The answer as the model was shown it, without a token that would still work."""
    outcome = shown.as_json()
    if shown.confirmation is not None and shown.confirmation.token is not None:
        outcome["confirmation"]["token"] = "[secret]"
    return outcome


def _plain(name: str) -> str:
    if len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable():
        return name
    return "".join(char for char in name[:_LONGEST_NAME] if char.isascii() and char.isprintable())
