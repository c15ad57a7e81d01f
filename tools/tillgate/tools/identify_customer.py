"""Bind this conversation to the one customer who matches; wrong guesses are counted and lock it.

The rule it keeps: somebody else's details and details nobody has are answered in the same words.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from tillgate.guards.model import Assurance, Change, Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, Line
from tillgate.tools.commerce.record import Record
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.account import Identification

_MISSES = 3
_SUMMARY = "Identify the customer of this conversation"


class IdentifyCustomerArgs(Args):
    PERSONAL = frozenset({"email", "first_name", "last_name", "postal_code"})

    email: Annotated[Line, Field(max_length=254, pattern=r"^ *[^@ ]+@[^@ ]+ *$")] | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    postal_code: Annotated[Line, Field(max_length=12)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        names = (self.first_name, self.last_name, self.postal_code)
        by_email = self.email is not None and all(part is None for part in names)
        by_name = self.email is None and all(part is not None for part in names)
        if not by_email and not by_name:
            raise PydanticCustomError(
                "identity", "Give either email, or first_name, last_name and postal_code together; not both"
            )
        return self


class IdentifyCustomer(Tool[IdentifyCustomerArgs]):
    name = "identify_customer"
    description = (
        "Find out who the customer is, from their e-mail address or their full name with postal code, "
        "exactly as they said it. Use it before anything about orders or the account; never guess, because "
        "wrong details lock the conversation."
    )
    effect = "read"
    intent = "account"
    hints = Hints(read_only=False, destructive=False, idempotent=False)
    result = Identification
    maybe = frozenset({"customer"})
    args = IdentifyCustomerArgs

    def look_up(self, args: IdentifyCustomerArgs, record: Record) -> Found | Reason:
        if record.conversation.misses >= _MISSES:
            return Reason("identification_locked", "Too many details did not match; a colleague has to take over here.")
        match = record.identify(
            email=args.email,
            first_name=args.first_name,
            last_name=args.last_name,
            postal_code=args.postal_code,
        )
        return Found(customer=record.customer(), other=match)

    def plan(self, args: IdentifyCustomerArgs, found: Found, record: Record) -> Plan | Reason:
        conversation, match = record.conversation, found.other
        if match is None or conversation.customer_id not in (None, match):
            return _miss(record)
        if conversation.customer_id == match:
            return Plan(self.name, _SUMMARY, result=_identified(conversation.assurance))
        bind = Change(f"conversation:{conversation.key}", "customer_id", None, match)
        return Plan(self.name, _SUMMARY, changes=(bind,), result=_identified(Assurance.IDENTIFIED))


def _miss(record: Record) -> Plan:
    conversation = record.conversation
    count = Change(f"conversation:{conversation.key}", "misses", conversation.misses, conversation.misses + 1)
    no_match = Reason("no_match", "No customer matches these details.")
    return Plan(IdentifyCustomer.name, _SUMMARY, changes=(count,), denies=no_match)


def _identified(assurance: Assurance) -> Identification:
    return Identification(identified=True, assurance=assurance.name.lower())
