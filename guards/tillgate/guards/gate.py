"""The one door. `Gate.journey` is the way of a call, in the order of CONTRACT §1; there is no second path.

Approvals and operators' acts come back through the same journey with a `Grant`: one more fact, never a way around.
The store's transaction makes each journey all or nothing: the change, its record, its budget and its answer together.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from tillgate.guards import asking, escalation
from tillgate.guards.answers import (
    HELD,
    IDENTIFY_FIRST,
    NO_PERMIT,
    PAUSED,
    busy,
    denied,
    failed,
    out_of_scope,
    unknown_tool,
    unsettled,
    unsure,
)
from tillgate.guards.case import Case, Grant
from tillgate.guards.context import trim
from tillgate.guards.desk import Desk, Received, Store, Tally
from tillgate.guards.effects import Answer, Reach, Refused, UnderWay
from tillgate.guards.errors import Busy, Stale, Unsure
from tillgate.guards.evaluation import evaluate, subject_of
from tillgate.guards.finishing import begin, finish
from tillgate.guards.model import Assurance, Confirm, Escalate, Json, Plan, Reason, Verdict, Verify
from tillgate.guards.money import currency
from tillgate.guards.outcome import Outcome, outcome_from
from tillgate.guards.policy.types import Policy
from tillgate.guards.ports import Arguments, Minter, Tool
from tillgate.guards.recall import recall, remember
from tillgate.guards.recording import call_record, failure_record
from tillgate.guards.scopes import covers, scope_for
from tillgate.guards.steps import Asked, Steps, Transact, drive

log = logging.getLogger("tillgate.gate")
_ATTEMPTS = 3


def nobody(_way: UnderWay) -> Answer:
    """For a shop in which nothing happens outside."""
    return Refused("there is nobody to do it")


@dataclass(frozen=True, slots=True)
class Journey:
    """One call as a job of a transaction, which says what it is about (`tillgate.guards.steps.Transact`)."""

    gate: "Gate"
    received: Received
    call_id: str

    def __call__(self, desk: Desk) -> Outcome | UnderWay | Asked:
        return self.gate.journey(desk, self.received, self.call_id)


@dataclass(frozen=True, slots=True)
class Gate:
    """Every tool call passes here, and nothing else changes anything."""

    tools: Mapping[str, Tool]
    policy: Policy
    store: Store
    minter: Minter
    reach: Reach = nobody
    pages: str | None = None

    def handle(self, received: Received) -> Outcome:
        """Answer one call, here and now. Never raises: a failure is rolled back, written down, answered as `failed`."""
        return drive(self.steps(received), self.store, self.reach)

    def steps(self, received: Received) -> Steps[Outcome]:
        """One call as the steps it asks for: one transaction, or two with what happens outside between them."""
        if received.declined is not None:
            return (yield from self._declined(self.minter.id("call"), received.declined))
        ended = yield from self._once(received)
        if not isinstance(ended, Asked):
            return ended
        yes: bool | None = yield ended.ask
        if yes is None:
            return ended.outcome
        if not yes:
            return (yield from self._declined(ended.outcome.call_id, ended.ask.pending))
        caller = replace(received.caller, asks=frozenset())  # whoever has answered is not asked again at once
        again = yield from self._once(replace(received, agreed=ended.ask.secret, caller=caller))
        return again.outcome if isinstance(again, Asked) else again

    def _declined(self, call_id: str, pending: str) -> Steps[Outcome]:
        outcome: Outcome = yield Transact(lambda desk: asking.decline(desk, call_id, pending))
        return outcome

    def _once(self, received: Received) -> Steps[Outcome | Asked]:
        call_id = self.minter.id("call")
        for _ in range(_ATTEMPTS):
            try:
                ended: Outcome | UnderWay | Asked = yield Transact(Journey(self, received, call_id))
            except Stale:
                continue  # a `before` no longer held: nothing changed, and the call is decided anew
            except Busy:
                return busy(call_id)
            except Exception as error:  # the last line: nothing of a fault may reach the client
                log.exception("call %s failed", call_id)
                return (yield from self._broken(received, call_id, failed_commit=isinstance(error, Unsure)))
            return (yield from self._finish(call_id, ended)) if isinstance(ended, UnderWay) else ended
        return (yield from self._broken(received, call_id))

    def journey(
        self, desk: Desk, received: Received, call_id: str, grant: Grant | None = None
    ) -> Outcome | UnderWay | Asked:
        """Identify, parse, recall, look up, plan, assess, limit, decide; then one of six ends, trimmed and recorded.

        Runs inside the caller's transaction, and `grant` is a yes that people gave. The sixth end is no end yet: what
        happens outside is `UnderWay`, and is to be carried out once the transaction is durable.
        """
        parsed = self._parse(received)
        case = self._identify(desk, received, call_id, grant, None if isinstance(parsed, Reason) else parsed)
        if isinstance(parsed, Reason):
            return self._refuse(desk, case, parsed)
        tool, args = parsed
        if grant is None and desk.paused(tool.surface.name):
            return self._refuse(desk, case, PAUSED)
        earlier = recall(desk, case, tool, args)
        if isinstance(earlier, Reason):
            return self._refuse(desk, case, earlier)
        if earlier is not None:
            return self._close(desk, case, earlier)
        if (floor := self._floor(case, tool)) is not None:
            return self._floored(desk, case, floor)
        record = desk.record(
            case.subject,
            case.talk,
            currency(self.policy.currency),
            bound=received.caller.customer_id is not None,
            besides=grant.handle if grant else None,
        )
        found = tool.look_up(args, record)
        if isinstance(found, Reason):
            return self._refuse(desk, case, found)
        plan = tool.plan(args, found, record)
        if isinstance(plan, Reason):
            return self._refuse(desk, case, plan)
        besides = grant.handle if grant else None
        if plan.changes and (state := desk.held(case.subject, case.talk, plan, besides=besides)) is not None:
            return self._refuse(desk, case, HELD[state])
        said = asking.consent(desk, case, plan)
        if isinstance(said, Reason):
            return self._refuse(desk, replace(case, plan=plan), said)
        case = evaluate(desk, case, tool, args, plan, said, tool.facts(found, plan, desk.now))
        ended = self._answer(desk, case, plan)
        match ended:
            case Outcome():
                return self._close(desk, case, ended)
            case Asked(outcome):
                return replace(ended, outcome=self._close(desk, case, outcome))
            case UnderWay():
                return ended

    def _finish(self, call_id: str, way: UnderWay) -> Steps[Outcome]:
        """Carry out what is under way and settle it. What cannot be settled now is taken up later, by anybody."""
        answer: Answer = yield way
        try:
            outcome: Outcome = yield Transact(lambda desk: finish(self, desk, way, answer))
        except Exception:  # it may have happened: whatever is said now, it is not that nothing was done
            log.exception("what became of call %s (%s) could not be written down", call_id, way.handle)
            return unsettled(call_id, way.handle)
        return outcome

    def _identify(
        self, desk: Desk, received: Received, call_id: str, grant: Grant | None, parsed: tuple[Tool, Arguments] | None
    ) -> Case:
        talk = desk.talk(received.caller)
        subject = grant.subject if grant else subject_of(desk, received.caller, talk)
        tool, args = parsed or (None, None)
        return Case(call_id, received, subject, talk, self.policy, grant, tool, args, pages=self.pages is not None)

    def _parse(self, received: Received) -> tuple[Tool, Arguments] | Reason:
        if received.fault is not None:
            return Reason("invalid_arguments", received.fault)
        tool = self.tools.get(received.tool)
        if tool is None:
            return unknown_tool(received.tool)
        if not covers(received.caller.scopes, tool.surface):
            return out_of_scope(scope_for(tool.surface))
        args = tool.parse(received.arguments, currency(self.policy.currency).exponent)
        if isinstance(args, list):
            faults = [f"{error.field or 'arguments'}: {error.message}" for error in args[:10]]
            return Reason("invalid_arguments", "; ".join(faults))
        return tool, args

    def _floor(self, case: Case, tool: Tool) -> Reason | None:
        """What no fact can change: no permit, no act; and one that needs a customer needs to know who."""
        if not self.policy.may_permit(tool.surface.name) and self.policy.mode == "enforce":
            return NO_PERMIT
        if case.subject.customer_id is None and "customer" in tool.surface.always:
            return IDENTIFY_FIRST
        return None

    def _floored(self, desk: Desk, case: Case, floor: Reason) -> Outcome:
        if floor is IDENTIFY_FIRST:
            return self._close(desk, replace(case, refusal=floor), asking.ask_identity(case, floor))
        return self._refuse(desk, case, floor)

    def _answer(self, desk: Desk, case: Case, plan: Plan) -> Outcome | UnderWay | Asked:
        decision = case.decision
        if decision is None:
            raise RuntimeError("nothing is answered before it is decided")
        if case.grant is not None and (decision.verdict is not Verdict.PERMIT or not case.grant.covers(plan)):
            return escalation.not_granted(case, decision)
        demand = decision.unmet[0] if decision.unmet else None
        match decision.verdict, demand:
            case Verdict.PERMIT, _:
                return self._execute(desk, case, plan)
            case Verdict.VERIFY, Verify():
                return asking.ask_proof(desk, case, demand, asking.Asker(self.minter, self.pages))
            case Verdict.CONFIRM, Confirm():
                return asking.ask_consent(desk, case, plan, demand, asking.Asker(self.minter, self.pages))
            case Verdict.ESCALATE, Escalate():
                return self._escalate(desk, case, plan, demand)
            case _:
                return denied(case, *decision.reasons)

    def _execute(self, desk: Desk, case: Case, plan: Plan) -> Outcome | UnderWay:
        """Apply the plan, book its budgets, remember it. All in the caller's transaction, with its record.

        What has to happen outside first is only set out, with its budgets booked and its records held.
        """
        effects = desk.effects(plan) if plan.changes else ()
        if plan.changes and not effects:
            desk.apply(plan)
        if case.confirmation is not None:
            desk.spend_pending(case.confirmation)
        if plan.undoes is not None and not effects:
            desk.take_back(plan.undoes, case.call_id)
        if plan.denies is not None:
            return denied(case, plan.denies)
        if case.grant is not None and case.grant.handle is not None:
            desk.release(case.grant.handle)
        if case.limits is not None:
            desk.book(case.limits.entries, case.call_id, None)
        outcome = self._done(desk, case, plan)
        if effects:
            way, told = begin(desk, case, plan, effects, outcome, self.minter)
            self._close(desk, case, told, way)
            return way
        remember(desk, case, plan, outcome, None)
        return outcome

    def _done(self, desk: Desk, case: Case, plan: Plan) -> Outcome:
        return Outcome(
            status="completed",
            executed=True,
            call_id=case.call_id,
            data={**plan.result, "undo": plan.undo.told()} if plan.changes else dict(plan.result),
            next_step=plan.next_step,
            escalation=escalation.about(desk, plan),
        )

    def _escalate(self, desk: Desk, case: Case, plan: Plan, demand: Escalate) -> Outcome:
        """Hand the call to people. Room it fits into is reserved while it waits."""
        request = escalation.opened(desk, case, plan, demand, self.minter)
        desk.open_request(request)
        if case.confirmation is not None:
            desk.spend_pending(case.confirmation)
        if case.limits is not None:
            over = {budget.id for budget in case.limits.exceeded}
            desk.book(
                [entry for entry in case.limits.entries if entry.budget not in over], case.call_id, request.handle
            )
        outcome = escalation.escalated(case, request, demand)
        remember(desk, case, plan, outcome, request.handle)
        return outcome

    def _refuse(self, desk: Desk, case: Case, reason: Reason) -> Outcome:
        case = replace(case, refusal=reason)
        waiting = case.grant is not None and case.grant.handle is not None
        return self._close(desk, case, escalation.not_granted(case, None) if waiting else denied(case, reason))

    def _close(self, desk: Desk, case: Case, outcome: Outcome, way: UnderWay | None = None) -> Outcome:
        """Trim, record and count; only then is anything answered."""
        shown = replace(outcome, data=self._trimmed(case, outcome))
        body, personal = call_record(desk.now, case, shown, way)
        desk.append(body, personal, case.talk)
        acted = shown.executed and not shown.replayed and bool(case.plan and case.plan.changes)
        wrote = acted and case.tool is not None and case.tool.surface.effect == "write"
        tally = Tally(case.grant is None, wrote, shown.status == "denied", shown.status == "escalated", case.order_id)
        desk.tally(case.talk, tally)
        return shown

    def _trimmed(self, case: Case, outcome: Outcome) -> dict[str, Json] | None:
        if outcome.data is None or case.tool is None:
            return None
        data = dict(outcome.data)
        inner = self.tools.get(str(data.get("tool"))) if case.plan and case.plan.request else None
        if inner is not None and isinstance(data.get("result"), dict):
            # what an approved call brought is shown by that tool's own view
            data["result"] = self._view(inner.surface.name, data["result"], case.subject.assurance)
        return self._view(case.tool.surface.name, data, case.subject.assurance)

    def shown(self, outcome: Outcome, tool: str, assurance: Assurance) -> Outcome:
        """An outcome with only what may leave of its data."""
        return replace(outcome, data=self._view(tool, outcome.data, assurance))

    def _view(self, tool: str, data: Json, assurance: Assurance) -> dict[str, Json]:
        shown: dict[str, Json] = trim(data, self.policy.views_for(tool), self.policy.masks, assurance)
        return shown

    def _broken(self, received: Received, call_id: str, *, failed_commit: bool = False) -> Steps[Outcome]:
        """What a call that broke is answered, and its record. What a failed commit kept is answered as it is.

        Where nobody can even look, the operator's log says why.
        """

        def look(desk: Desk) -> Outcome:
            kept = desk.recall_id(call_id)
            if kept is not None:
                return outcome_from(kept.outcome)
            desk.append(*failure_record(desk.now, received, call_id, self.policy))
            return failed(call_id)

        try:
            outcome: Outcome = yield Transact(look)
        except Exception:  # as above
            log.exception("the failure of call %s could not be recorded", call_id)
            return unsure(call_id) if failed_commit else failed(call_id)
        return outcome
