"""What a code that the customer enters on our own page answers: a question in a conversation that waits for it."""

import re

from tillgate.guards import asking
from tillgate.guards.desk import Caller, Desk, Received
from tillgate.guards.gate import Gate
from tillgate.guards.model import Agent, Assurance
from tillgate.guards.steps import Steps, Transact

_QUESTION = re.compile("(?:cnf|chl)_[0-9a-f]{1,64}")


def is_open(desk: Desk, question: str) -> bool:
    """Whether a code can still answer this. What never was and what has ended are told in the same words."""
    if _QUESTION.fullmatch(question) is None:
        return False
    pending, proof = desk.pending_here(question), desk.proof_here(question)
    if pending is not None:
        return pending.expires_at > desk.now and not pending.said
    return proof is not None and proof.expires_at > desk.now


def entered(gate: Gate, question: str, code: str) -> Steps[bool]:
    """Whether the code was right: of a confirmation it is the customer's yes, of a proof it goes through the gate."""
    caller: Caller | None = yield Transact(lambda desk: _caller(desk, question))
    if caller is None:
        right: bool = yield Transact(lambda desk: asking.say(desk, question, code))
        return right
    received = Received("verify_identity", {"challenge_id": question, "code": code}, caller)
    outcome = yield from gate.steps(received)
    return outcome.status == "completed"


def _caller(desk: Desk, question: str) -> Caller | None:
    """In whose conversation a proof of identity was asked for: the customer speaks there for themselves."""
    proof = desk.proof_here(question)
    if proof is None:
        return None
    principal, _, conversation = proof.talk_key.rpartition("/")
    agent = Agent("customer", "http")
    return Caller(agent, principal, conversation, proof.customer_id, Assurance.IDENTIFIED, desk.now)
