"""A call that waits for a person: its handle, its packet, and what its customer is told of it.

pending → approved, denied, expired, withdrawn or stale; approved → executed. Where something must happen outside
first, a request is executing until that is known, or in doubt until a person has found out. Every end is final.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from tillgate.guards.answers import denied, given
from tillgate.guards.audit.record import as_json, plan_digest, rfc3339
from tillgate.guards.case import Case
from tillgate.guards.decide import near_misses
from tillgate.guards.desk import Desk, Request
from tillgate.guards.model import Decision, Escalate, Json, Plan, Reason
from tillgate.guards.outcome import EscalationGiven, Outcome
from tillgate.guards.ports import Minter

CHECK_SECONDS, SOON_SECONDS = 60, 5
DOUBTS, DOUBTS_SECONDS = "in_doubt", 30 * 86_400
"""The queue of calls of which nobody can say whether they happened."""
UNDER_WAY = Reason("under_way", "This is being done right now.")
IN_DOUBT = Reason("in_doubt", "We cannot see yet whether this went through. A colleague will find out.")
HISTORY = 30


def opened(desk: Desk, case: Case, plan: Plan, demand: Escalate, minter: Minter) -> Request:
    """The request for this case, with all a reviewer needs. Large amounts need two people where the queue says so."""
    queue = case.policy.queue(demand.queue)
    over = queue.four_eyes_over is not None and plan.impact.amount > queue.four_eyes_over
    return Request(
        handle=minter.id("esc"),
        call_id=case.call_id,
        received=case.received,
        subject=case.subject,
        talk_key=case.talk.key,
        consent=int(case.consent),
        plan_digest=plan_digest(plan),
        basis=plan.basis,
        summary=plan.summary,
        amount=plan.impact.amount,
        queue=demand.queue,
        approvals=max(demand.approvals, 2 if over else 1),
        policy=case.policy.digest,
        created_at=desk.now,
        expires_at=desk.now + timedelta(seconds=demand.expires_seconds),
        status="pending",
        message=None,
        packet=_packet(desk, case, plan),
        approved_by=(),
    )


def direct(desk: Desk, case: Case, plan: Plan, minter: Minter) -> Request:
    """The request of a call that waits for nobody, only for what must happen outside."""
    reason = Reason("under_way", "")
    return replace(opened(desk, case, plan, Escalate(DOUBTS, 0, DOUBTS_SECONDS, reason), minter), approvals=0)


def under_way(call_id: str, request: Request, now: datetime) -> Outcome:
    """What the client is told while it is not known how a call ends, or when somebody else has settled it."""
    state = request.state(now)
    doubtful = state == "in_doubt"
    return Outcome(
        status="escalated",
        executed=False,
        call_id=call_id,
        reasons=given(IN_DOUBT if doubtful else UNDER_WAY),
        escalation=_given(request, state, CHECK_SECONDS if doubtful else SOON_SECONDS),
        next_step=(
            f"Tell the customer that a colleague is making sure; ask check_request with handle {request.handle} later. "
            "Do not send the call again."
            if doubtful
            else f"Ask check_request with handle {request.handle} in a moment. Do not send the call again."
        ),
    )


def escalated(case: Case, request: Request, demand: Escalate) -> Outcome:
    """What the client is told: a handle, and to wait."""
    return Outcome(
        status="escalated",
        executed=False,
        call_id=case.call_id,
        reasons=given(demand.reason),
        escalation=_given(request, "pending"),
        next_step=(
            "Tell the customer a colleague will look at this; nothing has been done yet. "
            f"Ask check_request with handle {request.handle} later; do not send the call again."
        ),
    )


def given_again(request: Request, now: datetime) -> EscalationGiven:
    """The handle with the state it has now."""
    return _given(request, request.state(now))


def as_it_stands(request: Request, now: datetime) -> dict[str, Any]:
    """What a call sent again is told beside its first outcome: the state of its request, and what to do."""
    state = request.state(now)
    done = f"This was approved and done. Read the result with check_request and handle {request.handle}."
    return {"escalation": given_again(request, now), **({"next_step": done} if state == "executed" else {})}


def about(desk: Desk, plan: Plan) -> EscalationGiven | None:
    """The request a plan is about, as it stands after the plan."""
    request = desk.request(plan.request) if plan.request else None
    return given_again(request, desk.now) if request else None


def not_granted(case: Case, decision: Decision | None) -> Outcome:
    """People said yes, but policy or the record says otherwise now: nothing is done, and it says why."""
    why = [case.refusal] if case.refusal else []
    why += decision.reasons if decision else []
    if case.grant is not None and case.grant.handle is None:
        return denied(case, *why)
    stale = Reason("stale", "The situation has changed since this was asked for, so nothing was done.")
    return denied(case, stale, *why)


def _given(request: Request, status: str, check: int = CHECK_SECONDS) -> EscalationGiven:
    return EscalationGiven(
        handle=request.handle,
        status=status,
        queue=request.queue,
        expires_at=rfc3339(request.expires_at),
        check_after_seconds=check,
    )


def _packet(desk: Desk, case: Case, plan: Plan) -> dict[str, Json]:
    facts = case.facts or {}
    return {
        "words": case.args.gate("customer_request") if case.args else None,
        "arguments": dict(case.args.as_json()) if case.args else {},
        "conversation": [dict(call) for call in desk.history(case.talk.key, HISTORY)],
        "plan": as_json(plan),
        "facts": dict(facts),
        "risk": as_json(case.risk) if case.risk else None,
        "decision": as_json(case.decision) if case.decision else None,
        "nearly": list(near_misses(case.policy, plan.tool, facts)),
        "budgets": _budgets(case),
        "verification": {"assurance": case.subject.assurance.name, "consent": case.consent.name},
        "on_approval": f"Looked up, planned and decided again; if nothing has changed: {plan.summary}",
        "undo": plan.way_back(),
    }


def _budgets(case: Case) -> list[Json]:
    """Each budget of the tool with this call in it: what is used and what the policy allows."""
    if case.limits is None or case.plan is None:
        return []
    return [
        {
            "id": budget.id,
            "exceeded": budget in case.limits.exceeded,
            "limit_amount": budget.limit_amount,
            "limit_count": budget.limit_count,
            **case.limits.usage.get(budget.id, {}),
        }
        for budget in case.policy.budgets_for(case.plan.tool)
    ]
