"""The audit log as it lies in the store: read for export, and held against what the store itself says happened."""

from collections.abc import Iterator
from typing import Any

import orjson

from tillgate.guards.audit.log import Row, export_lines
from tillgate.guards.errors import IntegrityError
from tillgate.tools.shops.embedded.sql import Sql


def stored_lines(sql: Sql, *, without_personal: bool = False) -> list[bytes]:
    """The whole log as an export. Raises IntegrityError where a stored record is not one."""
    try:
        return list(export_lines(_rows(sql), without_personal=without_personal))
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"the stored log cannot be read: {error}") from error


def unrecorded(sql: Sql) -> list[str]:
    """What the store did and the log does not tell: an emptied or shortened log gives itself away here."""
    records: list[dict[str, Any]] = [orjson.loads(row["record"]) for row in sql.rows("SELECT record FROM audit")]
    told = {record.get("call_id") for record in records}
    gaps = [
        f"{table} {row['call_id']} has no record"
        for table in ("action", "escalation")
        for row in sql.rows(f"SELECT call_id FROM {table}")  # noqa: S608
        if row["call_id"] not in told
    ]
    counted = sql.row("SELECT coalesce(sum(calls), 0) AS calls FROM conversation")
    calls = sum(record.get("kind") == "call" for record in records)
    if counted is not None and counted["calls"] != calls:
        gaps.append(f"the conversations made {counted['calls']} calls, the log tells of {calls}")
    return gaps


def _rows(sql: Sql) -> Iterator[Row]:
    stored = sql.rows(
        "SELECT a.seq, a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p ON p.seq = a.seq ORDER BY a.seq"
    )
    for row in stored:
        if not isinstance(row["record"], bytes) or not isinstance(row["hash"], str):
            raise IntegrityError(f"stored record {row['seq']} is not of the kind that was written")
        yield row["record"], row["hash"], row["entries"]
