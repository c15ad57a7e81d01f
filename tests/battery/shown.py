"""What a store shows at one instant: its shop record by record, its requests, its ledger, and the log since before."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
from battery.stage import Shop

from tillgate.guards.audit.canonical import canonical
from tillgate.tools.shops.embedded.records import SHOP_TABLES, TableSpec
from tillgate.tools.shops.embedded.sql import Sql

Entities: TypeAlias = dict[str, dict[str, Any]]
"""Every record of the shop by `kind:id`: its fields that have a value, and its version as `#`."""
Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """One instant of a store. `lines` are the records since the one that was asked for, as an export has them."""

    entities: Entities
    lines: Sequence[bytes]
    requests: Mapping[str, Row]
    refunds: Mapping[str, int]
    """How often each reason stands in the ledger."""
    uses: Sequence[Row]


def shown(shop: Shop, since: int = 0) -> Shown:
    """Everything at one instant."""
    with shop.store.reading() as desk:
        sql = desk.sql
        requests = sql.rows("SELECT id, call_id, status, arguments FROM escalation")
        return Shown(
            entities=entities(sql),
            lines=[_line(row) for row in sql.rows(_SINCE, (since,))],
            requests={row["id"]: dict(row) for row in requests},
            refunds=Counter(row[0] for row in sql.rows("SELECT reason FROM transfer WHERE kind = 'refund'")),
            uses=[dict(row) for row in sql.rows("SELECT call_id, amount FROM budget_use WHERE taken_back = 0")],
        )


def entities(sql: Sql) -> Entities:
    """Every record of the shop that a plan may change."""
    found: Entities = {}
    for kind, spec in SHOP_TABLES.items():
        names = [*spec.columns, "version"] if spec.versioned else [*spec.columns]
        for row in sql.rows(f"SELECT {', '.join(names)} FROM {spec.table}"):
            fields = dict(zip(names, row, strict=True))
            found[f"{kind}:{fields['id']}"] = {
                "#" if name == "version" else name: _value(spec, name, value)
                for name, value in fields.items()
                if value is not None
            }
    return found


def _value(spec: TableSpec, name: str, stored: Any) -> Any:
    match spec.columns.get(name):
        case "json":
            return orjson.loads(stored)
        case "bool":
            return bool(stored)
        case _:
            return stored


def _line(row: Any) -> bytes:
    beside = {"personal": orjson.loads(row["entries"])} if row["entries"] else {}
    return canonical({**orjson.loads(row["record"]), "hash": row["hash"], **beside}) + b"\n"


_SINCE = (
    "SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (shop, seq) WHERE a.seq > ?"
    " ORDER BY a.seq"
)
