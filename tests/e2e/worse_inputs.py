"""More inputs that must be refused, of the same kinds, that nobody had listed: whole messages, and what is in them.

`WORSE` are calls of a cancellation that would be carried out if it were one: each is how the message is spoilt.
"""

import json
from collections.abc import Callable
from typing import Any

Spoil = Callable[[dict[str, Any]], Any]
ARGUMENTS = {"order_id": "ord_a2", "reason": "other"}


def cancel(key: Any, meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """The call before it is spoilt."""
    params = {"name": "cancel_order", "arguments": dict(ARGUMENTS), **({"_meta": meta} if meta else {})}
    return {"jsonrpc": "2.0", "id": key, "method": "tools/call", "params": params}


def _argument(**more: Any) -> Spoil:
    return lambda call: {**call, "params": {**call["params"], "arguments": {**ARGUMENTS, **more}}}


def _arguments(value: Any) -> Spoil:
    return lambda call: {**call, "params": {**call["params"], "arguments": value}}


def _text(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda call: change(json.dumps(call).encode())


def _put(old: bytes, new: bytes) -> Spoil:
    return _text(lambda text: text.replace(old, new))


def _named(name: Any) -> Spoil:
    return lambda call: {**call, "params": {**call["params"], "name": name}}


def deep(levels: int) -> Any:
    """Objects in objects."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


ANSWERED: dict[str, Spoil] = {
    "a byte order mark before it": _text(lambda text: b"\xef\xbb\xbf" + text),
    "another root after it": _text(lambda text: text + text),
    "garbage after it": _text(lambda text: text + b" x"),
    "a NUL after it": _text(lambda text: text + b"\x00"),
    "a comment after it": _text(lambda text: text + b" // fine"),
    "a comma too many": _text(lambda text: text[:-1] + b",}"),
    "a character that is not UTF-8": _put(b'"other"', b'"oth\xe9r"'),
    "an overlong slash": _put(b'"other"', b'"\xc0\xafother"'),
    "surrogates in UTF-8": _put(b'"other"', b'"\xed\xa0\xbd\xed\xb8\x80"'),
    "half a pair in a key": _put(b'"reason"', b'"reason":"other","\\ud800"'),
    "a NUL in a key": _put(b'"reason"', b'"reason":"other","reason\\u0000"'),
    "no name of a key": _argument(**{"": "x"}),
    "an emoji as a key": _argument(**{"\U0001f600": "x"}),
    "a prototype": _argument(__proto__={"is_admin": True}),
    "a constructor": _argument(constructor={"prototype": {"is_admin": True}}),
    "a method of JavaScript's": _argument(toString="x", hasOwnProperty="x"),
    "an attribute of Python's": _argument(__class__="Order", __dict__={}),
    "a token of its own making": _argument(confirmation_token="' OR 1=1 --"),
    "a token that is a list": _argument(confirmation_token=["x"]),
    "a key that is a number": _argument(idempotency_key=7),
    "minus nothing": _argument(order_id="-0"),
    "an id with a blank": _argument(order_id="ord_a2 "),
    "an id with a line": _argument(order_id="ord_a2\n"),
    "an id of another alphabet": _argument(order_id="\u043erd_a2"),
    "an id that is a path": _argument(order_id="../ord_a2"),
    "an id that is a number": _argument(order_id=2),
    "a reason there is not": _argument(reason="OTHER"),
    "a reason that is nothing": _argument(reason=None),
    "an argument nested deeply": _argument(reason=deep(20)),
    "arguments that are a list": _arguments([ARGUMENTS]),
    "arguments that are text": _arguments(json.dumps(ARGUMENTS)),
    "arguments that are a number": _arguments(0),
    "arguments that are null": _arguments(None),
    "arguments that are false": _arguments(False),
    "no arguments": _arguments({}),
    "an answer in the call": lambda call: {**call, "result": {"content": []}},
    "an error in the call": lambda call: {**call, "error": {"code": 1, "message": "x"}},
}
"""What is answered with an outcome that says what is wrong."""

NAMES = {
    "a blank after the name": _named("cancel_order "),
    "a line after the name": _named("cancel_order\n"),
    "a NUL after the name": _named("cancel_order\x00"),
    "a name in another alphabet": _named("c\u0430ncel_order"),
    "a name in wide letters": _named("\uff43\uff41\uff4e\uff43\uff45\uff4c_order"),
    "a name in capitals": _named("CANCEL_ORDER"),
    "a name with a path": _named("shop/cancel_order"),
    "no name": _named(""),
}
"""Names that are nobody's. They are never taken for the name they look like."""

PROTOCOL: dict[str, Spoil] = {
    "no name at all": lambda call: {**call, "params": {"arguments": ARGUMENTS, "_meta": call["params"].get("_meta")}},
    "a progress token that is an object": lambda call: _with_meta(call, progressToken={}),
    "a progress token that is a list": lambda call: _with_meta(call, progressToken=[1]),
    "answers that are a list": lambda call: _with(call, inputResponses=[], requestState="v1.x"),
    "an answer that is none": lambda call: _with(call, inputResponses={"answer": {"action": "maybe"}}),
    "an answer with other fields": lambda call: _with(call, inputResponses={"answer": 7}),
    "a state that is a number": lambda call: _with(call, requestState=1),
    "a state that is an object": lambda call: _with(call, requestState={"pending": "cnf_1", "secret": None}),
    "a state in the clear": lambda call: _with(call, requestState='{"pending": "cnf_1", "secret": null}'),
    "no state in it": lambda call: _with(call, requestState=""),
    "a state of nothing": lambda call: _with(call, requestState="v1." + "A" * 60),
}
"""What the protocol itself refuses, of the newest version."""


def _with(call: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**call, "params": {**call["params"], **more}}


def _with_meta(call: dict[str, Any], **more: Any) -> dict[str, Any]:
    return _with(call, _meta={**call["params"].get("_meta", {}), **more})
