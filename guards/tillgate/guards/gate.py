"""The one door. `Gate.handle` is the journey of a call, in the order of CONTRACT §1; there is no second path.

Approvals and operators' acts come back through the same journey with a `Grant`: one more fact, never a way around.
The store's transaction makes each journey all or nothing: the change, its record, its budget and its answer together.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tillgate.guards import asking, escalation
from tillgate.guards.asking import given
from tillgate.guards.audit.canonical import canonical
from tillgate.guards.case import Case, Grant
from tillgate.guards.context import trim
from tillgate.guards.decide import decide
from tillgate.guards.desk import ENDED, STEP_UP_SECONDS, Caller, Desk, NewAction, Received, Store, Talk, Tally
from tillgate.guards.errors import Stale
from tillgate.guards.limits import limit
from tillgate.guards.model import (
    Assurance,
    Confirm,
    Escalate,
    Facts,
    Json,
    Plan,
    Reason,
    Subject,
    Verdict,
    Verify,
)
from tillgate.guards.money import currency
from tillgate.guards.outcome import Outcome
from tillgate.guards.policy.types import Policy
from tillgate.guards.ports import Arguments, Minter, Tool
from tillgate.guards.recording import call_record, failure_record
from tillgate.guards.risk import assess

log = logging.getLogger("tillgate.gate")
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Gate:
    """Every tool call passes here, and nothing else changes anything."""

    tools: Mapping[str, Tool]
    policy: Policy
    store: Store
    minter: Minter

    def handle(self, received: Received) -> Outcome:
        """Answer one call. Never raises: what fails is rolled back, written down and answered as `failed`."""
        call_id = self.minter.id("call")
        for _ in range(_ATTEMPTS):
            try:
                with self.store.transaction() as desk:
                    return self.journey(desk, received, call_id)
            except Stale:
                continue  # a `before` no longer held: nothing changed, and the call is decided anew
            except Exception:
                log.exception("call %s failed", call_id)
                break
        return self._failed(received, call_id)

    def journey(self, desk: Desk, received: Received, call_id: str, grant: Grant | None = None) -> Outcome:
        """Identify, parse, recall, look up, plan, assess, limit, decide, then one of five ends, recorded and trimmed."""
        case = self._identify(desk, received, call_id, grant)
        tool, args = self._parse(received)
        if isinstance(args, Reason) or tool is None:
            return self._refuse(desk, case, args if isinstance(args, Reason) else _unknown(received.tool))
        case = replace(case, tool=tool, args=args)
        if (earlier := self._recall(desk, case, tool, args)) is not None:
            return earlier
        if (floor := self._floor(desk, case, tool)) is not None:
            return floor
        record = desk.record(case.subject, case.talk, bound=received.caller.customer_id is not None)
        found = tool.look_up(args, record)
        if isinstance(found, Reason):
            return self._refuse(desk, case, found)
        plan = tool.plan(args, found, record)
        if isinstance(plan, Reason):
            return self._refuse(desk, case, plan)
        case = replace(case, plan=plan)
        said = asking.consent(desk, case, plan)
        if isinstance(said, Reason):
            return self._refuse(desk, case, said)
        case = replace(case, consent=said[0], confirmation=said[1])
        case = self._evaluate(desk, case, tool, args, plan, tool.facts(found, plan, desk.now))
        return self._close(desk, case, self._answer(desk, case, plan))

    def _identify(self, desk: Desk, received: Received, call_id: str, grant: Grant | None) -> Case:
        talk = desk.talk(received.caller)
        subject = grant.subject if grant else _subject(desk, received.caller, talk)
        return Case(call_id=call_id, received=received, subject=subject, talk=talk, policy=self.policy, grant=grant)

    def _parse(self, received: Received) -> tuple[Tool | None, Arguments | Reason]:
        tool = self.tools.get(received.tool)
        if received.fault is not None:
            return tool, Reason("invalid_arguments", received.fault)
        if tool is None:
            return None, _unknown(received.tool)
        args = tool.parse(received.arguments, currency(self.policy.currency).exponent)
        if isinstance(args, Arguments):
            return tool, args
        return tool, Reason(
            "invalid_arguments", "; ".join(f"{error.field or 'arguments'}: {error.message}" for error in args[:10])
        )

    def _recall(self, desk: Desk, case: Case, tool: Tool, args: Arguments) -> Outcome | None:
        """The first outcome of a changing call that was sent before, acted or waits, and nothing has changed since."""
        if not tool.recalled or case.grant is not None:
            return None
        key, digest = args.gate("idempotency_key"), _digest(args)
        action = (
            desk.recall_key(case.subject, case.talk, key)
            if key
            else desk.recall_call(case.subject, case.talk, tool.surface.name, digest)
        )
        if action is None:
            return None
        request = desk.request(action.handle) if action.handle else None
        if request is not None and request.state(desk.now) in ENDED:
            return None
        if key and (action.tool, action.arguments) != (tool.surface.name, digest):
            return self._refuse(desk, case, _CONFLICT)
        if not key and desk.roots(list(action.roots)) != action.roots:
            return None
        first = Outcome.model_validate(action.outcome)
        escalated = escalation.given_again(request, desk.now) if request else first.escalation
        return self._close(desk, case, first.model_copy(update={"replayed": True, "escalation": escalated}))

    def _floor(self, desk: Desk, case: Case, tool: Tool) -> Outcome | None:
        """A tool that always needs a customer cannot be evaluated for nobody; one without a permit is not even asked for."""
        name = tool.surface.name
        if not self.policy.may_permit(name) and self.policy.mode == "enforce":
            return self._refuse(desk, case, Reason("no_permit", "This is not something that can be done here."))
        if case.subject.customer_id is not None or "customer" not in tool.surface.always:
            return None
        case = replace(case, refusal=Reason("identification_required", "First I need to know who the customer is."))
        return self._close(desk, case, asking.ask_identity(case, case.refusal or _CONFLICT))

    def _evaluate(self, desk: Desk, case: Case, tool: Tool, args: Arguments, plan: Plan, groups: Facts) -> Case:
        """Assess, limit and decide on the facts of the record; the model's words are not among them."""
        facts = _facts(desk, case, tool, args, plan, groups)
        name = tool.surface.name
        risk = assess(self.policy, name, facts)
        facts = {**facts, "risk": {"score": risk.score, "tier": risk.tier.name}}
        counts = bool(plan.changes) and plan.denies is None
        besides = case.grant.handle if case.grant else None
        limits = limit(desk, self.policy, name, facts, counts=counts, besides=besides)
        facts = {**facts, "usage": limits.usage}
        decision = decide(self.policy, name, facts, limits.exceeded, plan.requires)
        return replace(case, facts=facts, risk=risk, limits=limits, decision=decision)

    def _answer(self, desk: Desk, case: Case, plan: Plan) -> Outcome:
        decision = case.decision
        if decision is None:
            raise RuntimeError("nothing is answered before it is decided")
        if case.grant is not None and (decision.verdict is not Verdict.PERMIT or not case.grant.covers(plan)):
            return escalation.stale(case, decision)
        demand = decision.unmet[0] if decision.unmet else None
        match decision.verdict, demand:
            case Verdict.PERMIT, _:
                return self._execute(desk, case, plan)
            case Verdict.VERIFY, Verify():
                return asking.ask_proof(desk, case, demand, self.minter)
            case Verdict.CONFIRM, Confirm():
                return asking.ask_consent(desk, case, plan, demand, self.minter)
            case Verdict.ESCALATE, Escalate():
                return self._escalate(desk, case, plan, demand)
            case _:
                return _denied(case, *decision.reasons)

    def _execute(self, desk: Desk, case: Case, plan: Plan) -> Outcome:
        """Apply the plan, book its budgets, remember it. All in the caller's transaction, with its record."""
        desk.apply(plan)
        if case.confirmation is not None:
            desk.spend_pending(case.confirmation)
        if plan.undoes is not None:
            desk.take_back(plan.undoes, case.call_id)
        if plan.denies is not None:
            return _denied(case, plan.denies)
        outcome = Outcome(
            status="completed",
            executed=True,
            call_id=case.call_id,
            data=dict(plan.result),
            next_step=plan.next_step,
            escalation=escalation.about(desk, plan),
        )
        handle = case.grant.handle if case.grant else None
        if handle is not None:
            desk.release(handle)
        if case.limits is not None:
            desk.book(case.limits.entries, case.call_id, None)
        self._remember(desk, case, plan, outcome, None)
        return outcome

    def _escalate(self, desk: Desk, case: Case, plan: Plan, demand: Escalate) -> Outcome:
        request = escalation.opened(desk, case, plan, demand, self.minter)
        desk.open_request(request)
        if case.confirmation is not None:
            desk.spend_pending(case.confirmation)
        if case.limits is not None:
            over = {budget.id for budget in case.limits.exceeded}
            fits = [entry for entry in case.limits.entries if entry.budget not in over]
            desk.book(fits, case.call_id, request.handle)
        outcome = escalation.escalated(case, request, demand)
        self._remember(desk, case, plan, outcome, request.handle)
        return outcome

    def _remember(self, desk: Desk, case: Case, plan: Plan, outcome: Outcome, handle: str | None) -> None:
        tool, args = case.tool, case.args
        if tool is None or args is None or not tool.recalled:
            return
        roots = desk.roots(_roots(plan))
        if case.grant is not None and case.grant.handle is not None:
            desk.settle_action(case.grant.handle, roots, plan)
            return
        desk.remember(
            case.talk,
            NewAction(
                call_id=case.call_id,
                subject=case.subject,
                tool=plan.tool,
                key=args.gate("idempotency_key"),
                arguments=_digest(args),
                outcome=outcome.as_json(),
                roots=roots,
                handle=handle,
                plan=None if handle else plan,
            ),
        )

    def _refuse(self, desk: Desk, case: Case, reason: Reason) -> Outcome:
        case = replace(case, refusal=reason)
        if case.grant is not None and case.grant.handle is not None:
            return self._close(desk, case, escalation.stale(case, None))
        return self._close(desk, case, _denied(case, reason))

    def _close(self, desk: Desk, case: Case, outcome: Outcome) -> Outcome:
        """Trim, count and record; only then is anything answered."""
        shown = outcome.model_copy(update={"data": self._trimmed(case, outcome)})
        body, personal = call_record(desk.now, case, shown)
        desk.append(body, personal, case.talk.key)
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

    def _view(self, tool: str, data: Json, assurance: Assurance) -> dict[str, Json]:
        shown = trim(data, self.policy.views_for(tool), self.policy.masks, assurance)
        return dict(shown) if isinstance(shown, Mapping) else {}

    def _failed(self, received: Received, call_id: str) -> Outcome:
        """Nothing was changed. If even that cannot be written down, the answer is the same and the log says why."""
        try:
            with self.store.transaction() as desk:
                desk.append(*failure_record(desk.now, received, call_id, self.policy))
        except Exception:
            log.exception("failure of call %s could not be recorded", call_id)
        return Outcome(
            status="failed",
            executed=False,
            call_id=call_id,
            reasons=given(Reason("unavailable", "Something went wrong on our side. Nothing was changed.")),
            next_step="Apologise; you may send the same call once more, or offer request_human.",
        )


