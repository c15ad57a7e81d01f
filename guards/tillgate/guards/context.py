"""What of a result may leave: only listed fields, masked, without hidden characters or card numbers.

The rule kept: a field that no view lists does not leave, whatever else is wrong; and nothing is cut without
saying so.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias, TypeGuard

import orjson

from tillgate.guards.model import Assurance, Json
from tillgate.guards.shorten import CUT, MAX_BYTES, shorten

CARD_REMOVED = "[card number removed]"
HIDDEN = "[hidden]"

_Node: TypeAlias = Mapping[str, "_Node"]
_Path: TypeAlias = tuple[str, ...]

_EVERYTHING: _Node = MappingProxyType({})
"""A listed node: its whole subtree passes."""

_Pick: TypeAlias = Callable[[Json], Json]
_ITEM = "[]"
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Mask:
    """Hides a field. `path` is matched with the end of where the field stands, or with all of it.

    Lists are looked through, so a mask holds with and without brackets; `*` stands for any one name.
    """

    path: _Path
    exact: bool
    hide: Callable[[str], str]

    def covers(self, place: _Path) -> bool:
        """Whether the field at this place (names only) is one to hide."""
        tail = place if self.exact else place[-len(self.path) :]
        return len(tail) == len(self.path) and all(
            wanted in (_ANY, name) for wanted, name in zip(self.path, tail, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Masks:
    """Masks by the name of the field they hide; `keys` are those names as a JSON writer writes them."""

    by_name: Mapping[str, tuple[Mask, ...]]
    keys: tuple[bytes, ...]


def trim(
    data: Json,
    views: Mapping[Assurance, tuple[str, ...]],
    masks: Iterable[tuple[str, str]],
    assurance: Assurance,
) -> Json:
    """The part of a result that may leave at this assurance; `{}` where no view applies.

    The view is that of the highest level, not above `assurance`, that lists its own. The input is not
    changed. Raises ValueError for a mask of an unknown kind, rather than leave a field open.
    """
    reached = [level for level in views if level <= assurance]
    if not reached:
        return {}
    picked = compile_view(views[max(reached)])(data)
    compiled = compile_masks(tuple(masks))
    return picked if _is_plain(picked, compiled) else shorten(_washed(picked, compiled, ()))


def _is_plain(picked: Json, masks: Masks) -> bool:
    """Whether there is nothing to mask, to clean or to cut. True of most answers, and told from their bytes at once."""
    try:
        raw = orjson.dumps(picked)
    except orjson.JSONEncodeError:
        return False
    if not raw.isascii() or _ESCAPE in raw or _DELETE in raw or len(raw) > MAX_BYTES or _ANY in masks.by_name:
        return False
    return raw.translate(_DIGITS, _SEPARATORS).find(_RUN) < 0 and max(map(raw.find, masks.keys), default=-1) < 0


@lru_cache(maxsize=1024)
def compile_view(paths: tuple[str, ...]) -> _Pick:
    """The listed part of a result, as a function: `a`, `a.b`, `a[].b`; a listed inner node passes its whole subtree."""
    tree: dict[str, Any] = {}
    for path in sorted(_tokens(path) for path in paths):
        node = tree
        for token in path[:-1]:
            if (node := node.setdefault(token, {})) is _EVERYTHING:
                break
        else:
            node[path[-1]] = _EVERYTHING
    return _picker(tree)


def _picker(tree: _Node) -> _Pick:
    """The part of a value that a node lists; what is not of the listed shape is nothing: `{}`, or left out inside."""
    fields = tuple([(name, None if inner is _EVERYTHING else _picker(inner)) for name, inner in tree.items()])
    whole, pick_item = tree.get(_ITEM) is _EVERYTHING, dict(fields).get(_ITEM)

    def pick(value: Json) -> Json:
        kind = value.__class__
        if kind is dict or (kind is not list and _is_object(value)):
            picked: dict[str, Json] = {}
            for name, part in fields:
                if name in value:
                    inner = value[name] if part is None else part(value[name])
                    if part is None or inner or inner != {}:
                        picked[name] = inner
            return picked
        if not _is_list(value):
            return {}
        if pick_item is None:
            return value if whole else {}
        return [pick_item(each) for each in value if each.__class__ is dict or _is_object(each) or _is_list(each)]

    return pick


@lru_cache(maxsize=64)
def compile_masks(masks: tuple[tuple[str, str], ...]) -> Masks:
    """Masks by the name of the field they hide. Raises ValueError for an unknown kind."""
    by_name: dict[str, tuple[Mask, ...]] = {}
    for pattern, kind in masks:
        if kind not in _HIDE:
            raise ValueError(f"{kind!r} is not a kind of mask; known are {', '.join(sorted(_HIDE))}")
        path = _tokens(pattern.removeprefix("*.").replace(_ITEM, ""))
        mask = Mask(path, not pattern.startswith(_ANY), _HIDE[kind])
        by_name[path[-1]] = (*by_name.get(path[-1], ()), mask)
    return Masks(by_name, tuple(orjson.dumps(name) for name in by_name))


def _tokens(path: str) -> _Path:
    """`lines[].title` is lines, [], title."""
    return tuple(path.replace(_ITEM, "." + _ITEM).removeprefix(".").split("."))


def _is_object(value: Json) -> TypeGuard[Mapping[str, Json]]:
    return value.__class__ is dict or isinstance(value, Mapping)


def _is_list(value: Json) -> TypeGuard[Sequence[Json]]:
    return value.__class__ is list or isinstance(value, tuple | list)


def _washed(value: Json, masks: Masks, place: _Path) -> Json:
    """A fresh copy, masked and cleaned."""
    if value.__class__ is str:
        return clean(value)
    if _is_object(value):
        return _washed_fields(value, masks, place)
    if _is_list(value):
        return [_washed(item, masks, place) for item in value]
    return clean(value) if isinstance(value, str) else value


def _washed_fields(fields: Mapping[str, Json], masks: Masks, place: _Path) -> dict[str, Json]:
    washed: dict[str, Json] = {}
    for key, value in fields.items():
        name = key if len(key) < _FEWEST and key.isascii() and key.isprintable() else clean(key)
        if (name in masks.by_name or _ANY in masks.by_name) and (mask := _covering(masks, (*place, name))) is not None:
            washed[name] = _masked(value, mask)
        elif value.__class__ is str:
            plain = len(value) < _FEWEST and value.isascii() and value.isprintable()
            washed[name] = value if plain else clean(value)
        elif value is None or value.__class__ is int or value.__class__ is bool:
            washed[name] = value
        else:
            washed[name] = _washed(value, masks, (*place, name))
    return washed


def _covering(masks: Masks, place: _Path) -> Mask | None:
    """The first mask for a field; those written with its name before those written with `*`."""
    candidates = (*masks.by_name.get(place[-1], ()), *masks.by_name.get(_ANY, ()))
    return next((mask for mask in candidates if mask.covers(place)), None)


def _masked(value: Json, mask: Mask) -> Json:
    """Hide every scalar at and below the masked field; null says nothing and stays."""
    if _is_object(value):
        return {clean(key): _masked(item, mask) for key, item in value.items()}
    if _is_list(value):
        return [_masked(item, mask) for item in value]
    return None if value is None else clean(mask.hide(clean(str(value))))


def _email(text: str) -> str:
    name, at, domain = text.strip().rpartition("@")
    return f"{name[0]}***@{domain}" if name and at and domain else HIDDEN


def _phone(text: str) -> str:
    digits = [char for char in text if char.isdecimal()]
    return "•••• " + "".join(digits[-4:]) if len(digits) > 6 else HIDDEN


def _last4(text: str) -> str:
    return text[-4:] if len(text) >= 4 else HIDDEN


def _initial(text: str) -> str:
    text = text.strip()
    return f"{text[0]}." if text else ""


def _hidden(text: str) -> str:
    return HIDDEN


_HIDE: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"email": _email, "phone": _phone, "last4": _last4, "initial": _initial, "hidden": _hidden}
)

_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Controls, bidirectional marks, invisible characters, variation selectors, tags and lone surrogates."""

