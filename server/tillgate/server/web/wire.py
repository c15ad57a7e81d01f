"""What every door of the site reads and writes: the head of a request, its body, and an answer in JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson
from starlette.types import Message, Receive, Scope, Send

from tillgate.guards.model import Json

IDENTITY = "tillgate.identity"
"""Where the identity of the caller stands there, when tokens are asked for."""
SESSION = "mcp-session-id"
HEAD = "tillgate.head"
"""Where the head stands in the scope of a request."""
JSON = (b"content-type", b"application/json")
Header = tuple[bytes, bytes]


class TooLarge(Exception):
    """A body of more bytes than are read."""


class Gone(Exception):
    """Who sent the request has left before it was whole; there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Head:
    """The header fields by lower-case name, without blanks around a value; `twice` are the names that came again."""

    fields: Mapping[str, str]
    twice: frozenset[str]

    def get(self, name: str) -> str:
        """The value of a field, empty where there is none."""
        return self.fields.get(name, "")


NOTHING = Head({}, frozenset())


def head_of(scope: Scope) -> Head:
    """Read the head once. Not every parser takes the blanks off a value: they are taken off here, in the scope too."""
    fields: dict[str, str] = {}
    twice: set[str] = set()
    raw: list[Header] = scope["headers"]
    for at, (name, value) in enumerate(raw):
        key, bare = name.decode("latin-1"), value.strip(b" \t")
        if key in fields:
            twice.add(key)
        fields[key] = bare.decode("latin-1")
        if len(bare) != len(value):
            raw[at] = (name, bare)
    head = scope[HEAD] = Head(fields, frozenset(twice))
    return head


async def body_of(head: Head, receive: Receive, most: int) -> bytes:
    """The whole body. Raises Gone, and TooLarge once the rest was thrown away, so that the answer can be read."""
    declared = head.get("content-length")
    if declared.isdecimal() and int(declared) > most and "expect" in head.fields:
        raise TooLarge
    body, too_large, more = bytearray(), False, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            too_large = True
            body.clear()
    if too_large:
        raise TooLarge
    return bytes(body)


def again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more by whoever is next."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again


def error(code: int, message: str) -> Json:
    """A JSON-RPC error that belongs to no request that could be read."""
    return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}


async def send_json(send: Send, status: int, content: Json, headers: Iterable[Header] = ()) -> None:
    """A whole answer; `content` that is bytes is JSON already."""
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [JSON, length, *headers]})
    await send({"type": "http.response.body", "body": body})
