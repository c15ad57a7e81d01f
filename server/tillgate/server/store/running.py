"""Which conversation a caller is having who names none."""

from datetime import datetime

import orjson

from tillgate.server.store.rows import time_from
from tillgate.tools.shops.embedded.sql import Sql

_UNNAMED = "·"
"""Conversations without a name begin with this; names that clients give are ASCII.

A part of the principal follows: a customer's calls through two agents are never in conversations of one name.
"""


def running(sql: Sql, shop: str, principal: str, since: datetime) -> str:
    """The name of this principal's last such conversation, or of the next when that one has been silent since then."""
    stem = f"{_UNNAMED}{principal[-8:]}-"
    first = f"{principal}/{stem}"
    row = sql.row(
        "SELECT c.name, a.record FROM conversation c LEFT JOIN audit a ON a.shop = c.shop AND a.seq = c.last_record"
        " WHERE c.shop = ? AND c.id >= ? AND c.id < ? ORDER BY c.id DESC LIMIT 1",
        (shop, first, first + ":"),
    )
    if row is None:
        return f"{stem}{1:09d}"
    # a record that is not written yet is of this very transaction
    if row["record"] is None or time_from(orjson.loads(row["record"])["at"]) > since:
        return str(row["name"])
    return f"{stem}{int(row['name'].removeprefix(stem)) + 1:09d}"
