"""The generic executor: it applies a plan only while every `before` and every basis version holds.

Every check is made before the first write, so `Stale` means that nothing was done. In a record that is
created or deleted, a field the plan does not name counts as None: a deletion that would lose something unseen
is stale.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import orjson

from tillgate.guards.errors import Stale
from tillgate.guards.model import Change, Json
from tillgate.tools.shops.embedded.records import CATALOGUE, ColumnKind, TableSpec
from tillgate.tools.shops.embedded.sql import Conflict, Sql, Statement

Stored: TypeAlias = str | int | None
_TYPES: Mapping[ColumnKind, type[Any]] = {"text": str, "int": int, "bool": bool}


@dataclass(frozen=True, slots=True)
class _Act:
    """What happens to one record, and its columns as they will stand, ready to store."""

    act: Literal["insert", "update", "delete"]
    spec: TableSpec
    id: str
    before: Mapping[str, Stored]
    after: Mapping[str, Stored]


def canonical(value: Json) -> str:
    """Canonical JSON text of a structured value: sorted keys, no spaces. Equal values have equal text."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def apply(
    sql: Sql, changes: Sequence[Change], basis: Sequence[tuple[str, int]], tables: Mapping[str, TableSpec]
) -> None:
    """Carry out the changes and raise the version of every record of the basis but those of the catalogue.

    Raises Stale, nothing done, when a `before` or a version no longer holds, and ValueError for a change that
    names no known kind or column or has a value of the wrong type. `tables` lists kinds parents first.
    """
    acts = [_checked(sql, entity, group, tables) for entity, group in _grouped(changes).items()]
    for entity, version in sorted(set(basis)):
        if root_version(sql, tables, entity) != version:
            raise Stale(f"{entity} is no longer at version {version}")
    try:
        with sql.savepoint("apply"):
            _write(sql, acts, basis, tables)
    except Conflict as error:
        raise Stale("another record now depends on one that would change") from error


def _write(sql: Sql, acts: Sequence[_Act], basis: Sequence[tuple[str, int]], tables: Mapping[str, TableSpec]) -> None:
    """Parents before children where records are made, children before parents where they go.

    Goods come back before goods go, so that nothing is short of stock half way that is not short in the end.
    """
    raised = [pair for pair in sorted(set(basis)) if pair[0].partition(":")[0] not in CATALOGUE]
    counted = sql.run_each([_raising(sql, entity, version, tables) for entity, version in raised])
    for (entity, version), count in zip(raised, counted, strict=True):
        if count != 1:
            raise Stale(f"{entity} is no longer at version {version}")
    order = {spec.table: place for place, spec in enumerate(tables.values())}
    for act in sorted(acts, key=lambda act: (order[act.spec.table], -_goods(act.after, act))):
        if act.act == "insert":
            _insert(sql, act)
        elif act.act == "update":
            _update(sql, act)
    for act in sorted(acts, key=lambda act: (-order[act.spec.table], _goods(act.before, act))):
        if act.act == "delete":
            sql.tell(f"DELETE FROM {act.spec.table} WHERE shop = ? AND id = ?", (sql.shop, act.id))  # noqa: S608


def _goods(values: Mapping[str, Stored], act: _Act) -> int:
    """How many goods a stock move brings in; what goes out is negative."""
    quantity = values.get("quantity") if act.spec.table == "stock_move" else 0
    return quantity if isinstance(quantity, int) else 0


def read_entity(sql: Sql, tables: Mapping[str, TableSpec], entity: str) -> dict[str, Json] | None:
    """The fields of one record that have a value, as JSON, without `version`; None without a record."""
    spec, record_id = _place(entity, tables)
    stored = _stored(sql, spec, record_id)
    if stored is None:
        return None
    return {name: _decoded(spec.columns[name], value) for name, value in stored.items() if value is not None}


def root_version(sql: Sql, tables: Mapping[str, TableSpec], entity: str) -> int | None:
    """The version of one record, None without a record. Raises ValueError for a kind that has no version."""
    spec, record_id = _place(entity, tables)
    if not spec.versioned:
        raise ValueError(f"records like {entity.partition(':')[0]!r} have no version")
    row = sql.row(f"SELECT version FROM {spec.table} WHERE shop = ? AND id = ?", (sql.shop, record_id))  # noqa: S608
    return None if row is None else row[0]


