"""Raw messages are screened before any parser makes them look harmless.

Two keys of the same name, numbers that are not numbers, lone surrogates, endless nesting and oversize bodies would be
silently mended or dropped further in. A tool call that carries one is passed on without its arguments and with the
fault named, so that it is refused, answered and audited like any other call.
"""

import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, BinaryIO

import anyio
import anyio.to_thread
import orjson

from tillgate.guards.model import inside

MOST_BYTES = 64 * 1024
MOST_DEPTH = 16
FAULT = f"tillgate/fault-{secrets.token_hex(8)}"
"""Where the fault travels in `_meta`: a name no client can know."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],":]+|:', re.DOTALL)


class Fault(ValueError):
    """What is wrong with a raw message, in a sentence."""


async def screened_lines(stream: BinaryIO) -> AsyncIterator[str]:
    """The lines of a stream, each as the protocol may see it. Ends at the end of the stream."""
    while line := await anyio.to_thread.run_sync(stream.readline, abandon_on_cancel=True):
        if line.strip():
            yield screen(line)


def screen(line: bytes) -> str:
    """The message itself, or the same call without its arguments and with its fault."""
    try:
        _strict(line)
    except Fault as fault:
        return _faulted(line.decode("utf-8", "replace"), str(fault))
    return line.decode()


def _strict(line: bytes) -> None:
    if len(line) > MOST_BYTES:
        raise Fault(f"The message is larger than {MOST_BYTES // 1024} KiB")
    if line.count(b"[") + line.count(b"{") > MOST_DEPTH and _depth(line) > MOST_DEPTH:
        raise Fault(f"The message is nested deeper than {MOST_DEPTH} levels")
    try:
        message = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
        orjson.dumps(message)
    except Fault:
        raise
    except UnicodeDecodeError as error:
        raise Fault("The message is not UTF-8 text") from error
    except orjson.JSONEncodeError as error:
        raise Fault("There is a character or a number in the message that no text or record can hold") from error
    except (ValueError, RecursionError) as error:
        raise Fault("The message is not valid JSON") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        shown = "".join(char for char in twice[:40] if char.isascii() and char.isprintable())
        raise Fault(f"The key {shown!r} is there twice")
    return found


def _no_constant(name: str) -> float:
    raise Fault(f"{name} is not a number")


def _depth(line: bytes) -> int:
    depth = most = 0
    for match in re.finditer(rb'"(?:[^"\\]|\\.)*"|[{\[]|[}\]]', line):
        token = match[0]
        depth += token in (b"{", b"[")
        depth -= token in (b"}", b"]")
        most = max(most, depth)
        if most > MOST_DEPTH:
            break
    return most


def _faulted(text: str, fault: str) -> str:
    """A tools/call keeps its id, name and meta; anything else is passed on as it came, for the protocol to refuse."""
    outer = _members(text)
    if _read(outer.get("method")) != "tools/call":
        return text
    inner = _members(outer.get("params", "{}"))
    name, meta = _read(inner.get("name")), _read(inner.get("_meta"))
    if isinstance(name, str):
        name = name.encode("utf-8", "replace").decode()
    params: dict[str, Any] = {
        "name": name if isinstance(name, str) else "",
        "arguments": {},
        "_meta": {**inside({"meta": meta}, "meta"), FAULT: fault},
    }
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": _read(outer.get("id")), "method": "tools/call", "params": params}
    return json.dumps(message)


def _members(text: str) -> Mapping[str, str]:
    """The raw text of each member of an object, by a scan that no nesting and no length can stop; the last one wins."""
    found: dict[str, str] = {}
    depth, key, start = 0, None, 0
    last = ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "}]" or (token == "," and depth == 1):
            if depth == 1 and key is not None:
                found[key] = text[start : match.start()].strip()
                key = None
            depth -= token in "}]"
        elif token in "{[":
            depth += 1
        elif token == ":" and depth == 1 and key is None:
            key, start = str(_read(last)), match.end()
        last = token
        if depth == 0 and token in "}]":
            break
    return found


def _read(text: str | None) -> Any:
    try:
        value = json.loads(text) if text is not None else None
        orjson.dumps(value)
    except (ValueError, RecursionError, TypeError):
        return None
    return value
