"""The gate's desk: plain statements on one connection, inside the one transaction of a call, or of many."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import orjson

from tillgate.guards.audit.record import as_json
from tillgate.guards.desk import (
    Action,
    Caller,
    Entry,
    NewAction,
    Received,
    RequestStatus,
    Spent,
    Talk,
    Tally,
)
from tillgate.guards.effects import Effect
from tillgate.guards.errors import Unavailable
from tillgate.guards.model import Json, Plan, Subject
from tillgate.guards.money import Currency
from tillgate.guards.ports import Minter
from tillgate.server.store.ahead import HELD, PAUSED, foresee, foresee_first, foresee_held, held_by
from tillgate.server.store.consents import Consents
from tillgate.server.store.log import Tail
from tillgate.server.store.record import GATE_TABLES, SubjectRecord
from tillgate.server.store.requests import Requests
from tillgate.server.store.rows import (
    action_from,
    glimpse,
    json_text,
    time_text,
)
from tillgate.server.store.talks import Talks
from tillgate.tools.shops.embedded.apply import apply, root_versions
from tillgate.tools.shops.embedded.records import CATALOGUE, SHOP_TABLES
from tillgate.tools.shops.embedded.sql import Overtaken, Sql

T = TypeVar("T")
EVERY_TOOL = "*"
ALL_TABLES = {**SHOP_TABLES, **GATE_TABLES}
_CONVERSATION = "conversation:"
_ROOTS = frozenset(kind for kind, spec in SHOP_TABLES.items() if spec.versioned)


Outside: TypeAlias = Callable[[Sql, Plan], tuple[Effect, ...]]
"""What of a plan must happen outside the store before it is entered."""


def nothing_outside(_sql: Sql, _plan: Plan) -> tuple[Effect, ...]:
    """Of a shop that holds all it changes."""
    return ()


class _Rehearsed(Exception):
    """Ends a rehearsal: nothing of it stays."""


class SqlDesk(Consents, Requests):
    """Implements `tillgate.guards.desk.Desk`. Lives as long as one transaction, which may hold many calls.

    The end of the log is read once, and the records of the whole transaction are written when it closes.
    """

    def __init__(self, sql: Sql, now: datetime, minter: Minter, outside: Outside = nothing_outside) -> None:
        super().__init__(sql, now)
        self._outside = outside
        self._log = Tail(sql)
        self._talks = Talks(sql, minter)
        self._paused: frozenset[str] | None = None
        self._left: Mapping[str, int] = {}
        """The versions in which the last plan left its records, until somebody asks."""

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def shop(self) -> str:
        """The one shop of the store that this is about."""
        return self._shop

    @property
    def sql(self) -> Sql:
        """The transaction's connection, for the command line's own reads."""
        return self._sql

    @property
    def last_record(self) -> tuple[int, str] | None:
        """Number and hash of the last record this transaction adds; None where it adds none."""
        return self._log.added

    def hurry(self) -> None:
        """Wait for nothing that need not be waited for, see `Sql.hurry`."""
        self._sql.hurry()
        foresee_first(self._sql)

    def look_ahead(self, jobs: Iterable[Callable[["SqlDesk"], Any]]) -> None:
        """Have the database asked for what these jobs will likely look up, where they say which call they are about."""
        if self._sql.far:
            for job in jobs:
                self._foresee(job, near=False)
            self._sql.send()

    def _foresee(self, job: Callable[["SqlDesk"], Any], *, near: bool) -> None:
        received: Received | None = getattr(job, "received", None)
        if received is not None:
            with suppress(ValueError):  # text that no database can be told is refused in its own call
                foresee(self._sql, self._talks, received, self._now, near=near)

    def attempt(self, job: Callable[["SqlDesk"], T]) -> T:
        """Do one of several jobs of this transaction; what raises leaves nothing behind, and the others go on."""
        log, talks = self._log.mark(), self._talks.mark()
        try:
            if self._sql.far:
                self._foresee(job, near=True)
            with self._sql.savepoint("job"):
                return job(self)
        except BaseException as error:
            if isinstance(error, Overtaken):
                raise
            if not self._sql.in_transaction:
                raise Unavailable(f"the transaction ended before its time: {error}") from error
            self._log.back_to(log)
            self._talks.back_to(talks)
            self._left, self._paused = {}, None
            raise

    def close(self) -> None:
        """Write what waits until the end of the transaction."""
        self._log.write()
        self._talks.write()

    def paused(self, tool: str) -> bool:
        if self._paused is None:
            self._paused = frozenset(row["tool"] for row in self._sql.rows(PAUSED, (self._shop,)))
        return bool(self._paused) and (tool in self._paused or EVERY_TOOL in self._paused)

    def pause(self, tool: str | None, by: str) -> bool:
        self._paused = None
        row = {"tool": tool or EVERY_TOOL, "by": by, "at": time_text(self._now)}
        return self._insert("paused", row, " ON CONFLICT DO NOTHING") == 1

    def resume(self, tool: str | None) -> bool:
        self._paused = None
        return self._sql.run("DELETE FROM paused WHERE shop = ? AND tool = ?", (self._shop, tool or EVERY_TOOL)) == 1

    def talk(self, caller: Caller) -> Talk:
        return self._talks.of(caller)

    def tally(self, talk: Talk, tally: Tally) -> None:
        self._talks.count(talk.key, tally, self._log.seq)

    def record(
        self, subject: Subject, talk: Talk, money: Currency, *, bound: bool, besides: str | None
    ) -> SubjectRecord:
        return SubjectRecord(
            self._sql, subject, self._talks, talk, bound=bound, besides=besides, now=self._now, currency=money
        )

    def contact(self, customer_id: str) -> str | None:
        row = self._sql.row("SELECT email FROM customer WHERE shop = ? AND id = ?", (self._shop, customer_id))
        return row["email"] if row else None

    def roots(self, entities: Sequence[str]) -> Mapping[str, int]:
        """Only kinds that carry a version count: cart lines and refunds belong to their cart and order."""
        left, self._left = self._left, {}
        known = {entity: left[entity] for entity in entities if entity in left}
        asked = [entity for entity in entities if entity not in left and entity.partition(":")[0] in _ROOTS]
        return {**known, **root_versions(self._sql, ALL_TABLES, asked)}

    def apply(self, plan: Plan) -> None:
        for key in {change.entity for change in plan.changes if change.entity.startswith(_CONVERSATION)}:
            self._talks.changing(key.removeprefix(_CONVERSATION))
        self._left = apply(self._sql, plan.changes, plan.basis, ALL_TABLES)

    def rehearse(self, plan: Plan) -> None:
        talks = self._talks.mark()
        try:
            with suppress(_Rehearsed), self._sql.savepoint("rehearsal"):
                self.apply(plan)
                raise _Rehearsed
        finally:
            self._left = {}
            self._talks.back_to(talks)

    def effects(self, plan: Plan) -> tuple[Effect, ...]:
        return self._outside(self._sql, plan)

    def held(self, subject: Subject, talk: Talk, plan: Plan, *, besides: str | None) -> RequestStatus | None:
        """Nobody else's records are in a plan, so only this subject's requests can hold one."""
        for row in self._sql.rows(HELD, held_by(self._sql, subject, talk)):
            wanted = {entity for entity, _ in plan.basis if entity.partition(":")[0] not in CATALOGUE}
            if row["id"] != besides and not wanted.isdisjoint(entity for entity, _ in orjson.loads(row["basis"])):
                status: RequestStatus = row["status"]
                return status
        return None

    def recall_id(self, call_id: str) -> Action | None:
        row = self._sql.row("SELECT * FROM action WHERE shop = ? AND call_id = ?", (self._shop, call_id))
        return action_from(row) if row else None

    def recall_key(self, subject: Subject, talk: Talk, key: str) -> Action | None:
        foresee_held(self._sql, subject, talk)
        row = self._sql.row(
            "SELECT * FROM action WHERE shop = ? AND key = ? AND (conversation = ? OR customer_id = ?)"
            " ORDER BY seq DESC LIMIT 1",
            (self._shop, key, talk.key, subject.customer_id),
        )
        return action_from(row) if row else None

    def recall_call(self, subject: Subject, talk: Talk, tool: str, arguments: str) -> Action | None:
        foresee_held(self._sql, subject, talk)
        row = self._sql.row(
            "SELECT * FROM action WHERE shop = ? AND arguments = ? AND tool = ? AND undone_by IS NULL"
            " AND (conversation = ? OR (customer_id = ? AND conversation_name = ?)) ORDER BY seq DESC LIMIT 1",
            (self._shop, arguments, tool, talk.key, subject.customer_id, talk.id),
        )
        return action_from(row) if row else None

    def remember(self, talk: Talk, action: NewAction) -> None:
        self._put(
            "action",
            {
                "call_id": action.call_id,
                "seq": self._log.seq + 1,
                "conversation": talk.key,
                "conversation_name": talk.id,
                "customer_id": action.subject.customer_id,
                "at": time_text(self._now),
                "tool": action.tool,
                "key": action.key,
                "arguments": action.arguments,
                "outcome": json_text(dict(action.outcome)),
                "roots": json_text(dict(action.roots)),
                "handle": action.handle,
                "plan": json_text(as_json(action.plan)) if action.plan else None,
                "policy": action.policy,
            },
        )

    def settle_action(self, handle: str, roots: Mapping[str, int], plan: Plan, policy: str) -> None:
        self._sql.tell(
            "UPDATE action SET plan = ?, roots = ?, policy = ? WHERE shop = ? AND handle = ?",
            (json_text(as_json(plan)), json_text(dict(roots)), policy, self._shop, handle),
        )

    def finish_action(self, call_id: str, outcome: Mapping[str, Json], roots: Mapping[str, int], plan: Plan) -> None:
        self._sql.tell(
            "UPDATE action SET outcome = ?, plan = ?, roots = ?, handle = NULL WHERE shop = ? AND call_id = ?",
            (json_text(dict(outcome)), json_text(as_json(plan)), json_text(dict(roots)), self._shop, call_id),
        )

    def unbook(self, call_id: str) -> None:
        self._sql.tell("UPDATE budget_use SET taken_back = 1 WHERE shop = ? AND call_id = ?", (self._shop, call_id))

    def take_back(self, call_id: str, by: str) -> None:
        self._sql.tell("UPDATE action SET undone_by = ? WHERE shop = ? AND call_id = ?", (by, self._shop, call_id))
        self.unbook(call_id)

    def spent(self, budget: str, account: str, since: datetime, *, besides: str | None) -> Spent:
        """Executed and reserved uses; what an ended request had reserved is free by its status, not by a clean-up."""
        row = self._sql.row(
            "SELECT coalesce(sum(u.amount), 0), count(*)"
            " FROM budget_use u LEFT JOIN escalation e ON e.shop = u.shop AND e.id = u.handle"
            " WHERE u.shop = ? AND u.budget = ? AND u.account = ? AND u.at > ? AND u.taken_back = 0"
            " AND (u.handle IS NULL OR (u.handle IS DISTINCT FROM ? AND e.status IN ('pending', 'approved')"
            " AND e.expires_at > ?))",
            (self._shop, budget, account, int(since.timestamp()), besides, time_text(self._now)),
        )
        return Spent(row[0], row[1]) if row else Spent(0, 0)

    def book(self, entries: Sequence[Entry], call_id: str, handle: str | None) -> None:
        for entry in entries:
            self._put(
                "budget_use",
                {
                    "budget": entry.budget,
                    "account": entry.account,
                    "amount": entry.amount,
                    "at": int(self._now.timestamp()),
                    "call_id": call_id,
                    "handle": handle,
                    "taken_back": 0,
                },
            )

    def release(self, handle: str) -> None:
        self._sql.tell("DELETE FROM budget_use WHERE shop = ? AND handle = ?", (self._shop, handle))

    def send(self, to: str, subject: str, body: str) -> None:
        self._add("outbox", {"at": time_text(self._now), "recipient": to, "subject": subject, "body": body})

    def history(self, talk_key: str, limit: int) -> Sequence[Mapping[str, Json]]:
        self._log.write()
        self._talks.write()
        rows = self._sql.rows(
            "WITH RECURSIVE chain(seq, before, record, n) AS ("
            " SELECT a.seq, a.before, a.record, 1"
            " FROM conversation c JOIN audit a ON a.shop = c.shop AND a.seq = c.last_record"
            " WHERE c.shop = ? AND c.id = ?"
            " UNION ALL SELECT a.seq, a.before, a.record, n + 1"
            " FROM chain JOIN audit a ON a.shop = ? AND a.seq = chain.before WHERE n < ?)"
            " SELECT record FROM chain ORDER BY seq",
            (self._shop, talk_key, self._shop, limit),
        )
        return [glimpse(orjson.loads(row["record"])) for row in rows]

    def append(self, body: Mapping[str, Json], personal: Sequence[str], talk: Talk | None = None) -> None:
        self._log.append(body, personal, talk.last_record if talk else None)

    def serve_under(self, digest: str, source: str, text: str) -> None:
        """The policy this store is served under from now on, kept whole and written down when it changes."""
        if (last := self.served_policy()) is not None and last[0] == digest:
            return
        at = time_text(self._now)
        self._add("policy_version", {"digest": digest, "source": source, "text": text, "served_at": at})
        self.append({"kind": "policy", "at": at, "policy": digest, "source": source}, ())

    def served_policy(self) -> tuple[str, str, str] | None:
        """Digest, source and text of the policy this store was last served under."""
        row = self._sql.row(
            "SELECT digest, source, text FROM policy_version WHERE shop = ? ORDER BY seq DESC LIMIT 1", (self._shop,)
        )
        return (row["digest"], row["source"], row["text"]) if row else None

    def serve_with(self, name: str, value: str | None) -> None:
        """Something this store is served with from now on, or no more."""
        self._sql.tell("DELETE FROM serving WHERE shop = ? AND name = ?", (self._shop, name))
        if value is not None:
            self._put("serving", {"name": name, "value": value})

    def served_with(self, name: str) -> str | None:
        """What the store was last served with under this name."""
        row = self._sql.row("SELECT value FROM serving WHERE shop = ? AND name = ?", (self._shop, name))
        return row["value"] if row else None
