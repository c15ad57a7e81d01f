"""The generic executor: it applies a plan only while every `before` and every basis version holds.

Every check is made before the first write, so `Stale` means that nothing was done. In a record that is
created or deleted, a field the plan does not name counts as None: a deletion that would lose something unseen
is stale.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import orjson
from msgspec import Struct

from tillgate.guards.errors import Stale
from tillgate.guards.model import Change, Json
from tillgate.tools.shops.embedded.records import CATALOGUE, ColumnKind, TableSpec
from tillgate.tools.shops.embedded.sql import Conflict, Row, Sql, Statement

Stored: TypeAlias = str | int | None
_TYPES: Mapping[ColumnKind, type[Any]] = {"text": str, "int": int, "bool": bool}


class _Act(Struct, frozen=True):
    """What happens to one record, and its columns as they will stand, ready to store."""

    act: Literal["insert", "update", "delete"]
    entity: str
    spec: TableSpec
    id: str
    before: Mapping[str, Stored]
    after: Mapping[str, Stored]


def canonical(value: Json) -> str:
    """Canonical JSON text of a structured value: sorted keys, no spaces. Equal values have equal text."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def apply(
    sql: Sql, changes: Sequence[Change], basis: Sequence[tuple[str, int]], tables: Mapping[str, TableSpec]
) -> dict[str, int]:
    """Carry out the changes and raise the version of every record of the basis but those of the catalogue.

    Gives the versions in which the records of the basis are left, where that is known without asking. Raises Stale,
    nothing done, when a `before` or a version no longer holds, and ValueError for a change that names no known kind or
    column or has a value of the wrong type. `tables` lists kinds parents first.
    """
    acts = [_planned(entity, named, tables) for entity, named in _grouped(changes).items()]
    stood = sorted(set(basis))
    found = sql.rows_each(
        [*(_fields_of(sql, act.spec, act.id) for act in acts), *(_version_of(sql, each, tables) for each, _ in stood)]
    )
    for act, rows in zip(acts, found, strict=False):
        _hold(act, _stored(act.spec, rows[0]) if rows else None)
    for (entity, version), rows in zip(stood, found[len(acts) :], strict=True):
        if not rows or rows[0][0] != version:
            raise _moved(entity, version)
    try:
        with sql.savepoint("apply"):
            _write(sql, acts, stood, tables)
    except Conflict as error:
        raise Stale("another record now depends on one that would change") from error
    return _left(acts, stood)


def _write(sql: Sql, acts: Sequence[_Act], stood: Sequence[tuple[str, int]], tables: Mapping[str, TableSpec]) -> None:
    raised = [pair for pair in stood if pair[0].partition(":")[0] not in CATALOGUE]
    specs = list(tables.values())
    told = [_raising(sql, entity, version, tables) for entity, version in raised]
    told += [_writing(sql, act) for act in sorted(acts, key=lambda act: _turn(act, specs))]
    for (entity, version), count in zip(raised, sql.run_each(told), strict=False):
        if count != 1:
            raise _moved(entity, version)


def _turn(act: _Act, specs: Sequence[TableSpec]) -> tuple[bool, int, int]:
    """When an act has its turn: parents before children where records are made, after them where they go.

    Goods come back before goods go, so that nothing is short of stock half way that is not short in the end.
    """
    place = specs.index(act.spec)
    return (True, -place, _goods(act, act.before)) if act.act == "delete" else (False, place, -_goods(act, act.after))


def _left(acts: Sequence[_Act], stood: Sequence[tuple[str, int]]) -> dict[str, int]:
    """A plan raises what it stands on by one. A record of the catalogue keeps its own count, and one may be gone."""
    asked = {act.entity for act in acts if act.act == "delete" or act.entity.partition(":")[0] in CATALOGUE}
    return {
        entity: version if entity.partition(":")[0] in CATALOGUE else version + 1
        for entity, version in stood
        if entity not in asked
    }


def _moved(entity: str, version: int) -> Stale:
    return Stale(f"{entity} is no longer at version {version}")


def _goods(act: _Act, values: Mapping[str, Stored]) -> int:
    """How many goods a stock move brings in; what goes out is negative."""
    quantity = values.get("quantity") if act.spec.table == "stock_move" else 0
    return quantity if isinstance(quantity, int) else 0


