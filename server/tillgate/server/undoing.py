"""An operator's undo, of one call or of all that one policy let through: the same door, with the operator's own yes.

A rehearsal is the whole batch in one transaction that is rolled back, so what it says is what would be.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import orjson

from tillgate.guards.desk import Caller, Received
from tillgate.guards.errors import ConfigurationError, Stale
from tillgate.guards.model import Agent, Assurance, at
from tillgate.guards.outcome import Outcome
from tillgate.guards.review import NAMELESS, operator_grant, person
from tillgate.server.app import App
from tillgate.server.store.desk import SqlDesk

_LEAST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Undoing:
    """One action that a policy let through, and how taking it back ends. `amount` is what it moved, in minor units."""

    call_id: str
    tool: str
    customer_id: str | None
    summary: str
    amount: int
    status: str
    why_not: str | None


class _Rehearsed(Exception):
    """Ends a rehearsal: nothing of it stays."""


def undo_call(app: App, call_id: str, name: str, reason: str) -> Outcome:
    """Plan and carry out the inverse of a call for its own customer. Raises ConfigurationError for an unknown call."""
    who = _named(name)
    with app.store.transaction() as desk:
        return _take_back(app, desk, call_id, who, reason)


def undo_policy(app: App, digest: str, name: str, reason: str, *, rehearse: bool) -> Sequence[Undoing]:
    """Take back, newest first, whatever the policy with this digest let through and is not taken back yet.

    Each action is its own transaction, so one that cannot be taken back stops no other, and a second run goes on where
    the first one ended. Raises ConfigurationError for a digest that no action, or more than one policy, has.
    """
    who = _named(name)
    with app.store.reading() as desk:
        calls = _let_through(desk, digest)
    if not rehearse:
        return [_each(app, call_id, who, reason) for call_id in calls]
    found: list[Undoing] = []
    with suppress(_Rehearsed), app.store.transaction() as desk:
        found.extend(_ended(app, desk, call_id, who, reason) for call_id in calls)
        raise _Rehearsed
    return found


def _each(app: App, call_id: str, who: str, reason: str) -> Undoing:
    with app.store.transaction() as desk:
        return _ended(app, desk, call_id, who, reason)


def _ended(app: App, desk: SqlDesk, call_id: str, who: str, reason: str) -> Undoing:
    row = desk.sql.row(
        "SELECT tool, customer_id, plan FROM action WHERE shop = ? AND call_id = ?", (desk.shop, call_id)
    )
    if row is None:
        raise ConfigurationError(f"{call_id}: there is no such call that changed anything")
    plan = orjson.loads(row["plan"])
    try:
        outcome = _take_back(app, desk, call_id, who, reason)
        status, words = outcome.status, [reason.message for reason in outcome.reasons]
    except Stale as error:
        status, words = "failed", [str(error)]
    done = status == "completed"
    return Undoing(
        call_id=call_id,
        tool=row["tool"],
        customer_id=row["customer_id"],
        summary=plan["summary"],
        amount=at(plan, "impact.amount"),
        status=status,
        why_not=None if done else " ".join(words) or status,
    )


def _let_through(desk: SqlDesk, digest: str) -> Sequence[str]:
    """The calls that one policy let through and that are not taken back, newest first."""
    prefix = digest.removeprefix("sha256:").lower()
    if len(prefix) < _LEAST_DIGITS or set(prefix) - set("0123456789abcdef"):
        raise ConfigurationError(f"--policy-digest: give at least {_LEAST_DIGITS} hexadecimal digits of the digest")
    decided = desk.sql.rows("SELECT DISTINCT policy FROM action WHERE shop = ?", (desk.shop,))
    known = {row["policy"] for row in decided}
    matching = sorted(each for each in known if each.removeprefix("sha256:").startswith(prefix))
    if len(matching) != 1:
        what = "more than one policy" if matching else "no policy that let anything through"
        raise ConfigurationError(f"--policy-digest: {what} has a digest that starts with {prefix}")
    return list(_undoable(desk, matching[0]))


def _undoable(desk: SqlDesk, policy: str) -> Iterator[str]:
    rows = desk.sql.rows(
        "SELECT call_id, plan FROM action WHERE shop = ? AND policy = ? AND plan IS NOT NULL"
        " AND undone_by IS NULL AND tool != 'undo_action' ORDER BY seq DESC",
        (desk.shop, policy),
    )
    for row in rows:
        if orjson.loads(row["plan"])["changes"]:
            yield row["call_id"]


def _named(name: str) -> str:
    if not (who := person(name)):
        raise ConfigurationError(f"--as: {NAMELESS}")
    return who


def _take_back(app: App, desk: SqlDesk, call_id: str, who: str, reason: str) -> Outcome:
    row = desk.sql.row(
        "SELECT conversation, customer_id FROM action WHERE shop = ? AND call_id = ?", (desk.shop, call_id)
    )
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
    outcome = app.gate.journey(desk, received, app.minter.id("call"), operator_grant(who, row["customer_id"]))
    if not isinstance(outcome, Outcome):
        raise Stale("taking this back needs something outside, which an undo does not do")
    return outcome
