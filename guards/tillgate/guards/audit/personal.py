"""Personal values stay beside the log and commitments in it, so that erasing a person keeps it verifiable.

A commitment is `hex(HMAC-SHA-256(salt, path ‖ NUL ‖ canonical(value)))` under its own random salt. With the
salt it proves the value; without it, it tells nothing, not even that two records hold the same value.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias, cast

from tillgate.guards.audit.canonical import canonical, written
from tillgate.guards.model import Json

SALT_BYTES = 16
"""One fixed length: HMAC pads shorter keys with zeros, so two lengths could open the same commitment."""

Personal: TypeAlias = dict[str, dict[str, Json]]
"""Dotted path to `{"salt": hex, "value": value}`."""


def commitment(path: str, salt: bytes, raw: bytes) -> str:
    """The hex commitment to the canonical bytes of a value at a path. A salt of another length is a ValueError."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt is {SALT_BYTES} random bytes, not {len(salt)}")
    return hmac.digest(salt, path.encode("ascii") + b"\0" + raw, "sha256").hex()


def withhold(vetted: dict[str, Json], paths: Iterable[str], salt: Callable[[], bytes]) -> Personal:
    """Put a commitment in place of the value at each dotted path; gives those values with their salts.

    A missing path is skipped; of two nested paths the outer one counts. What stands inside the body is copied before
    it is changed. `salt` gives `SALT_BYTES` fresh random bytes a call.
    """
    personal: Personal = {}
    for path in _outermost(tuple(paths)):
        if (place := _place(vetted, path)) is None:
            continue
        node, key = place
        value, secret = node[key], salt()
        node[key] = {"commitment": commitment(path, secret, written(value))}
        personal[path] = {"salt": secret.hex(), "value": value}
    return personal


def restore(body: Mapping[str, Json], personal: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    """The body with its personal values back. Raises ValueError where one is not what was committed to."""
    whole: dict[str, Json] = dict(body)
    for path, entry in sorted(personal.items()):
        if (place := _place(whole, path)) is None:
            raise ValueError(f"personal value for {path!r}, where the record holds nothing")
        node, key = place
        expected = {"commitment": commitment(path, bytes.fromhex(entry["salt"]), canonical(entry["value"]))}
        if node[key] != expected:
            raise ValueError(f"personal value for {path!r} is not what the record committed to")
        node[key] = entry["value"]
    return whole


@lru_cache(maxsize=1024)
def _outermost(paths: tuple[str, ...]) -> tuple[str, ...]:
    unique = sorted(set(paths))
    return tuple(path for path in unique if not any(path.startswith(outer + ".") for outer in unique))


def _place(whole: dict[str, Json], path: str) -> tuple[dict[str, Json], str] | None:
    """The object that holds what stands at a path, and its key there; the way to it is copied, so it can be written to.

    A key that itself holds dots is tried whole first.
    """
    node = whole
    while path not in node:
        head, dot, path = path.partition(".")
        inner = node.get(head)
        if not dot or not isinstance(inner, dict):
            return None
        node[head] = node = dict(cast("dict[str, Json]", inner))
    return node, path
