"""What reviewers do with escalations: approve, approve less, deny. Each answer is a value with its reason.

An approval does not open anything by itself: the call goes through the gate's own journey again with the approval as
one more fact, in the same transaction that records it, so it is executed once or ends as stale.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from tillgate.guards.case import Grant
from tillgate.guards.desk import Desk, Received, Request
from tillgate.guards.effects import Answer, Done, Refused, UnderWay
from tillgate.guards.finishing import finish
from tillgate.guards.gate import Gate
from tillgate.guards.model import Assurance, Consent, Subject
from tillgate.guards.money import currency
from tillgate.guards.outcome import Outcome
from tillgate.guards.recording import review_record, switch_record
from tillgate.guards.steps import Asked, Steps, Transact

NAMELESS = "Give a name of up to 64 plain letters, digits, spaces and . _ @ + -"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9 ._@+-]{0,62}[a-z0-9])?")


def person(name: str) -> str:
    """One spelling for one person: `Anna `, `anna` and `ANNA` are not three. Empty for what is no plain name."""
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return plain if _NAME.fullmatch(plain) else ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came of a reviewer's answer. `done` is False when the answer changed nothing."""

    done: bool
    status: str
    message: str
    outcome: Outcome | None = None
    under_way: UnderWay | None = None


def approving(gate: Gate, handle: str, reviewer: str, amount: str | None = None) -> Steps[Ruling]:
    """`approve` as the steps it asks for: what must happen outside is carried out once the approval is durable."""
    ruling: Ruling = yield Transact(lambda desk: approve(gate, desk, handle, reviewer, amount))
    if (way := ruling.under_way) is None:
        return ruling
    answer: Answer = yield way
    outcome: Outcome = yield Transact(lambda desk: finish(gate, desk, way, answer))
    return _finished(ruling, outcome)


def settle(gate: Gate, desk: Desk, handle: str, reviewer: str, *, happened: bool) -> Ruling:
    """What was in doubt happened, and is entered; or it did not, and what was reserved for it is free."""
    request, who = desk.request(handle), person(reviewer)
    if request is None:
        return Ruling(False, "unknown", f"There is no request {handle}.")
    if not who:
        return Ruling(False, request.status, NAMELESS)
    if request.status != "in_doubt":
        return Ruling(False, request.status, f"This request is not in doubt, it is {request.status}; nothing was done.")
    way = UnderWay(handle, request.fence, request.effects)
    answer = Done(f"said by {who}") if happened else Refused(f"said by {who}")
    return _finished(Ruling(True, "", request.summary), finish(gate, desk, way, answer, who))


def approve(gate: Gate, desk: Desk, handle: str, reviewer: str, amount: str | None = None) -> Ruling:
    """Record one person's yes; with enough of them, decide again and execute once. `amount` lowers what is approved."""
    request, reviewer = desk.request(handle), person(reviewer)
    if (no := _cannot_decide(desk, request, reviewer)) is not None or request is None:
        return no or Ruling(False, "unknown", f"There is no request {handle}.")
    if desk.paused(request.received.tool):
        return Ruling(False, "pending", f"{request.received.tool} is paused; resume it, then approve.")
    if amount is not None and (wrong := _cannot_lower(gate, request, amount)) is not None:
        return wrong
    if not desk.add_approval(handle, reviewer):
        return Ruling(False, "pending", f"{reviewer} has already approved this; another person must.")
    names = (*request.approved_by, reviewer)
    desk.append(*review_record("approval", desk.now, handle, request.call_id, reviewer, amount))
    if len(names) < request.approvals:
        return Ruling(True, "pending", f"Approved by {len(names)} of {request.approvals}; another person must approve.")
    return _carry_out(gate, desk, request, names, amount)


def deny(desk: Desk, handle: str, reviewer: str, message: str) -> Ruling:
    """End a request with words for the customer."""
    request, reviewer = desk.request(handle), person(reviewer)
    if not message.strip():
        return Ruling(False, "pending", "A denial needs words for the customer.")
    if (no := _cannot_decide(desk, request, reviewer)) is not None or request is None:
        return no or Ruling(False, "unknown", f"There is no request {handle}.")
    desk.move_request(handle, "denied", message, None)
    desk.append(*review_record("denial", desk.now, handle, request.call_id, reviewer, message))
    return Ruling(True, "denied", "Denied; the customer will be told.")


