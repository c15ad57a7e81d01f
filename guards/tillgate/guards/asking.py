"""Sending a call back: for proof of identity, or for a yes to the exact plan.

A code or token is kept only as a salted hash, is bound to one conversation, tool, plan and subject, is used once, and
dies after a few wrong tries. What the customer alone may say never passes through the answer to the model.
"""

import hashlib
import hmac
from datetime import timedelta

from msgspec import Struct

from tillgate.guards.answers import denied, given, unexecuted
from tillgate.guards.audit.record import plan_digest, rfc3339
from tillgate.guards.case import Case
from tillgate.guards.desk import STEP_UP_SECONDS, Code, Desk, Pending
from tillgate.guards.model import Assurance, Confirm, Consent, Plan, Reason, Verify
from tillgate.guards.outcome import Confirmation, Outcome, Verification
from tillgate.guards.ports import Minter
from tillgate.guards.steps import Ask, Asked

CODES_AN_HOUR = 5
CONFIRM_SECONDS = 900
TRIES = 3
_TOO_MANY = Reason("too_many_codes", "Too many codes were sent in the last hour. Please try again later.")


class Said(Struct, frozen=True):
    """Whose yes came with a call, and the confirmation to spend if it is used."""

    strength: Consent
    confirmation: str | None = None


class Asker(Struct, frozen=True):
    """What a question is made with; `pages` is where our own pages are, if they are served."""

    minter: Minter
    pages: str | None = None

    def page(self, pending: str) -> str | None:
        """The page on which this question can be answered. The link alone proves nothing and shows nobody's data."""
        return f"{self.pages}/{pending}" if self.pages else None


_DECLINED = Reason("declined", "You said no, so nothing was done.")
_ENDED = Reason("question_ended", "That question had been answered before, or has expired. This changes nothing.")
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


def ask_proof(desk: Desk, case: Case, demand: Verify, asker: Asker) -> Outcome | Asked:
    """Send a one-time code to the contact on file, or point to the one already on its way."""
    customer = case.subject.customer_id
    contact = desk.contact(customer) if customer else None
    if customer is None or contact is None or demand.level <= Assurance.IDENTIFIED:
        return ask_identity(case, demand.reason)
    code = desk.open_code(case.talk, customer) or _send_code(desk, case, customer, contact, asker)
    if code is None:
        return denied(case, _TOO_MANY)
    page = asker.page(code.id)
    outcome = Outcome(
        status="verification_required",
        executed=False,
        call_id=case.call_id,
        reasons=given(demand.reason),
        verification=Verification(
            level=demand.level.name.lower(),
            challenge_id=code.id,
            sent_to=code.sent_to,
            expires_at=rfc3339(code.expires_at),
            url=page,
        ),
        next_step=(
            f"Tell the customer a code was sent to {code.sent_to}{_on_page(page)}. When they say it, call "
            f"verify_identity with challenge_id and code{' (or they enter it there)' if page else ''}, then send this "
            "call again."
        ),
    )
    return _by_page(case, outcome, f"Please enter the code that was sent to {code.sent_to}.", code.id, page)


def ask_consent(desk: Desk, case: Case, plan: Plan, demand: Confirm, asker: Asker) -> Outcome | Asked:
    """Ask for a yes to this plan: by a token the model relays, in the client's own form, or by a code only the
    customer receives.
    """
    if demand.strength is Consent.AGENT:
        return _ask_agent(desk, case, plan, demand, asker)
    if demand.strength is Consent.CLIENT and "form" in case.received.caller.asks:
        return _ask_client(desk, case, plan, demand, asker)
    return _ask_customer(desk, case, plan, demand, asker)


def decline(desk: Desk, call_id: str, pending: str) -> Outcome:
    """The client's user said no: the question is spent, and that is on record. It may have ended before."""
    found = desk.pending_here(pending)
    stands = found is not None and found.expires_at > desk.now
    desk.spend_pending(pending)
    told = {"call_id": call_id, "confirmation": pending, "too_late": not stands}
    desk.append({"kind": "declined", "at": rfc3339(desk.now), **told}, ())
    if stands:
        return unexecuted(
            call_id, "denied", _DECLINED, "Nothing was done. Ask the customer what they would like instead."
        )
    late = "The no came too late to stop anything. Read the record before you say what was done."
    return unexecuted(call_id, "denied", _ENDED, late)


def say(desk: Desk, pending_id: str, code: str) -> bool:
    """The customer answered a question on our own page; whether the code was right. A wrong one costs a try."""
    pending = desk.pending_here(pending_id)
    if pending is None or pending.expires_at <= desk.now or pending.strength != Consent.CUSTOMER:
        return False
    right = hmac.compare_digest(pending.token_hash, hashed(pending.salt, code))
    desk.say_pending(pending_id, right=right)
    kind = "confirmed" if right else "wrong_code"
    desk.append({"kind": kind, "at": rfc3339(desk.now), "confirmation": pending_id}, ())
    return right


def consent(desk: Desk, case: Case, plan: Plan) -> Said | Reason:
    """The yes that came with this call. A confirmation that does not fit is spent."""
    if case.grant is not None:
        return Said(case.grant.consent)
    agreed = case.received.agreed
    token = agreed or (case.args.gate("confirmation_token") if case.args else None)
    if token is None:
        return _said_on_page(desk, case, plan)
    for pending in desk.pending(case.talk):
        if hmac.compare_digest(pending.token_hash, hashed(pending.salt, token)):
            if (pending.strength == Consent.CLIENT) is not (agreed is not None):
                break  # a form's yes comes from a form, and nothing else does
            return _judge(desk, case, plan, pending)
    desk.miss_pending(case.talk)
    return Reason(
        "confirmation_invalid",
        "That confirmation is not valid. Nothing was done; send the call without it to ask again.",
    )


