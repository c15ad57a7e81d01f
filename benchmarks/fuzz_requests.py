"""Sends damaged requests through the screen for some minutes. `python benchmarks/fuzz_requests.py --minutes 10`

It needs `pip install atheris` (Linux and macOS), which looks for inputs that take new ways through the code. Each input
is the body of a request, as it would come over HTTP or as a line on stdin. Whatever it is:

- it is screened in less than a second of the processor, and nothing is raised but a `Fault`;
- a call that the screen lets through, the SDK's own parsers read as a call of the same tool with the same arguments;
- a call that is answered the short way over HTTP, the SDK would have let through as well;
- a call with a fault reaches the SDK without arguments, and with its fault.
"""

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcp.shared.inbound import InboundModernRoute, classify_inbound_request
from mcp_types import CallToolRequestParams, JSONRPCRequest
from mcp_types.jsonrpc import jsonrpc_message_adapter
from mcp_types.methods import validate_client_request
from pydantic import ValidationError

from tillgate.server.screen import FAULT, MOST_BYTES, Fault, fault_of, screen, screen_oversize, screened
from tillgate.server.web.plain import plain_call
from tillgate.server.web.wire import Head

LONGEST_SECONDS, LONGEST_BYTES = 1.0, 4096
VERSION = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
CALL: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "issue_refund", "arguments": {"order_id": "ord_1", "amount": "5.00", "lines": [{"q": 1}]}},
}
SEEDS = [
    json.dumps(CALL).encode(),
    json.dumps({**CALL, "params": {**CALL["params"], "_meta": META}}).encode(),
    json.dumps({**CALL, "id": "\U0001f600", "params": {"name": "get_cart", "_meta": {**META, "a": [None]}}}).encode(),
    b'{"jsonrpc":"2.0","id":2,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
    b'{"params":{"arguments":{"a":1,"a":2},"name":"x"},"method":"tools/call","id":"\\u0041"}',
    b'[{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"x","arguments":{}}}]',
    b'{"jsonrpc":"2.0","id":4,"result":{}}',
]
SPICE: list[bytes] = [
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\\",
        b"\\u0000",
        b"\\ud800",
        b"\\ud83d\\ude00",
        b"\xff",
        b"\xef\xbb\xbf",
    ),
    *(
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"-0",
        b"1E0",
        b"0" * 40,
        b"9" * 5000,
        b"true",
        b"null",
        b"1.0",
        b"\x00",
        b"\n",
        b" ",
    ),
    *(
        b'"id":',
        b'"id":null,',
        b'"method":"tools/call",',
        b'"name":"cancel_order",',
        b'"arguments":',
        b'"params":{',
        b'"_meta":',
    ),
    *(
        b'"jsonrpc":"2.0"',
        b'"__proto__":{}',
        b'"result":{}',
        b'"a":1,"a":2',
        b"{" * 40,
        b"[" * 200,
        b'{"a":' * 30,
        b'"\\u0061":1',
    ),
]
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|\w+|\s+|.', re.DOTALL)


class Broken(AssertionError):
    """Something that must hold of every input does not of this one."""


def holds(body: bytes) -> str:
    """How the screen ends an input. Raises Broken where something does not hold."""
    began = time.process_time()
    ended = _over_http(body)
    _on_stdin(body)
    if (took := time.process_time() - began) > LONGEST_SECONDS:
        raise Broken(f"it took {took:.1f} s")
    return ended


def _over_http(body: bytes) -> str:
    try:
        message = screened(body)
    except Fault as error:
        if not str(error).isprintable():
            raise Broken("a fault that cannot be shown") from error
        return "refused"
    fault = fault_of(message)
    if fault is not None:
        _is_faulted(json.loads(json.dumps(message)), fault)
        return "refused as a call"
    if json.loads(body) != message:
        raise Broken("the SDK would read another message than was screened")
    if not isinstance(message, dict) or message.get("method") != "tools/call":
        return "let through"
    return _let_through(message)


def _let_through(message: Mapping[str, Any]) -> str:
    """A call without a fault: the short way takes no more than the SDK, and both see the same."""
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    head = Head({"mcp-protocol-version": VERSION, "mcp-method": "tools/call", "mcp-name": str(name)}, frozenset())
    short = plain_call(message, head)
    try:
        read = JSONRPCRequest.model_validate(message)
        if short is not None:
            if not isinstance(classify_inbound_request(message, headers=head.fields), InboundModernRoute):
                raise Broken("the short way took what the SDK refuses by its head")
            validate_client_request("tools/call", VERSION, read.params)
        called = CallToolRequestParams.model_validate(read.params or {}, by_name=False)
    except ValidationError as error:
        if short is not None:
            raise Broken("the short way took what the SDK refuses") from error
        return "a call, refused by the SDK"
    wanted = params or {}
    if (called.name, called.arguments) != (wanted.get("name"), wanted.get("arguments")):
        raise Broken("the SDK calls something else")
    return "a call" if short is None else "a plain call"


