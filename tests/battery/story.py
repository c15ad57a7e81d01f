"""What a log tells, read record by record: what the shop must hold, how each request stands, what was said to whom."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from battery.shown import Entities

from tillgate.guards.audit import verify
from tillgate.tools.shops.embedded.records import CATALOGUE, SHOP_TABLES

_ENDS = {"done": "executed", "refused": "denied", "unknown": "in_doubt"}


@dataclass
class Story:
    """The log so far. `shop` begins as the shop opened, and is what it holds if exactly what is told was done to it."""

    shop: Entities
    checked: verify._Log = field(default_factory=verify._Log)
    said: set[tuple[Any, Any]] = field(default_factory=set[tuple[Any, Any]])
    """Which call was answered how."""
    stands: dict[str, str] = field(default_factory=dict[str, str])
    """Each request, as its records leave it."""
    intents: dict[str, str] = field(default_factory=dict[str, str])
    """What was about to happen outside: the key of each effect, and its request."""
    moved: Counter[str] = field(default_factory=Counter[str])
    """What each call moved, of what counts for a budget."""
    _set_out: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    @property
    def size(self) -> int:
        """How many records it holds."""
        return self.checked.size

    def read(self, line: bytes) -> None:
        """One more record, as an export has it."""
        self.checked.read(self.size + 1, line)
        record = _whole(orjson.loads(line))
        outcome = record.get("outcome") or {}
        self.said.add((record.get("call_id"), outcome.get("status")))
        self._request(record, outcome)
        if record.get("under_way"):
            self._set_out[record["request"]] = record
            self.intents |= {each["key"]: record["request"] for each in record["under_way"]}
        elif record["kind"] == "outcome" and outcome["executed"]:
            self._carry_out(self._set_out[record["request"]])
        elif outcome.get("executed") and record.get("plan") and not record["replayed"]:
            self._carry_out(record)

    def _request(self, record: Mapping[str, Any], outcome: Mapping[str, Any]) -> None:
        kind = record["kind"]
        if record.get("under_way"):
            self.stands[record["request"]] = "executing"
        elif kind == "outcome":
            self.stands[record["request"]] = _ENDS[record["effects"]["answer"]]
        elif kind in ("execution", "stale", "denial"):
            self.stands[record["request"]] = {"execution": "executed", "denial": "denied"}.get(kind, kind)
        elif kind == "call" and outcome["status"] == "escalated" and not record["replayed"]:
            self.stands[outcome["escalation"]["handle"]] = "pending"

    def _carry_out(self, record: Mapping[str, Any]) -> None:
        """Enter the plan of a record that decided it."""
        for change in record["plan"]["changes"]:
            if change["entity"].partition(":")[0] in SHOP_TABLES:
                _enter(self.shop, change)
        for entity in {entity for entity, _ in record["plan"]["basis"]}:
            if entity.partition(":")[0] not in CATALOGUE and "#" in self.shop.get(entity, {}):
                self.shop[entity]["#"] += 1
        if record["tool"] == "issue_refund":
            self.moved[record["call_id"]] += record["plan"]["impact"]["amount"]


def _enter(shop: Entities, change: Mapping[str, Any]) -> None:
    entity, name, after = change["entity"], change["field"], change["after"]
    fresh = {"#": 1} if SHOP_TABLES[entity.partition(":")[0]].versioned else {}
    fields = shop.setdefault(entity, fresh)
    if after is None:
        fields.pop(name, None)
    else:
        fields[name] = after
    if not fields.keys() - {"#"}:
        del shop[entity]


def _whole(line: dict[str, Any]) -> Mapping[str, Any]:
    """The record with its personal values in their places."""
    for path, entry in line.get("personal", {}).items():
        place = line
        *way, last = path.split(".")
        for name in way:
            place = place[name]
        place[last] = entry["value"]
    return line
