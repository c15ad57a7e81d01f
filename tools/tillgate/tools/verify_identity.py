"""Prove with a one-time code that the customer holds the contact on file; the code itself is kept nowhere."""

import hmac
from hashlib import sha256
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tillgate.guards.model import Assurance, Change, Plan, Reason, Verify
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Id
from tillgate.tools.changes import stamped
from tillgate.tools.commerce.record import Challenge, Record
from tillgate.tools.spec import Found, Tool, not_found
from tillgate.tools.views.account import StepUp

_ATTEMPTS = 5


class VerifyIdentityArgs(Args):
    PERSONAL = frozenset({"code"})

    challenge_id: Id | None = Field(default=None, description="From the answer that asked for verification")
    code: Annotated[str, Field(pattern=r"^[0-9]{6,8}$")] | None = Field(
        default=None, description="The code as the customer read it out"
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.challenge_id is None) != (self.code is None):
            raise PydanticCustomError(
                "verification", "Give challenge_id and code together, or neither to have a code sent"
            )
        return self


class VerifyIdentity(Tool[VerifyIdentityArgs]):
    name = "verify_identity"
    description = (
        "Prove who the customer is with a one-time code. Without arguments a code is sent to the contact on "
        "file and the answer is verification_required; call it again with challenge_id and the code the "
        "customer reads out."
    )
    effect = "read"
    intent = "account"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = StepUp
    maybe = frozenset({"customer"})
    args = VerifyIdentityArgs

    def look_up(self, args: VerifyIdentityArgs, record: Record) -> Found | Reason:
        if record.conversation.customer_id is None:
            return Reason("identify_first", "First the customer has to be identified.")
        if args.challenge_id is None:
            return Found(customer=record.customer())
        challenge = record.challenge(args.challenge_id)
        if challenge is None:
            return not_found("challenge")
        return Found(customer=record.customer(), other=challenge)

    def plan(self, args: VerifyIdentityArgs, found: Found, record: Record) -> Plan | Reason:
        if args.code is None:
            return _start(record)
        challenge: Challenge = found.other
        if refused := _closed(challenge, record):
            return refused
        given = sha256((challenge.salt + args.code).encode()).hexdigest()
        if hmac.compare_digest(given, challenge.code_hash):
            return _proved(challenge, record)
        return _wrong(challenge)


def _start(record: Record) -> Plan:
    if record.conversation.assurance >= Assurance.STEPPED_UP:
        return Plan(VerifyIdentity.name, "The customer is already verified", result=_verified())
    reason = Reason("verification", "A one-time code shows that it is really the customer.")
    return Plan(
        VerifyIdentity.name,
        "Send a one-time code to the contact on file",
        requires=(Verify(Assurance.STEPPED_UP, reason),),
        result=_verified(),
    )


def _closed(challenge: Challenge, record: Record) -> Reason | None:
    if challenge.used:
        return Reason("challenge_used", "This code was used already; ask for a new one.")
    if record.now >= challenge.expires_at:
        return Reason("challenge_expired", "This code has expired; ask for a new one.")
    if challenge.attempts >= _ATTEMPTS:
        return Reason("challenge_locked", "Too many wrong codes were given; ask for a new one.")
    return None


def _wrong(challenge: Challenge) -> Plan:
    tried = challenge.attempts + 1
    left = _ATTEMPTS - tried
    return Plan(
        VerifyIdentity.name,
        "Count a wrong code",
        changes=(Change(f"challenge:{challenge.id}", "attempts", challenge.attempts, tried),),
        denies=Reason("wrong_code", f"That is not the code; {left} {'try is' if left == 1 else 'tries are'} left."),
    )


def _proved(challenge: Challenge, record: Record) -> Plan:
    conversation = f"conversation:{record.conversation.key}"
    before = (record.entity(conversation) or {}).get("stepped_up_at")
    return Plan(
        VerifyIdentity.name,
        "Accept the one-time code",
        changes=(
            Change(f"challenge:{challenge.id}", "used", False, True),
            Change(conversation, "stepped_up_at", before, stamped(record.now), stamp=True),
        ),
        result=_verified(),
    )


def _verified() -> StepUp:
    return StepUp(verified=True, assurance=Assurance.STEPPED_UP.name.lower())