def _is_faulted(message: Mapping[str, Any], fault: str) -> None:
    params = message["params"]
    if params["arguments"] != {} or params["_meta"][FAULT] != fault or not isinstance(params["name"], str):
        raise Broken("a call with a fault that does not look like one")


def _on_stdin(body: bytes) -> None:
    """The same for a line; and for one of which only the ends were kept."""
    for line in body.split(b"\n"):
        text = screen(line)
        try:
            message = json.loads(text)
            jsonrpc_message_adapter.validate_python(message)
        except (ValueError, RecursionError):
            continue
        if (fault := fault_of(message)) is not None:
            _is_faulted(message, fault)
    ended = screen_oversize(body[:MOST_BYTES], body[-1024:])
    if FAULT.encode() in ended.encode("utf-8", "replace"):
        message = json.loads(ended)
        _is_faulted(message, str(fault_of(message)))


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**63,
    "",
    "x",
    "\u0000",
    "\U0001f600",
    [],
    {},
    [[]],
    {"a": 1},
    "tools/call",
    META,
]
KEYS = [
    "id",
    "method",
    "params",
    "name",
    "arguments",
    "_meta",
    "jsonrpc",
    "result",
    "requestState",
    "a",
    "",
    "\u00e9",
    *META,
]


def rebuilt(chance: random.Random) -> bytes:
    """A whole message in which a few members are others, are missing, or are more than there should be."""
    message = json.loads(chance.choice(SEEDS[:3]))
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        places = [message, *_inside(message)]
        place = chance.choice(places)
        name = chance.choice([*place, chance.choice(KEYS)])
        if chance.random() < 0.3:
            place.pop(name, None)
        else:
            place[name] = json.loads(json.dumps(chance.choice([*ODD, CALL])))
    return json.dumps(message, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1])).encode()


def _inside(value: dict[str, Any]) -> list[dict[str, Any]]:
    found = [each for each in value.values() if isinstance(each, dict)]
    return [*found, *[inner for each in found for inner in _inside(each)]]


def damaged(text: bytes, chance: random.Random) -> bytes:
    """The text after a few changes: parts of it moved, doubled or cut, and spice thrown in."""
    for _ in range(chance.randint(1, 6)):
        tokens = TOKEN.findall(text) or [b""]
        at, to = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        kind = chance.randrange(6)
        if kind == 0:
            del tokens[at : at + chance.randint(1, 6)]
        elif kind == 1:
            tokens[at], tokens[to] = tokens[to], tokens[at]
        elif kind == 2:
            tokens[to:to] = tokens[at : at + chance.randint(1, 20)] * chance.randint(1, 3)
        elif kind == 3:
            tokens[at] = chance.choice(SPICE)
        elif kind == 4:
            tokens.insert(at, chance.choice(SPICE))
        else:
            tokens[at:at] = TOKEN.findall(chance.choice(SEEDS))
        text = b"".join(tokens)
    return text


def main() -> None:
    """Fuzz for a while and print what came of it."""
    import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for module in ("tillgate.server.screen", "tillgate.server.web.plain"):
        for name, value in list(vars(sys.modules[module]).items()):
            if getattr(value, "__module__", None) == module and callable(value) and not isinstance(value, type):
                instrumented = atheris.instrument_func(value)
                setattr(sys.modules[module], name, instrumented)
                if name in globals():
                    globals()[name] = instrumented
    ends = Counter[str]()
    slowest = [0.0]
    until = time.monotonic() + options.minutes * 60

    def one(body: bytes) -> None:
        began = time.process_time()
        ends[holds(body)] += 1
        slowest[0] = max(slowest[0], time.process_time() - began)
        if time.monotonic() > until:
            print(
                f"{ends.total()} requests: {dict(ends)}; the slowest took {slowest[0]:.3f} s; nothing broke", flush=True
            )
            os._exit(0)  # as the fuzzer itself ends

    def mutate(text: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        kind = chance.random()
        if kind < 0.5:
            made = rebuilt(chance) if kind < 0.35 else damaged(rebuilt(chance), chance)
        else:
            made = damaged(text, chance) if kind < 0.8 else atheris.Mutate(text, most)
        return bytes(made[:most])

    corpus = Path(tempfile.mkdtemp(prefix="fuzz-requests-"))
    for number, text in enumerate(SEEDS):
        (corpus / f"seed-{number}").write_bytes(text)
    limits = [f"-max_len={LONGEST_BYTES}", f"-seed={options.seed}", "-timeout=300", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={corpus}/", str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