_CONFLICT = Reason(
    "idempotency_conflict", "This idempotency_key was used for another call. Use a new key for a new act."
)


def _unknown(name: str) -> Reason:
    shown = "".join(char for char in name[:64] if char.isascii() and char.isprintable())
    return Reason("unknown_tool", f"There is no tool {shown!r}. Call tools/list to see what there is.")


def _denied(case: Case, *reasons: Reason) -> Outcome:
    return Outcome(
        status="denied",
        executed=False,
        call_id=case.call_id,
        reasons=given(*reasons),
        next_step=_NEXT.get(
            reasons[0].code if reasons else "", "Tell the customer why, in these words. Do not try to work around it."
        ),
    )


_NEXT = {
    "invalid_arguments": "Mend the arguments named here and send the call again.",
    "unknown_tool": "Use one of the tools that tools/list names.",
    "not_found": "Check the id with the customer. If it is right, offer request_human.",
    "confirmation_invalid": "Send the call without confirmation_token to ask the customer again.",
    "confirmation_expired": "Send the call without confirmation_token to ask the customer again.",
    "confirmation_mismatch": "Send the call without confirmation_token to ask the customer again.",
    "idempotency_conflict": "Use a new idempotency_key for a new act, or send the first call unchanged.",
}


def _subject(desk: Desk, caller: Caller, talk: Talk) -> Subject:
    """Who the customer is and how sure we are: settings or token first, then what this conversation proved."""
    customer = caller.customer_id or talk.customer_id
    if customer is None:
        return Subject(None, Assurance.ANONYMOUS)
    level = caller.assurance if caller.customer_id else Assurance.IDENTIFIED
    proofs = [talk.stepped_up_at]
    if level is Assurance.STEPPED_UP:
        level, proofs = Assurance.AUTHENTICATED, [talk.stepped_up_at, caller.since]
    fresh = any(at is not None and (desk.now - at).total_seconds() < STEP_UP_SECONDS for at in proofs)
    return Subject(customer, Assurance.STEPPED_UP if fresh else level)


