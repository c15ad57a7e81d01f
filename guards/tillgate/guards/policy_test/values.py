"""Reads a fact as a test writes it into the form facts are decided on in.

The rule it keeps: money is text in the policy's currency, times are RFC 3339, and nothing is converted silently.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from tillgate.guards.facts import MAX_ITEMS, FactType, Kind
from tillgate.guards.model import Json
from tillgate.guards.money import Currency
from tillgate.guards.policy.diagnostics import did_you_mean
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.yaml import Node, Scalar, value_of
from tillgate.guards.policy_test.plain import plain

_LONGEST = 4000
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[-+][0-9]{2}:[0-9]{2})")


class Values:
    """Readers that report to one collection of findings; each returns None after one."""

    def __init__(self, shape: Shape, currency: Currency) -> None:
        self.shape = shape
        self.currency = currency

    def read(self, node: Node, fact: FactType, name: str) -> Json | None:
        """The value of a fact of this type; `name` is what findings call it."""
        match fact.kind:
            case Kind.STRING:
                return self.shape.text(node, name, longest=_LONGEST)
            case Kind.INT:
                return self.shape.integer(node, name, *fact.bounds)
            case Kind.BOOL:
                return self.truth(node, name)
            case Kind.MONEY:
                return self.money(node, name)
            case Kind.ENUM | Kind.ORDERED:
                return self._named(node, fact, name)
            case Kind.TIMESTAMP:
                return self.time(node, fact, name)
            case Kind.DURATION:
                return self.shape.duration(node, name)
            case Kind.LIST:
                return self._list(node, fact, name)
            case Kind.RECORD:
                return self.record(node, fact.fields, name)

    def truth(self, node: Node, name: str) -> bool | None:
        """`true` or `false`."""
        value = value_of(node) if isinstance(node, Scalar) else None
        if isinstance(value, bool):
            return value
        hint = "without quotes" if value in ("true", "false") else None
        self.shape.error("P010", f"{name} must be true or false", node.place, hint)
        return None

    def money(self, node: Node, name: str) -> int | None:
        """Minor units of an amount written as text; a margin or what is left of a budget may be below zero."""
        value = value_of(node) if isinstance(node, Scalar) else None
        if isinstance(node, Scalar) and isinstance(value, str) and value.startswith("-"):
            amount = self.shape.amount(replace(node, text=value[1:]), name, self.currency)
            return None if amount is None else -amount
        return self.shape.amount(node, name, self.currency)

    def time(self, node: Node, fact: FactType, name: str) -> int | None:
        """Epoch seconds of an RFC 3339 time with whole seconds."""
        text = self.shape.text(node, name)
        if text is None:
            return None
        low, high = fact.bounds
        seconds = _seconds(text)
        if seconds is None or not low <= seconds <= high:
            hint = "write it like 2026-01-31T00:00:00Z"
            self.shape.error("P011", f"{name} is not a time: '{text}'", node.place, hint)
            return None
        return seconds

    def record(self, node: Node, fields: Mapping[str, FactType], name: str) -> Json | None:
        """A record; what it must have and does not say is plain."""
        section = self.shape.any_mapping(node, name)
        if section is None:
            return None
        made: dict[str, Json] = {part: plain(fact) for part, fact in fields.items() if not fact.optional}
        for part, inner in section.values.items():
            fact = fields.get(part)
            if fact is None:
                hint = did_you_mean(part, fields, show=20)
                self.shape.error("P012", f"unknown fact `{name}.{part}`", section.keys[part].place, hint)
            elif not is_nothing(inner):
                made[part] = self.read(inner, fact, f"{name}.{part}")
        return made

    def _named(self, node: Node, fact: FactType, name: str) -> str | None:
        text = self.shape.text(node, name)
        if text is None or text in fact.values:
            return text
        self.shape.error(
            "P013", f"'{text}' is never a value of {name}", node.place, did_you_mean(text, fact.values, show=20)
        )
        return None

    def _list(self, node: Node, fact: FactType, name: str) -> list[Json] | None:
        items = self.shape.items(node, name, empty=True)
        if len(items) > MAX_ITEMS:
            self.shape.error("P011", f"{name} has more than {MAX_ITEMS} items", node.place)
        return [self.read(item, fact.element, f"{name}[]") for item in items if fact.element is not None]


def is_nothing(node: Node) -> bool:
    """Whether a node is `null`: a fact that is not stated, an expectation that is not asked."""
    return isinstance(node, Scalar) and value_of(node) is None


def _seconds(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text).timestamp()) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None
