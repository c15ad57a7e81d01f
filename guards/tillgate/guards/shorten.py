"""Keeps an answer within a size a client and a model can take, and says beside every cut what is missing.

The rule kept: nothing is cut silently. Beside a cut list stand `truncated: true` and a note with the counts.
"""

import json
from collections.abc import Iterator
from typing import TypeAlias, TypeGuard

import orjson

from tillgate.guards.model import Json

MAX_BYTES = 64 * 1024
"""The most a result may weigh, as compact JSON in UTF-8."""

CUT = "… [cut]"
"""Stands where a text was cut."""

_LONGEST_TEXT = 1000
_Object: TypeAlias = dict[str, Json]
_Cut: TypeAlias = tuple[_Object, str, list[Json]]
_NO_LIST: _Cut = ({}, "", [])


def shorten(result: Json) -> Json:
    """The result, cut in place to `MAX_BYTES`: the longest lists are halved first, then long texts cut."""
    if _weight(result) <= MAX_BYTES:
        return result
    whole: _Object = result if _is_object(result) else {"items": result}
    _halve_lists(whole)
    if _weight(whole) > MAX_BYTES:
        whole = {**_with_short_texts(whole), "truncated": True, "truncated_note": "long texts are cut"}
    if _weight(whole) > MAX_BYTES:
        return {"truncated": True, "truncated_note": "the result is too large to show; ask for a part of it"}
    return whole


def _is_object(value: Json) -> TypeGuard[_Object]:
    return isinstance(value, dict)


def _is_list(value: Json) -> TypeGuard[list[Json]]:
    return isinstance(value, list)


def _weight(value: Json) -> int:
    try:
        return len(orjson.dumps(value))
    except orjson.JSONEncodeError:  # whole numbers beyond 64 bits
        return len(json.dumps(value, ensure_ascii=False).encode())


def _halve_lists(whole: _Object) -> None:
    counts: dict[int, int] = {}
    while _weight(whole) > MAX_BYTES:
        holder, name, items = max(_lists(whole), key=lambda cut: len(cut[2]), default=_NO_LIST)
        if len(items) < 2:
            return
        total = counts.setdefault(id(items), len(items))
        del items[len(items) // 2 :]
        holder["truncated"] = True
        holder["truncated_note"] = f"{name}: the first {len(items)} of {total}"


def _lists(value: Json, holder: _Object | None = None, name: str = "items") -> Iterator[_Cut]:
    """Every list, with the nearest object around it and its name there."""
    if _is_object(value):
        for key in list(value):
            yield from _lists(value[key], value, key)
    elif _is_list(value):
        if holder is not None:
            yield holder, name, value
        for item in value:
            yield from _lists(item, holder, name)


def _with_short_texts(whole: _Object) -> _Object:
    return {key: _short(value) for key, value in whole.items()}


def _short(value: Json) -> Json:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else value[:_LONGEST_TEXT] + CUT
    if _is_object(value):
        return _with_short_texts(value)
    if _is_list(value):
        return [_short(item) for item in value]
    return value