def _grouped(changes: Iterable[Change]) -> dict[str, list[Change]]:
    groups: dict[str, list[Change]] = {}
    for change in changes:
        group = groups.setdefault(change.entity, [])
        if any(other.field == change.field for other in group):
            raise ValueError(f"{change.entity} has two changes of {change.field!r}")
        group.append(change)
    return groups


def _checked(sql: Sql, entity: str, group: Sequence[Change], tables: Mapping[str, TableSpec]) -> _Act:
    spec, record_id = _place(entity, tables)
    named = {change.field: change for change in group}
    unknown = sorted(set(named) - set(spec.columns))
    if unknown:
        raise ValueError(f"{entity} has no field {unknown[0]!r}")
    before = {name: _encoded(entity, name, spec.columns[name], change.before) for name, change in named.items()}
    after = {name: _encoded(entity, name, spec.columns[name], change.after) for name, change in named.items()}
    act = _act(entity, record_id, before.get("id"), after.get("id"), "id" in named)
    current = _stored(sql, spec, record_id)
    if (current is None) != (act == "insert"):
        raise Stale(f"{entity} {'is not there' if current is None else 'is there already'}")
    _hold(entity, act, spec, before, current or {})
    return _Act(act, spec, record_id, before, after)


def _act(
    entity: str, record_id: str, before: Stored, after: Stored, named: bool
) -> Literal["insert", "update", "delete"]:
    if before not in (None, record_id) or after not in (None, record_id):
        raise ValueError(f"{entity} cannot change its id")
    if not named or (before is not None and after is not None):
        return "update"
    if before is None and after is None:
        raise ValueError(f"{entity} is neither created nor deleted")
    return "insert" if before is None else "delete"


def _hold(entity: str, act: str, spec: TableSpec, before: Mapping[str, Stored], current: Mapping[str, Stored]) -> None:
    names = before if act == "update" else spec.columns
    for name in names:
        if before.get(name) != current.get(name):
            raise Stale(f"{entity}.{name} is no longer what the plan was made from")


def _insert(sql: Sql, act: _Act) -> None:
    names = ", ".join(act.after)
    marks = ", ".join("?" * len(act.after))
    statement = f"INSERT INTO {act.spec.table} (shop, {names}) VALUES (?, {marks})"  # noqa: S608
    sql.tell(statement, (sql.shop, *act.after.values()))


def _update(sql: Sql, act: _Act) -> None:
    sets = ", ".join(f"{name} = ?" for name in act.after)
    statement = f"UPDATE {act.spec.table} SET {sets} WHERE shop = ? AND id = ?"  # noqa: S608
    sql.tell(statement, (*act.after.values(), sql.shop, act.id))


def _raising(sql: Sql, entity: str, version: int, tables: Mapping[str, TableSpec]) -> Statement:
    spec, record_id = _place(entity, tables)
    statement = f"UPDATE {spec.table} SET version = version + 1 WHERE shop = ? AND id = ? AND version = ?"  # noqa: S608
    return statement, (sql.shop, record_id, version)


def _place(entity: str, tables: Mapping[str, TableSpec]) -> tuple[TableSpec, str]:
    kind, colon, record_id = entity.partition(":")
    if not colon or not record_id or kind not in tables:
        raise ValueError(f"{entity!r} names no kind of record of this store")
    return tables[kind], record_id


def _stored(sql: Sql, spec: TableSpec, record_id: str) -> dict[str, Stored] | None:
    """The row with structured values in canonical text."""
    statement = f"SELECT {', '.join(spec.columns)} FROM {spec.table} WHERE shop = ? AND id = ?"  # noqa: S608
    row = sql.row(statement, (sql.shop, record_id))
    if row is None:
        return None
    return {
        name: canonical(orjson.loads(value)) if kind == "json" and value is not None else value
        for (name, kind), value in zip(spec.columns.items(), row, strict=True)
    }


def _encoded(entity: str, name: str, kind: ColumnKind, value: Json) -> Stored:
    if value is None:
        return None
    if kind == "json":
        return canonical(value)
    if type(value) is not _TYPES[kind]:
        raise ValueError(f"{entity}.{name} is {kind}, not {type(value).__name__}")
    return int(value) if kind == "bool" else value


def _decoded(kind: ColumnKind, value: Stored) -> Json:
    if kind == "json" and isinstance(value, str):
        return orjson.loads(value)
    return bool(value) if kind == "bool" else value
