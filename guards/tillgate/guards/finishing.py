"""How a call ends whose effects happen outside: set out in one transaction, settled in another, by whoever can.

The rules kept: what would change is held from the one to the other. That something was done is believed from whoever
knows it; that it was not done, only from the last one who had the request for themselves.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec.structs import replace

from tillgate.guards import escalation
from tillgate.guards.answers import refused_outside
from tillgate.guards.audit.record import as_json, plan_from_json, rfc3339
from tillgate.guards.case import Case
from tillgate.guards.desk import LEASE_SECONDS, OUTSTANDING, Desk, Request, Tally
from tillgate.guards.effects import REMEMBERED, Answer, Done, Effect, How, Refused, UnderWay, Unknown
from tillgate.guards.errors import Stale
from tillgate.guards.model import Assurance, Plan
from tillgate.guards.outcome import Outcome, outcome_from
from tillgate.guards.ports import Minter
from tillgate.guards.recall import roots_of, set_out
from tillgate.guards.recording import outcome_record
from tillgate.guards.steps import Steps, Transact

LOOK_SECONDS = 60
"""How often a provider is asked again about what is in doubt, or sent it again where that is the same act."""


class Shows(Protocol):
    """The gate, of which only its views are needed here."""

    def shown(self, outcome: Outcome, tool: str, assurance: Assurance) -> Outcome:
        """An outcome with only what may leave of its data."""
        ...


def begin(
    desk: Desk, case: Case, plan: Plan, effects: tuple[Effect, ...], done: Outcome, minter: Minter
) -> tuple[UnderWay, Outcome]:
    """Write down what is about to happen outside: the request is claimed, and holds what the plan would change.

    `done` is the answer if it happens; what is told meanwhile comes back beside what is under way. Raises Stale,
    nothing written, for a plan that could not be entered afterwards.
    """
    desk.rehearse(plan)
    waiting = desk.request(case.grant.handle) if case.grant is not None and case.grant.handle else None
    request = waiting or escalation.direct(desk, case, plan, minter)
    packet = {**request.packet, "plan": as_json(plan), "answer": done.as_json(), "begun_at": rfc3339(desk.now)}
    request = replace(
        request,
        status="executing",
        packet=packet,
        effects=effects,
        fence=request.fence + 1,
        lease_until=desk.now + timedelta(seconds=LEASE_SECONDS),
    )
    desk.open_request(request)
    told = escalation.under_way(case.call_id, request, desk.now)
    set_out(desk, case, plan, told, request)
    return UnderWay(request.handle, request.fence, effects), told


def finish(gate: Shows, desk: Desk, way: UnderWay, answer: Answer, by: str | None = None) -> Outcome:
    """Settle a request by what is known of its effects; `by` is the person who says so.

    One that is settled already stays as it is, and so does one that somebody else has claimed since, unless it was
    done.
    """
    request = desk.request(way.handle)
    if request is None:
        raise LookupError(f"{way.handle} was written before its effects were carried out")
    if isinstance(answer, Done) and request.status == "denied":
        return _in_doubt(desk, request, Unknown(f"it was taken for refused, but was done: {answer.reference}"))
    lost = request.fence != way.fence and not isinstance(answer, Done)
    if request.status not in OUTSTANDING or lost:
        return escalation.under_way(request.call_id, request, desk.now)
    match answer:
        case Done():
            return _done(gate, desk, request, answer, by)
        case Refused():
            return _not_done(desk, request, answer, by)
        case Unknown():
            return _in_doubt(desk, request, answer)


def recover(gate: Shows) -> Steps[int]:
    """Take up every outstanding request that nobody is at work on any more; how many there were."""
    handles: list[str] = yield Transact(lambda desk: desk.lapsed())
    for handle in handles:
        yield from _take_up(gate, handle)
    return len(handles)


def _take_up(gate: Shows, handle: str) -> Steps[None]:
    way: UnderWay | None = yield Transact(lambda desk: claim(desk, handle))
    if way is not None:
        answer: Answer = yield way
        yield Transact(lambda desk: finish(gate, desk, way, answer))


def claim(desk: Desk, handle: str) -> UnderWay | None:
    """Have an outstanding request to oneself; None when somebody else was faster, or it ended."""
    request = desk.request(handle)
    if request is None or request.status not in OUTSTANDING:
        return None
    how = _how(desk, request)
    if not desk.claim_request(handle, request.fence, LEASE_SECONDS if how == "again" else LOOK_SECONDS):
        return None
    return UnderWay(handle, request.fence + 1, request.effects, how)


def _how(desk: Desk, request: Request) -> How:
    """Of what is paused, or so old that a provider may have forgotten its key, nothing is sent again."""
    begun = datetime.fromisoformat(request.packet.get("begun_at") or rfc3339(request.created_at))
    if desk.paused(request.received.tool) or desk.now >= begun + REMEMBERED:
        return "look"
    return "again" if request.status == "executing" else "doubt"


def _done(gate: Shows, desk: Desk, request: Request, answer: Done, by: str | None) -> Outcome:
    plan = plan_from_json(request.packet["plan"])
    try:
        desk.apply(plan)
    except Stale as error:  # it was held, so only somebody at the database itself can have done this
        return _in_doubt(desk, request, Unknown(f"done outside ({answer.reference}), but cannot be entered: {error}"))
    if plan.undoes is not None:
        desk.take_back(plan.undoes, request.call_id)
    outcome = outcome_from(request.packet["answer"])
    desk.move_request(request.handle, "executed", None, outcome.as_json())
    roots = desk.roots(roots_of(plan))
    if request.approvals:
        desk.settle_action(request.handle, roots, plan, request.policy)
    else:
        desk.finish_action(request.call_id, outcome.as_json(), roots, plan)
    shown = gate.shown(outcome, request.received.tool, request.subject.assurance)
    _write_down(desk, request, shown, answer, by)
    return shown


def _not_done(desk: Desk, request: Request, answer: Refused, by: str | None) -> Outcome:
    """It ends as refused, and what was reserved for it is free."""
    outcome = refused_outside(request.call_id)
    desk.move_request(request.handle, "denied", outcome.reasons[0].message, None)
    desk.unbook(request.call_id)
    _write_down(desk, request, outcome, answer, by)
    return outcome


def _in_doubt(desk: Desk, request: Request, answer: Unknown) -> Outcome:
    """It waits for a person, and keeps what is reserved for it."""
    outcome = escalation.under_way(request.call_id, replace(request, status="in_doubt"), desk.now)
    if request.status != "in_doubt":
        desk.move_request(request.handle, "in_doubt", None, None)
        _write_down(desk, request, outcome, answer, None)
    return outcome


def _write_down(desk: Desk, request: Request, shown: Outcome, answer: Answer, by: str | None) -> None:
    talk = desk.talk(request.received.caller)
    body, personal = outcome_record(desk.now, request, shown, _as_json(answer), by)
    desk.append(body, personal, talk)
    desk.tally(talk, Tally(False, shown.executed, shown.status == "denied", False, None))


def _as_json(answer: Answer) -> Mapping[str, Any]:
    match answer:
        case Done(reference):
            return {"answer": "done", "reference": reference}
        case Refused(why):
            return {"answer": "refused", "why": why}
        case Unknown(why):
            return {"answer": "unknown", "why": why}
