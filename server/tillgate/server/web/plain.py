"""Calls of the 2026-07-28 protocol by clients that can do nothing but call: answered without the SDK's machinery.

Such a call is whole in itself and nobody can be asked anything while it waits, so all there is to do is to answer it.
It is taken only when nothing about it is unusual. Whatever else comes, and everything that is wrong, is left to the
SDK, whose answers these are to the letter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from mcp.shared.inbound import InboundModernRoute, classify_inbound_request
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    PROTOCOL_VERSION_META_KEY,
    SERVER_INFO_META_KEY,
)
from starlette.types import Scope

from tillgate.guards.model import Json, inside
from tillgate.server.door import CONVERSATION, Door, Sent
from tillgate.server.driving import nobody_to_ask
from tillgate.server.mcp_server import result
from tillgate.server.screen import FAULT
from tillgate.server.web.wire import Head

_ROUTING = frozenset({"mcp-protocol-version", "mcp-method", "mcp-name"})
_ENVELOPE = frozenset({"jsonrpc", "id", "method", "params"})
_PARAMS = frozenset({"name", "arguments", "_meta"})
_META = frozenset({PROTOCOL_VERSION_META_KEY, CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, CONVERSATION, FAULT})
_NAMED = frozenset({"name", "version"})


@dataclass(frozen=True, slots=True)
class PlainCalls:
    """Answers plain calls. `server` is how the server names itself in each answer."""

    door: Door
    server: Mapping[str, Json]

    async def answer(self, message: Mapping[str, Json], scope: Scope) -> bytes:
        """The text of the answer."""
        params = message["params"]
        sent = Sent(params["name"], params.get("arguments", {}), params["_meta"], scope)
        told = result(await self.door.call(sent, nobody_to_ask))
        told["_meta"] = {SERVER_INFO_META_KEY: self.server}
        return orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": told})


def plain_call(message: Json, head: Head) -> Mapping[str, Json] | None:
    """The message, if it is a plain call and its headers say the same."""
    whole = inside({"message": message}, "message")
    if not _is_call(whole) or _ROUTING & head.twice:
        return None
    route = classify_inbound_request(whole, headers=head.fields)
    return whole if isinstance(route, InboundModernRoute) else None


def _is_call(message: Mapping[str, Json]) -> bool:
    params = inside(message, "params")
    meta = inside(params, "_meta")
    return (
        not message.keys() ^ _ENVELOPE
        and message["jsonrpc"] == "2.0"
        and message["method"] == "tools/call"
        and type(message["id"]) in (str, int)
        and params.keys() <= _PARAMS
        and isinstance(params.get("name"), str)
        and isinstance(params.get("arguments", {}), dict)
        and meta.keys() <= _META
        and meta.get(CLIENT_CAPABILITIES_META_KEY) == {}
        and (CLIENT_INFO_META_KEY not in meta or _is_named(inside(meta, CLIENT_INFO_META_KEY)))
    )


def _is_named(client: Mapping[str, Json]) -> bool:
    """As clients name themselves: by a name and a version, and no more."""
    return not client.keys() ^ _NAMED and all(isinstance(value, str) for value in client.values())
