"""The record one subject may see: the shop's half from the shop, the gate's half from its own tables, both scoped."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import count

import orjson
from msgspec.structs import replace

from tillgate.guards.audit.record import plan_from_json
from tillgate.guards.desk import Talk
from tillgate.guards.model import Json, Plan, Subject
from tillgate.guards.money import Currency
from tillgate.server.store.rows import request_from, time_from
from tillgate.server.store.talks import Talks
from tillgate.tools.commerce.model import Customer
from tillgate.tools.commerce.record import Challenge, Conversation, PastCall, RequestView
from tillgate.tools.shops.embedded.apply import read_entity
from tillgate.tools.shops.embedded.records import TableSpec
from tillgate.tools.shops.embedded.rows import time_text
from tillgate.tools.shops.embedded.shop import ShopReader
from tillgate.tools.shops.embedded.sql import Sql

GATE_TABLES: Mapping[str, TableSpec] = {
    "conversation": TableSpec("conversation", {"customer_id": "text", "stepped_up_at": "text", "misses": "int"}),
    "challenge": TableSpec("challenge", {"attempts": "int", "used": "bool"}),
    "escalation": TableSpec("escalation", {"status": "text"}),
}
"""What tools may plan changes of, beside the shop's own records."""


class SubjectRecord(ShopReader):
    """Implements the tools' `Record`: every look-up is bound to this subject and this conversation."""

    def __init__(
        self,
        sql: Sql,
        subject: Subject,
        talks: Talks,
        talk: Talk,
        *,
        bound: bool,
        besides: str | None,
        now: datetime,
        currency: Currency,
    ) -> None:
        super().__init__(sql, customer_id=subject.customer_id, conversation=talk.key, now=now, currency=currency)
        self._db = sql
        self._subject = subject
        self._talks = talks
        self._talk = talk
        self._bound = bound
        self._besides = besides

    def customer(self) -> Customer | None:
        """The subject's own profile; a balance is what is left once every waiting request has what it needs."""
        customer = super().customer()
        if customer is None or all(each.balance is None for each in customer.payment_methods):
            return customer
        if not (held := self._held()):
            return customer
        methods = (
            each if each.balance is None else replace(each, balance=max(0, each.balance - held.get(each.id, 0)))
            for each in customer.payment_methods
        )
        return replace(customer, payment_methods=tuple(methods))

    @property
    def conversation(self) -> Conversation:
        """The conversation as tools see it."""
        return Conversation(
            key=self._talk.key,
            customer_id=self._subject.customer_id,
            bound=self._bound,
            misses=self._talk.misses,
            assurance=self._subject.assurance,
        )

    def new_id(self, kind: str) -> str:
        """Unguessable from outside, and the same until a record of this kind is really made."""
        row = self._db.row(
            "SELECT (SELECT count(*) FROM cart WHERE shop = :shop AND customer_id = :customer)"
            " + (SELECT count(*) FROM cart"
            " WHERE shop = :shop AND conversation = :conversation AND customer_id IS DISTINCT FROM :customer)",
            self._owner,
        )
        ids = (f"{kind}_{_hashed(f'{self._talk.nonce}|{kind}|{at}')}" for at in count(row[0] if row else 0))
        # Of carts that were taken back again the count is not where the next free id is.
        taken = "SELECT 1 FROM cart WHERE shop = ? AND id = ?"
        return next(each for each in ids if self._db.row(taken, (self._db.shop, each)) is None)

    def _held(self) -> Mapping[str, int]:
        """What requests that wait would take from each payment method: their own plans are the reservation."""
        waiting = self._db.rows(
            "SELECT packet FROM escalation"
            " WHERE shop = ? AND customer_id = ? AND status = 'pending' AND expires_at > ? AND id IS DISTINCT FROM ?",
            (self._db.shop, self._subject.customer_id, time_text(self.now), self._besides),
        )
        held: dict[str, int] = {}
        for row in waiting:
            for payment in _payments(plan_from_json(orjson.loads(row["packet"])["plan"])):
                held[payment["method_id"]] = held.get(payment["method_id"], 0) + payment["amount"]
        return held

    def challenge(self, challenge_id: str) -> Challenge | None:
        """A code sent in this conversation, to this customer."""
        row = self._db.row(
            "SELECT * FROM challenge WHERE shop = ? AND id = ? AND conversation = ? AND customer_id = ?",
            (self._db.shop, challenge_id, self._talk.key, self._subject.customer_id),
        )
        if row is None:
            return None
        return Challenge(
            row["id"], time_from(row["expires_at"]), row["attempts"], bool(row["used"]), row["salt"], row["code_hash"]
        )

    def request(self, handle: str) -> RequestView | None:
        """An escalation of this customer, or of this conversation while nobody is known."""
        row = self._db.row(
            f"SELECT * FROM escalation WHERE shop = ? AND id = ? AND {_OWN}",  # noqa: S608
            (self._db.shop, handle, self._subject.customer_id, self._talk.key),
        )
        if row is None:
            return None
        request = request_from(row, ())
        return RequestView(
            handle=request.handle,
            tool=request.received.tool,
            status=request.state(self.now),
            queue=request.queue,
            created_at=request.created_at,
            expires_at=request.expires_at,
            message=request.message,
            result=(request.result or {}).get("data"),
        )

    def past_call(self, call_id: str) -> PastCall | None:
        """A call of this customer, or of this conversation while nobody is known, that changed something."""
        row = self._db.row(
            f"SELECT * FROM action WHERE shop = ? AND call_id = ? AND plan IS NOT NULL AND {_OWN}",  # noqa: S608
            (self._db.shop, call_id, self._subject.customer_id, self._talk.key),
        )
        if row is None:
            return None
        plan = plan_from_json(orjson.loads(row["plan"]))
        return PastCall(
            call_id=row["call_id"],
            tool=row["tool"],
            summary=plan.summary,
            at=time_from(row["at"]),
            changes=plan.changes,
            undo_until=plan.undo.until,
            undo_why_not=plan.undo.why_not,
            undone_by=row["undone_by"],
        )

    def entity(self, entity: str) -> Mapping[str, Json] | None:
        """The present fields of a record of this subject's, the gate's own included."""
        kind, _, record_id = entity.partition(":")
        if kind not in GATE_TABLES:
            return super().entity(entity)
        if kind == "conversation" and record_id != self._talk.key:
            return None
        if kind == "challenge" and self.challenge(record_id) is None:
            return None
        if kind == "escalation" and self.request(record_id) is None:
            return None
        if kind == "conversation":
            self._talks.write(record_id)  # a row that waits is not there yet
        return read_entity(self._db, GATE_TABLES, entity)


def _hashed(seed: str) -> str:
    return base64.b32encode(hashlib.sha256(seed.encode()).digest()).decode().lower()[:26]


def _payments(plan: Plan) -> Iterator[Mapping[str, Json]]:
    """The captures a plan would make."""
    entered: dict[str, dict[str, Json]] = {}
    for change in plan.changes:
        if change.entity.startswith("transfer:payment/"):
            entered.setdefault(change.entity, {})[change.field] = change.after
    yield from (fields for fields in entered.values() if fields.get("id") is not None)  # others are taken back


_OWN = "(customer_id = ? OR (customer_id IS NULL AND conversation = ?))"