def _said_on_page(desk: Desk, case: Case, plan: Plan) -> Said:
    """A yes to exactly this that the customer gave on our own page."""
    if not case.pages or not plan.changes or plan.denies is not None:
        return _NOTHING_SAID
    pending = _open_for(desk, case, plan)
    return Said(Consent.CUSTOMER, pending.id) if pending is not None and pending.said else _NOTHING_SAID


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


def _send_code(desk: Desk, case: Case, customer: str, contact: str, asker: Asker) -> Code | None:
    if desk.codes_since(customer, desk.now - timedelta(hours=1)) >= CODES_AN_HOUR:
        return None
    secret, salt = asker.minter.code(), asker.minter.token()
    code = Code(asker.minter.id("chl"), desk.now + timedelta(seconds=STEP_UP_SECONDS), masked(contact))
    desk.add_code(case.talk, customer, code, salt, hashed(salt, secret))
    desk.send(
        contact,
        "Your code",
        f"Your code is {secret}. It is valid for 10 minutes. Nobody from the shop will call for it."
        f"{_link(asker.page(code.id))}",
    )
    return code


def _ask_client(desk: Desk, case: Case, plan: Plan, demand: Confirm, asker: Asker) -> Asked:
    """The token goes to the client's interface alone. Where that cannot ask after all, the call is sent again."""
    token, salt = asker.minter.token(), asker.minter.token()
    pending = _pending(desk, case, plan, Consent.CLIENT, salt, hashed(salt, token), asker.minter)
    desk.add_pending(case.talk, pending)
    outcome = _asked(
        case,
        demand,
        Confirmation(summary=plan.summary, undo=plan.way_back(), expires_at=rfc3339(pending.expires_at)),
        "The customer has not answered yet. Send the same call again to ask them once more.",
    )
    return Asked(outcome, Ask("form", f"{plan.summary}. {plan.way_back()}", pending.id, token))


def _ask_agent(desk: Desk, case: Case, plan: Plan, demand: Confirm, asker: Asker) -> Outcome:
    token, salt = asker.minter.token(), asker.minter.token()
    pending = _pending(desk, case, plan, demand.strength, salt, hashed(salt, token), asker.minter)
    desk.add_pending(case.talk, pending)
    return _asked(
        case,
        demand,
        Confirmation(summary=plan.summary, undo=plan.way_back(), expires_at=rfc3339(pending.expires_at), token=token),
        "Tell the customer exactly this and ask for a yes. Only if they say yes, send the same call with "
        "confirmation_token set to the token.",
    )


def _ask_customer(desk: Desk, case: Case, plan: Plan, demand: Confirm, asker: Asker) -> Outcome | Asked:
    customer = case.subject.customer_id
    contact = desk.contact(customer) if customer else None
    if customer is None or contact is None:
        return ask_identity(case, demand.reason)
    pending = _open_for(desk, case, plan) or _send_question(desk, case, plan, customer, contact, asker)
    if pending is None:
        return denied(case, _TOO_MANY)
    sent_to, page = masked(contact), asker.page(pending.id)
    why = "" if demand.strength is Consent.CUSTOMER else "This client cannot ask in a window of its own. "
    outcome = _asked(
        case,
        demand,
        Confirmation(
            summary=plan.summary,
            undo=plan.way_back(),
            expires_at=rfc3339(pending.expires_at),
            sent_to=sent_to,
            url=page,
        ),
        f"{why}Tell the customer a code to confirm exactly this was sent to {sent_to}{_on_page(page)}. When they say "
        "it, send the same call with confirmation_token set to the code"
        f"{'; when they have entered it, send it without' if page else ''}.",
    )
    return _by_page(case, outcome, f"{plan.summary}. Please confirm with the code sent to {sent_to}.", pending.id, page)


def _by_page(case: Case, outcome: Outcome, message: str, pending: str, page: str | None) -> Outcome | Asked:
    """Offer to open our page, where there is one and the client can."""
    if page is None or "page" not in case.received.caller.asks:
        return outcome
    return Asked(outcome, Ask("page", message, pending, url=page))


def _on_page(page: str | None) -> str:
    return f", and that it can be entered at {page}" if page else ""


def _link(page: str | None) -> str:
    return f"\n\nIt can also be entered at {page}" if page else ""


def _send_question(desk: Desk, case: Case, plan: Plan, customer: str, contact: str, asker: Asker) -> Pending | None:
    if desk.codes_since(customer, desk.now - timedelta(hours=1)) >= CODES_AN_HOUR:
        return None
    secret, salt = asker.minter.code(), asker.minter.token()
    pending = _pending(desk, case, plan, Consent.CUSTOMER, salt, hashed(salt, secret), asker.minter)
    desk.add_pending(case.talk, pending)
    question = " ".join(part for part in (f"{plan.summary}.", plan.detail, plan.way_back()) if part)
    how = f"If you agree, say this code: {secret}. If not, do nothing.{_link(asker.page(pending.id))}"
    desk.send(contact, "Please confirm", f"{question}\n\n{how}")
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
