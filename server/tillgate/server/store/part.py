"""What every part of a desk has: the statements of one transaction, its time, and the way rows are put in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tillgate.server.store.rows import adding, inserting
from tillgate.tools.shops.embedded.sql import Sql


class Part:
    """Some of what `tillgate.guards.desk.Desk` asks for, in one transaction of one shop."""

    def __init__(self, sql: Sql, now: datetime) -> None:
        self._sql = sql
        self._shop = sql.shop
        self._now = now

    def _insert(self, table: str, values: Mapping[str, Any], otherwise: str = "") -> int:
        """A new row; how many there are then: none where one was there already and `otherwise` lets it be."""
        return self._sql.run(*inserting(self._shop, table, values, otherwise))

    def _put(self, table: str, values: Mapping[str, Any], otherwise: str = "") -> None:
        self._sql.tell(*inserting(self._shop, table, values, otherwise))

    def _add(self, table: str, values: Mapping[str, Any]) -> None:
        """A row after all others of this shop: it gets the next number."""
        self._sql.tell(*adding(self._shop, table, values))
