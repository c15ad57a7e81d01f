"""Sending a call back: for proof of identity, or for a yes to the exact plan.

A code or token is kept only as a salted hash, is bound to one conversation, tool, plan and subject, is used once, and
dies after a few wrong tries. What the customer alone may say never passes through the answer to the model.
"""

import hashlib
import hmac
from datetime import timedelta

from msgspec import Struct

from tillgate.guards.answers import denied, given
from tillgate.guards.audit.record import plan_digest, rfc3339
from tillgate.guards.case import Case
from tillgate.guards.desk import STEP_UP_SECONDS, Code, Desk, Pending
from tillgate.guards.model import Assurance, Confirm, Consent, Plan, Reason, Verify
from tillgate.guards.outcome import Confirmation, Outcome, Verification
from tillgate.guards.ports import Minter

CODES_AN_HOUR = 5
CONFIRM_SECONDS = 900
TRIES = 3
_TOO_MANY = Reason("too_many_codes", "Too many codes were sent in the last hour. Please try again later.")


class Said(Struct, frozen=True):
    """Whose yes came with a call, and the confirmation to spend if it is used."""

    strength: Consent
    confirmation: str | None = None


_NOTHING_SAID = Said(Consent.NONE)


def hashed(salt: str, secret: str) -> str:
    """How codes and tokens are kept."""
    return hashlib.sha256((salt + secret).encode()).hexdigest()


def masked(contact: str) -> str:
    """A contact the customer recognises and nobody else learns from: `m***@example.com`."""
    name, _, domain = contact.partition("@")
    return f"{name[:1]}***@{domain}"


def ask_identity(case: Case, reason: Reason) -> Outcome:
    """Nobody is identified yet, so there is nobody to send a code to."""
    return Outcome(
        status="verification_required",
        executed=False,
        call_id=case.call_id,
        reasons=given(reason),
        verification=Verification(level="identified"),
        next_step=(
            "Ask the customer for their e-mail address, or their first name, last name and postal code, "
            "call identify_customer with it, then send this call again."
        ),
    )


def ask_proof(desk: Desk, case: Case, demand: Verify, minter: Minter) -> Outcome:
    """Send a one-time code to the contact on file, or point to the one already on its way."""
    customer = case.subject.customer_id
    contact = desk.contact(customer) if customer else None
    if customer is None or contact is None or demand.level <= Assurance.IDENTIFIED:
        return ask_identity(case, demand.reason)
    code = desk.open_code(case.talk, customer) or _send_code(desk, case, customer, contact, minter)
    if code is None:
        return denied(case, _TOO_MANY)
    return Outcome(
        status="verification_required",
        executed=False,
        call_id=case.call_id,
        reasons=given(demand.reason),
        verification=Verification(
            level=demand.level.name.lower(),
            challenge_id=code.id,
            sent_to=code.sent_to,
            expires_at=rfc3339(code.expires_at),
        ),
        next_step=(
            f"Tell the customer a code was sent to {code.sent_to}. When they say it, call verify_identity with "
            "challenge_id and code, then send this call again."
        ),
    )


def ask_consent(desk: Desk, case: Case, plan: Plan, demand: Confirm, minter: Minter) -> Outcome:
    """Ask for a yes to this plan: by a token the model relays, or by a code only the customer receives."""
    if demand.strength is Consent.AGENT:
        return _ask_agent(desk, case, plan, demand, minter)
    return _ask_customer(desk, case, plan, demand, minter)


def consent(desk: Desk, case: Case, plan: Plan) -> Said | Reason:
    """The yes that came with this call. A confirmation that does not fit is spent."""
    if case.grant is not None:
        return Said(case.grant.consent)
    token = case.args.gate("confirmation_token") if case.args else None
    if token is None:
        return _NOTHING_SAID
    for pending in desk.pending(case.talk):
        if hmac.compare_digest(pending.token_hash, hashed(pending.salt, token)):
            return _judge(desk, case, plan, pending)
    desk.miss_pending(case.talk)
    return Reason(
        "confirmation_invalid",
        "That confirmation is not valid. Nothing was done; send the call without it to ask again.",
    )


def _judge(desk: Desk, case: Case, plan: Plan, pending: Pending) -> Said | Reason:
    if pending.expires_at <= desk.now:
        desk.spend_pending(pending.id)
        return Reason("confirmation_expired", "That confirmation has expired. Send the call without it to ask again.")
    bound = (pending.tool, pending.plan, pending.customer_id)
    if bound != (plan.tool, plan_digest(plan), case.subject.customer_id):
        desk.spend_pending(pending.id)
        return Reason(
            "confirmation_mismatch",
            "The yes was given to something else, or the record has changed since. Ask again for exactly this.",
        )
    return Said(Consent(pending.strength), pending.id)


