"""What was asked of a customer and not answered yet: codes that prove who they are, and questions to agree to."""

from collections.abc import Sequence
from datetime import datetime

from tillgate.guards.asking import TRIES
from tillgate.guards.desk import Code, Pending, Proof, Talk
from tillgate.server.store.part import Part
from tillgate.server.store.rows import pending_from, time_from, time_text


class Consents(Part):
    """Codes and questions of one shop."""

    def open_code(self, talk: Talk, customer_id: str) -> Code | None:
        row = self._sql.row(
            "SELECT * FROM challenge WHERE shop = ? AND conversation = ? AND customer_id = ? AND used = 0"
            " AND attempts < 5 AND expires_at > ? ORDER BY created_at DESC, id DESC LIMIT 1",
            (self._shop, talk.key, customer_id, time_text(self._now)),
        )
        return Code(row["id"], time_from(row["expires_at"]), row["sent_to"]) if row else None

    def proof_here(self, challenge_id: str) -> Proof | None:
        row = self._sql.row(
            "SELECT conversation, customer_id, expires_at FROM challenge"
            " WHERE shop = ? AND id = ? AND used = 0 AND attempts < 5",
            (self._shop, challenge_id),
        )
        return Proof(row["conversation"], row["customer_id"], time_from(row["expires_at"])) if row else None

    def codes_since(self, customer_id: str, since: datetime) -> int:
        row = self._sql.row(
            "SELECT (SELECT count(*) FROM challenge WHERE shop = ? AND customer_id = ? AND created_at > ?)"
            " + (SELECT count(*) FROM confirmation"
            " WHERE shop = ? AND customer_id = ? AND strength = 3 AND created_at > ?)",
            (self._shop, customer_id, time_text(since)) * 2,
        )
        return row[0] if row else 0

    def add_code(self, talk: Talk, customer_id: str, code: Code, salt: str, code_hash: str) -> None:
        self._put(
            "challenge",
            {
                "id": code.id,
                "conversation": talk.key,
                "customer_id": customer_id,
                "sent_to": code.sent_to,
                "salt": salt,
                "code_hash": code_hash,
                "created_at": time_text(self._now),
                "expires_at": time_text(code.expires_at),
                "attempts": 0,
                "used": 0,
            },
        )

    def pending(self, talk: Talk) -> Sequence[Pending]:
        rows = self._sql.rows(
            "SELECT * FROM confirmation WHERE shop = ? AND conversation = ? AND spent = 0 AND attempts < ?"
            " ORDER BY created_at DESC, id DESC LIMIT 50",
            (self._shop, talk.key, TRIES),
        )
        return [pending_from(row) for row in rows]

    def pending_here(self, pending_id: str) -> Pending | None:
        statement = "SELECT * FROM confirmation WHERE shop = ? AND id = ? AND spent = 0 AND attempts < ?"
        row = self._sql.row(statement, (self._shop, pending_id, TRIES))
        return pending_from(row) if row else None

    def say_pending(self, pending_id: str, *, right: bool) -> None:
        statement = "UPDATE confirmation SET said = ?, attempts = attempts + ? WHERE shop = ? AND id = ?"
        self._sql.tell(statement, (right, not right, self._shop, pending_id))

    def add_pending(self, talk: Talk, pending: Pending) -> None:
        self._put(
            "confirmation",
            {
                "id": pending.id,
                "conversation": talk.key,
                "customer_id": pending.customer_id,
                "tool": pending.tool,
                "plan": pending.plan,
                "strength": pending.strength,
                "salt": pending.salt,
                "token_hash": pending.token_hash,
                "created_at": time_text(self._now),
                "expires_at": time_text(pending.expires_at),
                "attempts": 0,
                "spent": 0,
                "said": 0,
            },
        )

    def spend_pending(self, pending_id: str) -> None:
        self._sql.tell("UPDATE confirmation SET spent = 1 WHERE shop = ? AND id = ?", (self._shop, pending_id))

    def miss_pending(self, talk: Talk) -> None:
        self._sql.tell(
            "UPDATE confirmation SET attempts = attempts + 1 WHERE shop = ? AND conversation = ? AND spent = 0",
            (self._shop, talk.key),
        )
