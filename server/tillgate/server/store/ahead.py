"""What a call is likely to look up, from what came in alone, so that a database far away is asked for it beforehand.

Nothing is decided here. What is not foreseen is asked for when it is needed, and what nobody needs is not read.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from tillgate.guards.desk import Received, Talk
from tillgate.guards.model import Json, Subject
from tillgate.server.store.log import LAST
from tillgate.server.store.talks import Talks, key_of
from tillgate.tools.shops.embedded.shop import foresee_of
from tillgate.tools.shops.embedded.sql import Sql

PAUSED = "SELECT tool FROM paused WHERE shop = ?"
HELD = (
    "SELECT id, status, basis FROM escalation WHERE shop = ? AND status IN ('executing', 'in_doubt')"
    " AND (customer_id = ? OR conversation = ?)"
)
_SEARCHED, _LONGEST = frozenset({"query", "limit"}), 200
_ID = re.compile(r"[!-~]{1,128}")
"""What could be the id of a record. Anything else is refused later, by whoever reads the arguments."""


def foresee_first(sql: Sql) -> None:
    """What the first call of a transaction looks up for all of them."""
    sql.foresee(LAST, (sql.shop,))
    sql.foresee(PAUSED, (sql.shop,))


def foresee(sql: Sql, talks: Talks, received: Received, now: datetime, *, near: bool) -> None:
    """What a call looks up first. `near`: it is the next one, so also what the one before it may well have changed."""
    caller = received.caller
    known = talks.foresee(caller)
    order = _id(received.arguments.get("order_id"))
    cart = _id(received.arguments.get("cart_id")) if near else None
    query = _words(received.arguments)
    foresee_of(sql, caller.customer_id or known, key_of(caller), now, order_id=order, cart_id=cart, query=query)


def foresee_held(sql: Sql, subject: Subject, talk: Talk) -> None:
    """A call that is not a second sending will want to know what is held."""
    sql.foresee(HELD, held_by(sql, subject, talk))


def held_by(sql: Sql, subject: Subject, talk: Talk) -> tuple[str, str | None, str]:
    """The values of `HELD`."""
    return sql.shop, subject.customer_id, talk.key


def _words(arguments: Mapping[str, Json]) -> str | None:
    """What is searched for, where nothing else narrows the search."""
    value = arguments.get("query")
    plain = isinstance(value, str) and len(value) <= _LONGEST and value.isprintable()
    return value if plain and arguments.keys() <= _SEARCHED else None


def _id(value: Json) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