def _carry_out(gate: Gate, desk: Desk, request: Request, names: tuple[str, ...], amount: str | None) -> Ruling:
    received = request.received if amount is None else _lowered(request.received, amount)
    grant = Grant(
        reviewers=names,
        consent=Consent(request.consent),
        subject=request.subject,
        handle=request.handle,
        plan_digest=request.plan_digest if amount is None else None,
        basis=request.basis,
    )
    outcome = gate.journey(desk, received, request.call_id, grant)
    if isinstance(outcome, UnderWay):
        return Ruling(True, "executing", f"Under way: {request.summary}", under_way=outcome)
    if isinstance(outcome, Asked):
        raise TypeError("an approval asks nobody")
    if outcome.status == "completed":
        desk.move_request(request.handle, "executed", None, outcome.as_json())
        return Ruling(True, "executed", f"Done: {request.summary}" if amount is None else "Done.", outcome)
    words = " ".join(reason.message for reason in outcome.reasons)
    desk.move_request(request.handle, "stale", words, None)
    return Ruling(True, "stale", words, outcome)


def switch(desk: Desk, tool: str | None, by: str, *, on: bool) -> Ruling:
    """The kill switch: pause a tool, or all of them, for agents; or resume it. What people decide is not paused."""
    who = person(by)
    if not who:
        return Ruling(False, "unknown", NAMELESS)
    done = desk.resume(tool) if on else desk.pause(tool, who)
    what, state = tool or "every tool", "running" if on else "paused"
    if not done:
        return Ruling(False, state, f"Nothing to do: {what} is not paused." if on else f"{what} is paused already.")
    desk.append(*switch_record("resume" if on else "pause", desk.now, tool, who))
    return Ruling(True, state, f"{what} is {state}.")


def _finished(ruling: Ruling, outcome: Outcome) -> Ruling:
    """How it ended, in a word and in words."""
    if outcome.status == "completed":
        return Ruling(True, "executed", "Done.", outcome)
    status = outcome.escalation.status if outcome.escalation else outcome.status
    return Ruling(True, status, " ".join(reason.message for reason in outcome.reasons) or ruling.message, outcome)


def _cannot_decide(desk: Desk, request: Request | None, reviewer: str) -> Ruling | None:
    if request is None:
        return None
    if not reviewer:
        return Ruling(False, request.status, NAMELESS)
    if reviewer in (person(request.received.caller.agent.id), person(request.subject.customer_id or "")):
        return Ruling(False, request.status, "Nobody decides on their own request.")
    state = request.state(desk.now)
    if state != "pending":
        by = f", approved by {', '.join(request.approved_by)}" if request.approved_by else ""
        return Ruling(False, state, f"This request is {state.replace('_', ' ')} already{by}; nothing was done.")
    return None


def _cannot_lower(gate: Gate, request: Request, amount: str) -> Ruling | None:
    tool = gate.tools.get(request.received.tool)
    if tool is None or "amount" not in tool.surface.args.fields:
        return Ruling(False, "pending", f"{request.received.tool} has no amount to lower.")
    if not _less(gate, amount, request.amount):
        most = currency(gate.policy.currency).format(request.amount)
        return Ruling(False, "pending", f"{amount!r} is not an amount of less than the {most} that was asked for.")
    if request.approvals > 1:
        return Ruling(
            False, "pending", "Two people must approve the same thing: deny this and let a smaller one be asked for."
        )
    return None


def _less(gate: Gate, amount: str, asked: int) -> bool:
    try:
        return 0 < currency(gate.policy.currency).parse(amount) < asked
    except ValueError:
        return False


def _lowered(received: Received, amount: str) -> Received:
    arguments: Mapping[str, Any] = {**received.arguments, "amount": amount}
    return replace(received, arguments=arguments)


def operator_grant(name: str, customer_id: str | None) -> Grant:
    """The yes of an operator at the keyboard, for an act of their own (undo): agent's consent, one approval."""
    return Grant((name,), Consent.AGENT, Subject(customer_id, Assurance.AUTHENTICATED))
