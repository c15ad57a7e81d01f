"""Whether facts have the types, ranges and presence the catalogue declares; the slow twin of the compiled checks.

It names every fact that is wrong, which the compiled checks do not, and the two must agree on whether any is.
"""

from collections.abc import Callable, Iterator
from typing import cast

from tillgate.guards.facts import MAX_ITEMS, FactType, Kind
from tillgate.guards.model import Facts, Json
from tillgate.guards.policy.uses import NOW_USE, FactUse, GroupUse, Uses


def invalid_facts(uses: Uses, facts: Facts) -> tuple[str, ...]:
    """Dotted names of the facts in `uses` that are missing, of the wrong type or out of range."""
    wrong = [name for group in uses.groups for name in _group(group, facts)]
    if uses.now and not valid(facts.get("now"), NOW_USE.type):
        wrong.append("now")
    return tuple(wrong)


def _group(group: GroupUse, facts: Facts) -> Iterator[str]:
    inside = as_object(facts.get(group.name))
    if inside is None:
        yield group.name
        return
    if group.guarding != "plain":
        present = inside.get("present")
        if present is not True and not (group.guarding == "maybe" and present is False):
            yield f"{group.name}.present"
        if present is not True:
            return
    for use in group.facts:
        yield from _fact(use, inside)


def _fact(use: FactUse, inside: dict[str, Json]) -> Iterator[str]:
    name = use.path[-1]
    if name not in inside:
        if not use.type.optional:
            yield ".".join(use.path)
        return
    value: Json = inside[name]
    if use.type.kind is not Kind.RECORD:
        if not valid(value, use.type):
            yield ".".join(use.path)
    elif (record := as_object(value)) is None:
        yield ".".join(use.path)
    else:
        for inner in use.inner:
            yield from _fact(inner, record)


def as_object(value: Json) -> dict[str, Json] | None:
    """The value if it is a JSON object, and exactly that."""
    return cast("dict[str, Json]", value) if type(value) is dict else None


def valid(value: Json, fact: FactType) -> bool:
    """Whether a JSON value has exactly this type; a bool is never a number, and nothing is converted."""
    return _CHECKS[fact.kind](value, fact)


def _number(value: Json, fact: FactType) -> bool:
    low, high = fact.bounds
    return type(value) is int and low <= value <= high


def _named(value: Json, fact: FactType) -> bool:
    return type(value) is str and value in fact.values


def _list(value: Json, fact: FactType) -> bool:
    items: list[Json] = value
    element = fact.element
    if type(value) is not list or element is None or len(items) > MAX_ITEMS:
        return False
    return all(valid(item, element) for item in items)


def _record(value: Json, fact: FactType) -> bool:
    fields = as_object(value)
    if fields is None:
        return False
    return all(valid(fields[name], inner) if name in fields else inner.optional for name, inner in fact.fields.items())


_CHECKS: dict[Kind, Callable[[Json, FactType], bool]] = {
    Kind.STRING: lambda value, fact: type(value) is str,
    Kind.BOOL: lambda value, fact: value is True or value is False,
    Kind.INT: _number,
    Kind.MONEY: _number,
    Kind.TIMESTAMP: _number,
    Kind.DURATION: _number,
    Kind.ENUM: _named,
    Kind.ORDERED: _named,
    Kind.LIST: _list,
    Kind.RECORD: _record,
}