_FEWEST, _MOST = 13, 19
"""How many digits a card number has."""

_SEPARATOR = r"[\s\-‐-―−_.·]{0,3}"
_DIGIT_RUN = re.compile(rf"(?<![A-Za-z0-9_])\d(?:{_SEPARATOR}\d){{12,}}(?![A-Za-z0-9_])")
"""Digits that stand by themselves: the inside of an id such as `esc_01a2…` is no card number."""
_GROUP = re.compile(r"\d+")
_SEPARATORS = b" -_."
_DIGITS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else 0 for byte in range(256))
_ESCAPE, _DELETE = ord("\\"), 0x7F
_RUN = b"0" * _FEWEST
"""In ASCII: what is left, once separators are gone, of whatever could hold a card number, and of much that does not."""


def clean(text: str) -> str:
    """A string without unseen characters and card numbers; line breaks and tabs become one space.

    What is longer than a whole answer may be is cut first, so that no text takes long to clean.
    """
    if len(text) > MAX_BYTES:
        text = text[:MAX_BYTES] + CUT
    if not (text.isascii() and text.isprintable()):
        text = _UNSEEN.sub("", _BREAKS.sub(" ", text))
    return text if len(text) < _FEWEST else _DIGIT_RUN.sub(_without_cards, text)


def _without_cards(run: re.Match[str]) -> str:
    """A run of digit groups without the card numbers in it; one starts and ends where a group does."""
    text = run.group()
    groups = list(_GROUP.finditer(text))
    kept, position, first = "", 0, 0
    while first < len(groups):
        last = _card_end(groups, first)
        if last is None:
            first += 1
            continue
        kept += text[position : groups[first].start()] + CARD_REMOVED
        position, first = groups[last].end(), last + 1
    return kept + text[position:]


def _card_end(groups: list[re.Match[str]], first: int) -> int | None:
    """The last group of the longest card number that starts at this group: 13 to 19 digits, Luhn's sum a ten."""
    end, count, once, twice = None, 0, 0, 0
    for last in range(first, len(groups)):
        digits = groups[last].group()
        count += len(digits)
        if count > _MOST:
            break
        for digit in map(int, digits):  # the sums if this digit is the last, and if it is the last but one
            once, twice = twice + digit, once + _DOUBLED[digit]
        if count >= _FEWEST and once % 10 == 0:
            end = last
    return end


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""The digit sum of twice a digit."""
