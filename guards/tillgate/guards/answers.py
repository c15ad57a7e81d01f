"""Answers that refuse: a reason the customer may hear, and what the model should do next."""

from collections.abc import Mapping

from tillgate.guards.case import Case
from tillgate.guards.model import Reason
from tillgate.guards.outcome import Outcome, ReasonGiven, Status

IDENTIFY_FIRST = Reason("identification_required", "First I need to know who the customer is.")
NO_PERMIT = Reason("no_permit", "This isn't something I can do here.")
CONFLICT = Reason(
    "idempotency_conflict", "This idempotency_key was used for another call. Use a new key for a new act."
)
FAILURE = Reason("unavailable", "Something went wrong on our side. Nothing was changed.")

REFUSED_OUTSIDE = Reason("refused_by_provider", "The payment provider did not accept this. Nothing was done.")
PAUSED = Reason("paused", "This is switched off for the moment. Nothing was done.")
BUSY = Reason("busy", "We are very busy right now. Nothing was done; please try again in a moment.")
UNSETTLED = Reason("unsettled", "This was begun, and we cannot see yet whether it went through.")
HELD: Mapping[str, Reason] = {
    "executing": Reason("under_way", "Something else is being done with this right now. Please try again in a moment."),
    "in_doubt": Reason("in_doubt", "We are still finding out how something earlier ended, so this has to wait."),
}
"""Why a record cannot be changed now, by how the request stands that holds it."""

OUT_OF_SCOPE = "insufficient_scope"

_ASK_AGAIN = "Send the call without confirmation_token to ask the customer again."
_NEXT = {
    "invalid_arguments": "Mend the arguments named here and send the call again.",
    "unknown_tool": "Use one of the tools that tools/list names.",
    "not_found": "Check the id with the customer. If it is right, offer request_human.",
    "confirmation_invalid": _ASK_AGAIN,
    "confirmation_expired": _ASK_AGAIN,
    "confirmation_mismatch": _ASK_AGAIN,
    "idempotency_conflict": "Use a new idempotency_key for a new act, or send the first call unchanged.",
    "too_many_codes": "Apologise and offer request_human.",
    "wrong_code": "Ask the customer to read the code again.",
    OUT_OF_SCOPE: "Tell the customer this is not possible here; it takes a client with that scope.",
    "paused": "Tell the customer this is not possible right now; do not try again in this conversation.",
    "under_way": "Wait a few seconds and send the call again.",
    "in_doubt": "Tell the customer a colleague is looking into it; do not send the call again before they have.",
    "stale": "Look the record up again and, if the customer still wants it, send a new call.",
}
_OTHERWISE = "Tell the customer why, in these words. Do not try to work around it."


def given(*reasons: Reason) -> list[ReasonGiven]:
    """Reasons as the client reads them."""
    return [ReasonGiven(code=reason.code, message=reason.message, rule=reason.rule) for reason in reasons]


def denied(case: Case, *reasons: Reason) -> Outcome:
    """Refused; nothing was done."""
    first = reasons[0].code if reasons else ""
    return Outcome(
        status="denied",
        executed=False,
        call_id=case.call_id,
        reasons=given(*reasons),
        next_step=_NEXT.get(first, _OTHERWISE),
    )


def unexecuted(call_id: str, status: Status, reason: Reason, next_step: str) -> Outcome:
    """An answer to a call of which no act is known: refused, failed, or not settled yet."""
    return Outcome(status=status, executed=False, call_id=call_id, reasons=given(reason), next_step=next_step)


def failed(call_id: str) -> Outcome:
    """A fault of ours; nothing was done."""
    return unexecuted(
        call_id, "failed", FAILURE, "Apologise; you may send the same call once more, or offer request_human."
    )


def busy(call_id: str) -> Outcome:
    """More waits than can be done soon; this call was not begun, and is in no log."""
    return unexecuted(call_id, "failed", BUSY, "Wait a few seconds and send the same call again.")


def unsettled(call_id: str, handle: str) -> Outcome:
    """It was begun, and we cannot say now how it ended; it is being found out."""
    return unexecuted(
        call_id, "failed", UNSETTLED, f"Do not send the call again. Ask check_request with handle {handle} in a minute."
    )


def unsure(call_id: str) -> Outcome:
    """A commit failed, and the store does not say yet whether it was kept. The same call sent again is told."""
    return unexecuted(
        call_id,
        "failed",
        UNSETTLED,
        "Send the very same call again in a minute: if it went through, it is answered and not done twice.",
    )


def refused_outside(call_id: str) -> Outcome:
    """Whoever had to act outside would not; nothing was done."""
    return unexecuted(
        call_id,
        "denied",
        REFUSED_OUTSIDE,
        "Tell the customer it was not possible and nothing was done; offer another way or request_human.",
    )


def out_of_scope(scope: str) -> Reason:
    """The client's token does not cover the tool."""
    return Reason(OUT_OF_SCOPE, f"I am not allowed to do that here. It needs the scope {scope}.")


def unknown_tool(name: str) -> Reason:
    """There is no such tool; its name is shown without anything a terminal or a page could act on."""
    shown = "".join(char for char in name[:64] if char.isascii() and char.isprintable())
    return Reason("unknown_tool", f"There is no tool {shown!r}. Call tools/list to see what there is.")