def _facts(desk: Desk, case: Case, tool: Tool, args: Arguments, plan: Plan, groups: Facts) -> dict[str, Json]:
    subject, agent, talk = case.subject, case.received.caller.agent, case.talk
    stated, surface = args.gate("intent"), tool.surface
    order = groups.get("order", {}).get("id")
    call: dict[str, Json] = {"tool": surface.name, "effect": surface.effect, "intent": surface.intent}
    call |= {"intent_matches": stated in (None, surface.intent)} | ({"stated_intent": stated} if stated else {})
    return {
        "subject": {"assurance": subject.assurance.name}
        | ({"customer_id": subject.customer_id} if subject.customer_id else {}),
        "agent": {"id": agent.id, "channel": agent.channel},
        "call": call,
        "args": dict(args.facts()),
        "conversation": {
            "calls": talk.calls,
            "writes": talk.writes,
            "denied": talk.denied,
            "escalated": talk.escalated,
            "orders": len(talk.orders | ({order} if order else set())),
        },
        **groups,
        "impact": {"amount": plan.impact.amount, "kind": plan.impact.kind, "reversible": plan.impact.reversible},
        "consent": {"strength": case.consent.name},
        "approval": {
            "granted": case.grant is not None,
            "count": len(case.grant.reviewers) if case.grant else 0,
        },
        "now": int(desk.now.timestamp()),
    }


def _digest(args: Arguments) -> str:
    return hashlib.sha256(canonical(args.as_json())).hexdigest()


def _roots(plan: Plan) -> list[str]:
    """The aggregate roots a plan changes, and those it makes."""
    made = {change.entity for change in plan.changes if change.field == "id" and change.after is not None}
    return sorted({entity for entity, _ in plan.basis} | made)