def _send_code(desk: Desk, case: Case, customer: str, contact: str, minter: Minter) -> Code | None:
    if desk.codes_since(customer, desk.now - timedelta(hours=1)) >= CODES_AN_HOUR:
        return None
    secret, salt = minter.code(), minter.token()
    code = Code(minter.id("chl"), desk.now + timedelta(seconds=STEP_UP_SECONDS), masked(contact))
    desk.add_code(case.talk, customer, code, salt, hashed(salt, secret))
    desk.send(
        contact,
        "Your code",
        f"Your code is {secret}. It is valid for 10 minutes. Nobody from the shop will call for it.",
    )
    return code


def _ask_agent(desk: Desk, case: Case, plan: Plan, demand: Confirm, minter: Minter) -> Outcome:
    token, salt = minter.token(), minter.token()
    pending = _pending(desk, case, plan, demand.strength, salt, hashed(salt, token), minter)
    desk.add_pending(case.talk, pending)
    return _asked(
        case,
        demand,
        Confirmation(summary=plan.summary, undo=plan.way_back(), expires_at=rfc3339(pending.expires_at), token=token),
        "Tell the customer exactly this and ask for a yes. Only if they say yes, send the same call with "
        "confirmation_token set to the token.",
    )


def _ask_customer(desk: Desk, case: Case, plan: Plan, demand: Confirm, minter: Minter) -> Outcome:
    customer = case.subject.customer_id
    contact = desk.contact(customer) if customer else None
    if customer is None or contact is None:
        return ask_identity(case, demand.reason)
    pending = _open_for(desk, case, plan)
    if pending is None:
        pending = _send_question(desk, case, plan, customer, contact, minter)
        if pending is None:
            return denied(case, _TOO_MANY)
    sent_to = masked(contact)
    why = "" if demand.strength is Consent.CUSTOMER else "This client cannot ask in a window of its own. "
    return _asked(
        case,
        demand,
        Confirmation(
            summary=plan.summary, undo=plan.way_back(), expires_at=rfc3339(pending.expires_at), sent_to=sent_to
        ),
        f"{why}Tell the customer a code to confirm exactly this was sent to {sent_to}. When they say it, send the same "
        "call with confirmation_token set to the code.",
    )


def _send_question(desk: Desk, case: Case, plan: Plan, customer: str, contact: str, minter: Minter) -> Pending | None:
    if desk.codes_since(customer, desk.now - timedelta(hours=1)) >= CODES_AN_HOUR:
        return None
    secret, salt = minter.code(), minter.token()
    pending = _pending(desk, case, plan, Consent.CUSTOMER, salt, hashed(salt, secret), minter)
    desk.add_pending(case.talk, pending)
    question = " ".join(part for part in (f"{plan.summary}.", plan.detail, plan.way_back()) if part)
    desk.send(contact, "Please confirm", f"{question}\n\nIf you agree, say this code: {secret}. If not, do nothing.")
    return pending


def _open_for(desk: Desk, case: Case, plan: Plan) -> Pending | None:
    digest = plan_digest(plan)
    wanted = (plan.tool, digest, case.subject.customer_id, int(Consent.CUSTOMER))
    return next(
        (
            pending
            for pending in desk.pending(case.talk)
            if (pending.tool, pending.plan, pending.customer_id, pending.strength) == wanted
            and pending.expires_at > desk.now
        ),
        None,
    )


def _pending(
    desk: Desk, case: Case, plan: Plan, strength: Consent, salt: str, token_hash: str, minter: Minter
) -> Pending:
    return Pending(
        id=minter.id("cnf"),
        tool=plan.tool,
        plan=plan_digest(plan),
        customer_id=case.subject.customer_id,
        strength=int(strength),
        salt=salt,
        token_hash=token_hash,
        expires_at=desk.now + timedelta(seconds=CONFIRM_SECONDS),
        attempts=0,
    )


def _asked(case: Case, demand: Confirm, confirmation: Confirmation, next_step: str) -> Outcome:
    return Outcome(
        status="confirmation_required",
        executed=False,
        call_id=case.call_id,
        reasons=given(demand.reason),
        confirmation=confirmation,
        next_step=next_step,
    )
