"""One way to write a JSON value as bytes, so that a hash of it means the value and nothing else.

The output is RFC 8785 (JSON Canonicalization Scheme) for the values let in: no floats, whole numbers every
JSON reader holds exactly, and ASCII keys, whose order is the same by byte, code point and UTF-16 unit.
"""

from typing import cast

import orjson

from tillgate.guards.facts import BOUND
from tillgate.guards.model import Json

MAX_DEPTH = 64
"""Nesting beyond this is refused, so that every reader can follow what every writer wrote."""


def canonical(value: Json) -> bytes:
    """The canonical bytes of a JSON value. Raises ValueError, naming the place, for anything else."""
    if not _fits(value, 0):
        _check(value, "", 0)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"not a JSON value: {error}") from error


def _fits(value: Json, depth: int) -> bool:
    """Whether every value is one that is let in. Scalars are judged in place: this runs over every record written."""
    kind = value.__class__
    if kind is dict:
        if depth > MAX_DEPTH:
            return False
        for key in value:
            if key.__class__ is not str or not key.isascii():
                return False
        items = value.values()
    elif kind is list:
        if depth > MAX_DEPTH:
            return False
        items = value
    else:
        items = (value,)
    for item in items:
        kind = item.__class__
        if kind is str or item is None or kind is bool:
            continue
        if kind is int:
            if not -BOUND <= item <= BOUND:
                return False
        elif (kind is not dict and kind is not list) or not _fits(item, depth + 1):
            return False
    return True


def _check(value: Json, path: str, depth: int) -> None:
    """Exact types only: a subclass (an enum, say) could be written differently from how it compares."""
    kind = cast("type[object]", type(value))
    if kind is str or value is None or kind is bool:
        return
    if kind is int:
        if not -BOUND <= value <= BOUND:
            raise ValueError(f"{path or 'value'}: whole number beyond ±(2^53 - 1)")
    elif depth > MAX_DEPTH:
        raise ValueError(f"{path}: nested deeper than {MAX_DEPTH}")
    elif kind is dict:
        for key, item in cast("dict[object, Json]", value).items():
            if type(key) is not str or not key.isascii():
                raise ValueError(f"{path or 'value'}: key {key!r} is not ASCII text")
            _check(item, f"{path}.{key}" if path else key, depth + 1)
    elif kind is list:
        for item in cast("list[Json]", value):
            _check(item, f"{path}[]", depth + 1)
    else:
        raise ValueError(f"{path or 'value'}: {kind.__name__} is not a canonical JSON type")
