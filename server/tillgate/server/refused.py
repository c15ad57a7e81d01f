"""A call that the protocol refuses before it comes to the gate: written down like any other that is refused.

Whoever sent it is told so in the protocol's words. The record has our own: what was sent may hold anything.
"""

from collections.abc import Mapping
from typing import Any

from mcp import types as t
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError
from starlette.types import Scope

from tillgate.guards.model import Json, inside
from tillgate.server.door import Door, Sent
from tillgate.server.driving import nobody_to_ask
from tillgate.server.eliciting import Context, scope_of
from tillgate.server.screen import FAULT

CALL = "tools/call"
_STATE = "What was carried from a question to its answer is not valid, or not for this call"
_PARAMS = "Its parameters are not what the protocol asks for"
_WHY: Mapping[int, str] = {
    t.INVALID_PARAMS: _PARAMS,
    t.HEADER_MISMATCH: "Its headers say something else than its body",
    t.UNSUPPORTED_PROTOCOL_VERSION: "It is of a version of the protocol that there is not",
}
_OTHERWISE = "The protocol does not allow it"


async def write_down(door: Door, params: Mapping[str, Json], scope: Scope | None, error: Mapping[str, Json]) -> None:
    """A record that such a call came, from whom, and why it was refused; `error` is what was answered."""
    stateful = inside(error, "data").get("reason") == "invalid_request_state"
    why = _STATE if stateful else _WHY.get(error.get("code", 0), _OTHERWISE)
    name = params.get("name")
    sent = Sent(name if isinstance(name, str) else "", {}, {**inside(params, "_meta"), FAULT: why}, scope)
    await door.call(sent, nobody_to_ask)


class Noticed:
    """Middleware before all others: writes down what they, or the protocol's own checks, refuse of a call."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """What comes next. What is raised on the way was raised before the gate, but for a fault in our own answer."""
        try:
            return await call_next(ctx)
        except (MCPError, ValidationError) as error:
            told = _as_json(error)
            if ctx.method == CALL and told["code"] != t.INTERNAL_ERROR:
                await write_down(self._door, ctx.params or {}, scope_of(ctx), told)
            raise


def _as_json(error: MCPError | ValidationError) -> dict[str, Any]:
    if isinstance(error, ValidationError):
        return {"code": t.INVALID_PARAMS}
    return {"code": error.error.code, "data": error.error.data}
