"""An operator's undo: the same door, with the operator's own yes as one more fact."""

from tillgate.guards.desk import Caller, Received
from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Agent, Assurance
from tillgate.guards.outcome import Outcome
from tillgate.guards.review import NAMELESS, operator_grant, person
from tillgate.server.app import App


def undo_call(app: App, call_id: str, name: str, reason: str) -> Outcome:
    """Plan and carry out the inverse of a call for its own customer. Raises ConfigurationError for an unknown call."""
    if not (who := person(name)):
        raise ConfigurationError(f"--as: {NAMELESS}")
    with app.store.transaction() as desk:
        row = desk.sql.row("SELECT conversation, customer_id FROM action WHERE call_id = ?", (call_id,))
        if row is None:
            raise ConfigurationError(f"{call_id}: there is no such call that changed anything")
        principal, _, conversation = row["conversation"].rpartition("/")
        caller = Caller(
            agent=Agent(f"operator:{who}", "cli"),
            principal=principal,
            conversation=conversation,
            customer_id=row["customer_id"],
            assurance=Assurance.AUTHENTICATED if row["customer_id"] else Assurance.ANONYMOUS,
            since=desk.now,
        )
        received = Received("undo_action", {"call_id": call_id, "reason": reason}, caller)
        grant = operator_grant(who, row["customer_id"])
        return app.gate.journey(desk, received, app.minter.id("call"), grant)