def read_entity(sql: Sql, tables: Mapping[str, TableSpec], entity: str) -> dict[str, Json] | None:
    """The fields of one record that have a value, as JSON, without `version`; None without a record."""
    spec, record_id = _place(entity, tables)
    row = sql.row(*_fields_of(sql, spec, record_id))
    if row is None:
        return None
    stored = _stored(spec, row)
    return {name: _decoded(spec.columns[name], value) for name, value in stored.items() if value is not None}


def root_version(sql: Sql, tables: Mapping[str, TableSpec], entity: str) -> int | None:
    """The version of one record, None without a record. Raises ValueError for a kind that has no version."""
    return root_versions(sql, tables, [entity]).get(entity)


def root_versions(sql: Sql, tables: Mapping[str, TableSpec], entities: Sequence[str]) -> dict[str, int]:
    """The versions of those records that there are. Raises ValueError for a kind that has no version."""
    found = sql.rows_each([_version_of(sql, entity, tables) for entity in entities])
    return {entity: rows[0][0] for entity, rows in zip(entities, found, strict=True) if rows}


def _grouped(changes: Iterable[Change]) -> dict[str, dict[str, Change]]:
    """The changes of each record, by field."""
    groups: dict[str, dict[str, Change]] = {}
    for change in changes:
        named = groups.setdefault(change.entity, {})
        if change.field in named:
            raise ValueError(f"{change.entity} has two changes of {change.field!r}")
        named[change.field] = change
    return groups


def _planned(entity: str, named: Mapping[str, Change], tables: Mapping[str, TableSpec]) -> _Act:
    spec, record_id = _place(entity, tables)
    if unknown := named.keys() - spec.columns.keys():
        raise ValueError(f"{entity} has no field {min(unknown)!r}")
    before = {name: _encoded(entity, name, spec.columns[name], change.before) for name, change in named.items()}
    after = {name: _encoded(entity, name, spec.columns[name], change.after) for name, change in named.items()}
    act = _act(entity, record_id, before.get("id"), after.get("id"), "id" in named)
    return _Act(act, entity, spec, record_id, before, after)


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


def _hold(act: _Act, current: Mapping[str, Stored] | None) -> None:
    """Raises Stale when a record is not what the plan was made from."""
    if (current is None) != (act.act == "insert"):
        raise Stale(f"{act.entity} {'is not there' if current is None else 'is there already'}")
    stands = current or {}
    for name in act.before if act.act == "update" else act.spec.columns:
        if act.before.get(name) != stands.get(name):
            raise Stale(f"{act.entity}.{name} is no longer what the plan was made from")


def _writing(sql: Sql, act: _Act) -> Statement:
    table = act.spec.table
    if act.act == "delete":
        return f"DELETE FROM {table} WHERE shop = ? AND id = ?", (sql.shop, act.id)  # noqa: S608
    if act.act == "update":
        sets = ", ".join([f"{name} = ?" for name in act.after])
        return f"UPDATE {table} SET {sets} WHERE shop = ? AND id = ?", (*act.after.values(), sql.shop, act.id)  # noqa: S608
    marks = ", ?" * len(act.after)
    return f"INSERT INTO {table} (shop, {', '.join(act.after)}) VALUES (?{marks})", (sql.shop, *act.after.values())  # noqa: S608


def _raising(sql: Sql, entity: str, version: int, tables: Mapping[str, TableSpec]) -> Statement:
    spec, record_id = _place(entity, tables)
    statement = f"UPDATE {spec.table} SET version = version + 1 WHERE shop = ? AND id = ? AND version = ?"  # noqa: S608
    return statement, (sql.shop, record_id, version)


def _place(entity: str, tables: Mapping[str, TableSpec]) -> tuple[TableSpec, str]:
    kind, colon, record_id = entity.partition(":")
    if not colon or not record_id or kind not in tables:
        raise ValueError(f"{entity!r} names no kind of record of this store")
    return tables[kind], record_id


def _fields_of(sql: Sql, spec: TableSpec, record_id: str) -> Statement:
    statement = f"SELECT {', '.join(spec.columns)} FROM {spec.table} WHERE shop = ? AND id = ?"  # noqa: S608
    return statement, (sql.shop, record_id)


def _version_of(sql: Sql, entity: str, tables: Mapping[str, TableSpec]) -> Statement:
    spec, record_id = _place(entity, tables)
    if not spec.versioned:
        raise ValueError(f"records like {entity.partition(':')[0]!r} have no version")
    return f"SELECT version FROM {spec.table} WHERE shop = ? AND id = ?", (sql.shop, record_id)  # noqa: S608


def _stored(spec: TableSpec, row: Row) -> dict[str, Stored]:
    """A row with structured values in canonical text."""
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
