"""Requests to people and what is carried out outside: opened, claimed by one at a time, approved and ended."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from tillgate.guards.desk import Request, RequestStatus
from tillgate.guards.model import Json
from tillgate.server.store.part import Part
from tillgate.server.store.rows import json_text, request_from, request_row, time_text


class Requests(Part):
    """The requests of one shop."""

    def request(self, handle: str) -> Request | None:
        row = self._sql.row("SELECT * FROM escalation WHERE shop = ? AND id = ?", (self._shop, handle))
        return request_from(row, self._approvals(handle)) if row else None

    def requests(self) -> Sequence[Request]:
        rows = self._sql.rows("SELECT * FROM escalation WHERE shop = ? ORDER BY created_at, id", (self._shop,))
        return [request_from(row, self._approvals(row["id"])) for row in rows]

    def open_request(self, request: Request) -> None:
        row = request_row(request)
        kept = ", ".join(f"{name} = excluded.{name}" for name in row if name != "id")
        self._put("escalation", row, f" ON CONFLICT (shop, id) DO UPDATE SET {kept}")

    def move_request(
        self, handle: str, status: RequestStatus, message: str | None, result: Mapping[str, Json] | None
    ) -> None:
        self._sql.tell(
            "UPDATE escalation SET status = ?, message = ?, result = ?"
            " WHERE shop = ? AND id = ? AND (status IN ('pending', 'executing', 'in_doubt') OR ? = 'in_doubt')",
            (status, message, json_text(dict(result)) if result else None, self._shop, handle, status),
        )

    def claim_request(self, handle: str, fence: int, seconds: int) -> bool:
        until = time_text(self._now + timedelta(seconds=seconds))
        claimed = self._sql.run(
            "UPDATE escalation SET fence = fence + 1, lease_until = ?"
            " WHERE shop = ? AND id = ? AND fence = ? AND lease_until <= ?",
            (until, self._shop, handle, fence, time_text(self._now)),
        )
        return claimed == 1

    def lapsed(self) -> Sequence[str]:
        rows = self._sql.rows(
            "SELECT id FROM escalation WHERE shop = ? AND status IN ('executing', 'in_doubt') AND lease_until <= ?",
            (self._shop, time_text(self._now)),
        )
        return sorted([row["id"] for row in rows])

    def add_approval(self, handle: str, reviewer: str) -> bool:
        row = {"escalation_id": handle, "reviewer": reviewer, "at": time_text(self._now)}
        return self._insert("approval", row, " ON CONFLICT DO NOTHING") == 1

    def _approvals(self, handle: str) -> Sequence[str]:
        statement = "SELECT reviewer FROM approval WHERE shop = ? AND escalation_id = ? ORDER BY at, rowid"
        rows = self._sql.rows(statement, (self._shop, handle))
        return [row["reviewer"] for row in rows]
