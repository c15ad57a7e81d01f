"""One way to write a JSON value as bytes, so that a hash of it means the value and nothing else.

The output is RFC 8785 (JSON Canonicalization Scheme) for the values let in: no floats, whole numbers every
JSON reader holds exactly, and ASCII keys, whose order is the same by byte, code point and UTF-16 unit.
"""

from gc import get_referents
from itertools import chain
from typing import cast

import orjson

from tillgate.guards.facts import BOUND
from tillgate.guards.model import Json

MAX_DEPTH = 64
"""Nesting beyond this is refused, so that every reader can follow what every writer wrote."""

_TYPES = frozenset({dict, list, str, int, bool, type(None)})
_WRITTEN = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def canonical(value: Json) -> bytes:
    """The canonical bytes of a JSON value. Raises ValueError, naming the place, for anything else."""
    vet(value)
    return written(value)


def vet(value: Json) -> None:
    """Raises ValueError, naming the place, for a value of which some part is no JSON, or nested too deep."""
    if not fits(value):
        _check(value, "", 0)


def written(value: Json) -> bytes:
    """The canonical bytes of a value that was vetted, or of a part of one. Raises ValueError as `canonical` does."""
    try:
        raw = orjson.dumps(value, option=_WRITTEN)
    except orjson.JSONEncodeError as error:
        _check(value, "", 0)
        raise ValueError(f"not a JSON value: {error}") from error
    if not raw.isascii() and not _plain_keys(value):
        _check(value, "", 0)
    return raw


def fits(value: Json) -> bool:
    """Whether there are only types that are let in, and not too deep.

    This runs over every record written: each level is told at once, and what stands in it given by the interpreter.
    Whole numbers, keys and broken text are judged by whoever writes them.
    """
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH + 2):
        if not _TYPES.issuperset(map(type, level)):
            return False
        level = get_referents(*level)
        if not level:
            return True
    return False


def _plain_keys(value: Json) -> bool:
    """Whether every key is ASCII, in a value that fits and was written: its keys are texts."""
    level: list[Json] = [value]
    while level:
        objects = [cast("dict[str, Json]", each) for each in level if type(each) is dict]
        if not "".join(chain.from_iterable(objects)).isascii():
            return False
        level = get_referents(*level)
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
