"""Raw messages are screened before any parser makes them look harmless.

Two keys of the same name, numbers that are not numbers, lone surrogates, endless nesting and oversize bodies would be
silently mended or dropped further in. A tool call that carries one is passed on without its arguments and with the
fault named, so that it is refused, answered and audited like any other call.
"""

import json
import math
import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson

from tillgate.guards.model import Json, inside

MOST_BYTES = 64 * 1024
MOST_DEPTH = 16
FAULT = f"tillgate/fault-{secrets.token_hex(8)}"
"""Where the fault travels in `_meta`: a name no client can know."""

_TOO_LARGE = f"The message is larger than {MOST_BYTES // 1024} KiB"
_ID_AT_END = re.compile(r'"id"\s*:\s*(-?[0-9]{1,18}|"[^"\\]{1,128}")\s*(?:,\s*"jsonrpc"\s*:\s*"2.0"\s*)?\}\s*$')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s{}\[\],":]+|:', re.DOTALL)


class Fault(ValueError):
    """What is wrong with a raw message, in a sentence."""


def screened(body: bytes) -> Json:
    """The message, or the same call without its arguments and with its fault.

    Raises Fault for a message that has one and is no call.
    """
    try:
        message = _strict(body)
    except Fault as fault:
        if (call := _faulted(body.decode("utf-8", "replace"), str(fault))) is None:
            raise
        return call
    shape = _misshapen(message)
    return _call(message.get("id"), message["params"], shape) if shape else message


def screen(line: bytes) -> str:
    """The text of the same. A message with a fault that is no call goes on as it came, for the protocol to refuse."""
    try:
        message = screened(line)
    except Fault:
        return line.decode("utf-8", "replace")
    return json.dumps(message) if fault_of(message) else line.decode()


def fault_of(message: Json) -> str | None:
    """The fault that a screened call carries."""
    params = inside(inside({"message": message}, "message"), "params")
    return inside(params, "_meta").get(FAULT)


def screen_oversize(head: bytes, tail: bytes) -> str:
    """The same for a message of which only the two ends were kept. Some clients write the id last."""
    text = head.decode("utf-8", "replace")
    end = _ID_AT_END.search(tail.decode("utf-8", "replace"))
    method_first = _members(text).get("method")
    if method_first is None and end is None:
        return text
    call = _faulted(text, _TOO_LARGE, last_id=end[1] if end else None)
    return text if call is None else json.dumps(call)


def _misshapen(message: Any) -> str | None:
    """What keeps a tool call from being one; the protocol's own answer would say nothing a model could mend."""
    if not isinstance(message, dict) or inside({"m": message}, "m").get("method") != "tools/call":
        return None
    params = inside({"m": message}, "m").get("params")
    if not isinstance(params, dict):
        return None
    if "result" in message or "error" in message:
        return "It is a call and an answer at once"
    call = inside({"p": params}, "p")
    if not isinstance(call.get("arguments", {}), dict):
        return "arguments: They must be an object"
    if not isinstance(call.get("name", ""), str):
        return "name: It must be text"
    return None


def _strict(line: bytes) -> Any:
    if len(line) > MOST_BYTES:
        raise Fault(_TOO_LARGE)
    if line.count(b"[") + line.count(b"{") > MOST_DEPTH and _depth(line) > MOST_DEPTH:
        raise Fault(f"The message is nested deeper than {MOST_DEPTH} levels")
    try:
        message = _DECODER.decode(line.decode())
        orjson.dumps(message)
    except Fault:
        raise
    except UnicodeDecodeError as error:
        raise Fault("The message is not UTF-8 text") from error
    except orjson.JSONEncodeError as error:
        raise Fault("There is a character or a number in the message that no text or record can hold") from error
    except (ValueError, RecursionError) as error:
        raise Fault("The message is not valid JSON") from error
    return message


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


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise Fault("There is a number in the message that is too large to be one")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)


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


def _faulted(text: str, fault: str, last_id: str | None = None) -> dict[str, Json] | None:
    """A tools/call with its id, name and meta, and without its arguments; None for anything else."""
    outer = _members(text)
    if _read(outer.get("method")) != "tools/call":
        return None
    inner = _members(outer.get("params", "{}"))
    params = {"name": _read(inner.get("name")), "_meta": _read(inner.get("_meta"))}
    return _call(_read(outer.get("id", last_id)), params, fault)


def _call(id_: Json, params: Mapping[str, Json], fault: str) -> dict[str, Json]:
    name = params.get("name")
    return {
        "jsonrpc": "2.0",
        "id": id_,
        "method": "tools/call",
        "params": {
            "name": name if isinstance(name, str) else "",
            "arguments": {},
            "_meta": {**inside(params, "_meta"), FAULT: fault},
        },
    }


def _members(text: str) -> Mapping[str, str]:
    """The raw text of each member of an object, by a scan that no nesting can stop; of two of a name the last one."""
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
            return found
    if key is not None:
        found[key] = text[start:].strip()  # the message was cut inside this member
    return found


def _read(text: str | None) -> Any:
    try:
        value = json.loads(text) if text is not None else None
        orjson.dumps(value)
    except (ValueError, RecursionError, TypeError):
        return None
    return value
