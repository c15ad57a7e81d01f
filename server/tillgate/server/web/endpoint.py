"""`/mcp`: reads a body once, screens it, and serves it in the era of the protocol that it names.

Plain calls are answered here, as JSON. Whatever else the protocol knows the SDK's own transport answers; there, older
clients have a session and a stream, so that the server can ask them something while a call waits.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import orjson
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import INVALID_REQUEST, PARSE_ERROR
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import Message, Receive, Scope, Send

from tillgate.guards.model import Json, inside
from tillgate.server.door import Door
from tillgate.server.mcp_server import build_server
from tillgate.server.refused import CALL, write_down
from tillgate.server.screen import MOST_BYTES, Fault, fault_of, screened
from tillgate.server.web.identity import Identity
from tillgate.server.web.limits import BODY_SECONDS, Places
from tillgate.server.web.plain import PlainCalls, plain_call
from tillgate.server.web.sessions import Opening, Sessions
from tillgate.server.web.statuses import ANSWERED, OK, Statuses
from tillgate.server.web.wire import (
    HEAD,
    IDENTITY,
    SESSION,
    Gone,
    Head,
    Header,
    TooLarge,
    again,
    body_of,
    error,
    send_json,
)

TOO_MANY = 429
"""A code of ours, outside those of the protocol."""
RETRY_SOON: Header = (b"retry-after", b"1")
REFUSED = 400
_READS = frozenset({"application/json", "application/*", "*/*"})
_UTF_8 = frozenset({"", "charset=utf-8", 'charset="utf-8"'})
CLOSE: Header = (b"connection", b"close")


class Endpoint:
    """The ASGI application at `/mcp`. Who asks, and from where, is settled before."""

    def __init__(self, door: Door, statuses: Statuses, places: Places, sessions: Sessions) -> None:
        server = build_server(door)
        self._door = door
        self._statuses = statuses
        self._places = places
        self._sessions = sessions
        self._plain = PlainCalls(door, server.server_info_stamp)
        self._modern = StreamableHTTPSessionManager(server, json_response=True)
        self._older = StreamableHTTPSessionManager(server)

    @asynccontextmanager
    async def run(self) -> AsyncGenerator[None]:
        """From the first request to the last."""
        async with self._modern.run(), self._older.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head: Head = scope[HEAD]
        if scope["method"] != "POST":
            await self._by_sdk(scope, receive, send)
            return
        if unlike := _unlike_json(head):
            await send_json(send, *unlike)
            return
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await body_of(head, receive, MOST_BYTES)
            message = screened(body)
        except TimeoutError:
            await send_json(send, 408, error(INVALID_REQUEST, "The body did not come"), [CLOSE])
        except TooLarge:
            await send_json(send, 413, error(INVALID_REQUEST, f"The body is larger than {MOST_BYTES // 1024} KiB"))
        except Gone:
            return
        except Fault as fault:
            await send_json(send, 400, error(PARSE_ERROR, str(fault)))
        else:
            with self._places.place(self._door.principal(scope)) as free:
                if free:
                    await self._answer(message, body, scope, receive, send)
                else:
                    await send_json(send, 429, _crowded(message), [RETRY_SOON])

    async def _answer(self, message: Json, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        if (call := plain_call(message, scope[HEAD])) is not None:
            text = await self._plain.answer(call, scope)
            status, headers = self._statuses.of(scope)
            await send_json(send, status, text, headers)
        else:
            if call := _call(message):
                send = self._recording(call, scope, send)
                if type(call.get("id")) not in (str, int):  # nobody would be told what came of it
                    await send_json(send, 400, error(INVALID_REQUEST, "A call needs an id: text or a whole number"))
                    return
            await self._by_sdk(scope, again(_text(body, message), receive), send)

    async def _by_sdk(self, scope: Scope, receive: Receive, send: Send) -> None:
        identity: Identity | None = scope.get(IDENTITY)
        if identity is not None:  # a session belongs to who opened it; the SDK sees to that
            scope["user"] = AuthenticatedUser(
                AccessToken(token="", client_id=identity.principal, scopes=[], subject=identity.principal)
            )
        if scope[HEAD].get("mcp-protocol-version") in MODERN_PROTOCOL_VERSIONS:
            await self._modern.handle_request(scope, receive, self._with_status(scope, send))
        else:
            await self._in_session(scope, receive, send)

    async def _in_session(self, scope: Scope, receive: Receive, send: Send) -> None:
        """By the SDK, for a client of the older protocol."""
        principal, session = self._door.principal(scope), scope[HEAD].get(SESSION)
        if session:
            with self._sessions.using(principal, session):
                await self._older.handle_request(scope, receive, send)
            if scope["method"] == "DELETE":
                self._sessions.ended(principal, session)
            return
        with self._sessions.opening(principal) as opening:
            if opening is None:
                await send_json(send, 429, error(TOO_MANY, "Too many of your sessions are in use"), [RETRY_SOON])
                return
            for name in opening.ending:
                await self._end_session(scope, name)
            await self._older.handle_request(scope, receive, self._with_opened(principal, opening, send))

    async def _end_session(self, scope: Scope, name: str) -> None:
        """As if its client had ended it."""

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def unheard(_message: Message) -> None:
            """Nobody has asked."""

        head = [(SESSION.encode(), name.encode()), (b"accept", b"application/json, text/event-stream")]
        await self._older.handle_request({**scope, "method": "DELETE", "headers": head}, nothing, unheard)

    def _with_opened(self, principal: str, opening: Opening, send: Send) -> Send:
        """Takes note of the session that an answer opens."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == OK:
                for name, value in message["headers"]:
                    if name == SESSION.encode():
                        self._sessions.opened(principal, opening, value.decode())
            await send(message)

        return sending

    def _recording(self, call: Mapping[str, Json], scope: Scope, send: Send) -> Send:
        """What the SDK refuses of a call is on record before it is answered."""
        held: list[Message] = []

        async def sending(told: Message) -> None:
            if told["type"] == "http.response.start" and told["status"] >= REFUSED and ANSWERED not in scope:
                held.append(told)
                return
            if held:
                await write_down(self._door, inside(call, "params"), scope, _error_in(told.get("body", b"")))
                await send(held.pop())
            await send(told)

        return sending

    def _with_status(self, scope: Scope, send: Send) -> Send:
        """The same status for a call, whoever answers it."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == OK:
                status, headers = self._statuses.of(scope)
                message = {**message, "status": status, "headers": [*message["headers"], *headers]}
            await send(message)

        return sending


def _unlike_json(head: Head) -> tuple[int, Json] | None:
    kind, *more = (part.strip() for part in head.get("content-type").lower().split(";"))
    if kind != "application/json" or not _UTF_8.issuperset(more):
        return 415, error(INVALID_REQUEST, "Content-Type must be application/json, in UTF-8")
    if head.get("content-encoding").lower() not in ("", "identity"):
        return 415, error(INVALID_REQUEST, "The body must come as it is, without a Content-Encoding")
    if head.get("transfer-encoding").lower() not in ("", "chunked"):
        return 415, error(INVALID_REQUEST, "The body must come as it is, whole or in chunks")
    if _READS.isdisjoint(part.partition(";")[0].strip() for part in head.get("accept").lower().split(",")):
        return 406, error(INVALID_REQUEST, "Accept must have application/json")
    return None


def _crowded(message: Json) -> Json:
    """An error, not an outcome: clients show the words of one whatever its status is."""
    told = error(TOO_MANY, "Too many of your calls are under way; nothing was begun. Wait for their answers first.")
    key = inside({"message": message}, "message").get("id")
    return {**told, "id": key if type(key) in (str, int) else None}


def _call(message: Json) -> Mapping[str, Json]:
    """The message if it is to call a tool, however wrong it is; else nothing."""
    whole = inside({"message": message}, "message")
    return whole if whole.get("method") == CALL else {}


def _error_in(body: bytes) -> Mapping[str, Json]:
    try:
        return inside({"told": orjson.loads(body)}, "told").get("error") or {}
    except orjson.JSONDecodeError:
        return {}


def _text(body: bytes, message: Json) -> bytes:
    return json.dumps(message).encode() if fault_of(message) else body
