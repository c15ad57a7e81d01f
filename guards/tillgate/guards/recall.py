"""The same call sent again is answered with its first outcome and never acts twice (CONTRACT §1).

It is the same call when it carries the same key, or when the conversation sent the same tool and arguments before and
nothing else has changed the records since. Only what acted or still waits is recalled.
"""

from msgspec.structs import replace

from tillgate.guards import escalation
from tillgate.guards.answers import CONFLICT
from tillgate.guards.case import Case
from tillgate.guards.desk import ENDED, Action, Desk, NewAction, Request
from tillgate.guards.model import Plan, Reason
from tillgate.guards.outcome import Outcome, outcome_from
from tillgate.guards.ports import Arguments, Tool


def recall(desk: Desk, case: Case, tool: Tool, args: Arguments) -> Outcome | Reason | None:
    """The first outcome, or a Reason when its key was used for another call; None when the call is new."""
    if not tool.recalled or case.grant is not None:
        return None
    key, digest, name = args.gate("idempotency_key"), args.digest(), tool.surface.name
    if key is None:
        action = desk.recall_call(case.subject, case.talk, name, digest)
    else:
        action = desk.recall_key(case.subject, case.talk, key)
    if action is None:
        return None
    if key is not None and (action.tool, action.arguments) != (name, digest):
        return CONFLICT
    request = desk.request(action.handle) if action.handle else None
    if request is not None and _over(request, action, desk):
        return None
    if key is None and not _untouched(desk, action):
        return None
    first = outcome_from(action.outcome)
    if request is None:
        return replace(first, replayed=True)
    return replace(first, replayed=True, **escalation.as_it_stands(request, desk.now))


def remember(desk: Desk, case: Case, plan: Plan, outcome: Outcome, handle: str | None) -> None:
    """Keep what acted or waits. An approved request keeps its first call, now with the plan that was carried out."""
    if case.tool is None or case.args is None or not case.tool.recalled:
        return
    roots = desk.roots(roots_of(plan))
    if case.grant is not None and case.grant.handle is not None:
        desk.settle_action(case.grant.handle, roots, plan, case.policy.digest)
        return
    action = NewAction(
        call_id=case.call_id,
        subject=case.subject,
        tool=plan.tool,
        key=case.args.gate("idempotency_key"),
        arguments=case.args.digest(),
        outcome=outcome.as_json(),
        roots=roots,
        handle=handle,
        plan=None if handle else plan,
        policy=case.policy.digest,
    )
    desk.remember(case.talk, action)


def set_out(desk: Desk, case: Case, plan: Plan, outcome: Outcome, request: Request) -> None:
    """Keep a call whose effects are about to happen; an approved request has its action already."""
    if case.grant is None or case.grant.handle is None:
        remember(desk, case, plan, outcome, request.handle)


def _over(request: Request, action: Action, desk: Desk) -> bool:
    """Whether it neither acted nor waits: it ended, or people answered and there was nothing to carry out."""
    state = request.state(desk.now)
    return state in ENDED or (state == "executed" and not action.roots)


def _untouched(desk: Desk, action: Action) -> bool:
    return desk.roots(list(action.roots)) == action.roots


def roots_of(plan: Plan) -> list[str]:
    """The aggregate roots a plan changes, and those it makes."""
    made = {change.entity for change in plan.changes if change.field == "id" and change.after is not None}
    return sorted({entity for entity, _ in plan.basis} | made)
