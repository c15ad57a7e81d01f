"""Requests that wait, for clients that speak MCP Tasks: the handle is the task, and asking after it passes the gate.

`tasks/get` is check_request and `tasks/cancel` is withdraw_request, by the same names in the log; whether a customer
may is policy's to say. A client that has not declared the extension gets the escalated outcome, as ever.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mcp import types as t
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from pydantic import Field

from tillgate.guards.audit.record import rfc3339
from tillgate.guards.model import Json
from tillgate.guards.outcome import Outcome, ReasonGiven
from tillgate.server.eliciting import MODERN

EXTENSION = "io.modelcontextprotocol/tasks"
_OVER = {"denied": "denied", "expired": "expired", "stale": "stale"}
_WORDS: Mapping[str, str] = {
    "pending": "A colleague will look at this.",
    "approved": "Approved; it is about to be done.",
    "executing": "It is being done right now.",
    "in_doubt": "A colleague is finding out whether this went through.",
    "denied": "A colleague decided against this.",
    "expired": "Nobody decided in time, so nothing was done.",
    "stale": "The situation had changed, so nothing was done.",
}

Context: TypeAlias = ServerRequestContext[dict[str, Any]]
Call: TypeAlias = Callable[[Context, Mapping[str, Any], str, Mapping[str, Any]], Awaitable[Outcome]]
"""One call of a tool through the gate, for whoever sent this request: context, `_meta`, tool and arguments."""

Result: TypeAlias = Callable[[Outcome], dict[str, Any]]
Now: TypeAlias = Callable[[], datetime]


class TaskParams(t.RequestParams):
    """The task a request is about; its id is the handle of an escalation."""

    task_id: str = Field(alias="taskId", min_length=1, max_length=128)


def task_of(ctx: Context, outcome: Outcome, now: datetime) -> dict[str, Any] | None:
    """The outcome as a task, where it waits and the client knows what a task is."""
    if outcome.escalation is None or outcome.status != "escalated" or not _speaks(ctx):
        return None
    return {"resultType": "task", **_task(outcome, "working", now)}


def serve_tasks(server: Server[dict[str, Any]], call: Call, result: Result, now: Now) -> None:
    """Answer for tasks. `call` passes the gate, `result` makes an outcome what a tool call returns."""

    async def get(ctx: Context, params: TaskParams) -> dict[str, Any]:
        outcome = await _asked(ctx, params, call, "check_request")
        state = str(outcome.escalation.status if outcome.escalation else "")
        if state == "withdrawn":
            return _task(outcome, "cancelled", now())
        if state == "executed":
            done = Outcome("completed", True, outcome.call_id, data=(outcome.data or {}).get("result") or {})
            return {**_task(outcome, "completed", now()), "result": result(done)}
        if state in _OVER:
            words = (outcome.data or {}).get("message") or _WORDS[state]
            told = Outcome("denied", False, outcome.call_id, reasons=[ReasonGiven(_OVER[state], words)])
            return {**_task(outcome, "completed", now()), "result": result(told)}
        return _task(outcome, "working", now())

    async def cancel(ctx: Context, params: TaskParams) -> dict[str, Any]:
        await _asked(ctx, params, call, "check_request")
        await call(ctx, params.meta or {}, "withdraw_request", {"handle": params.task_id})
        return {}

    async def update(ctx: Context, params: TaskParams) -> dict[str, Any]:
        await _asked(ctx, params, call, "check_request")
        return {}  # nothing is ever asked of the client while a request waits

    server.extensions[EXTENSION] = {}
    for method, handler in {"tasks/get": get, "tasks/cancel": cancel, "tasks/update": update}.items():
        server.add_request_handler(method, TaskParams, handler)


async def _asked(ctx: Context, params: TaskParams, call: Call, tool: str) -> Outcome:
    """How the request stands. Raises MCPError for one that is not this customer's, in the words for one that is not."""
    if not _speaks(ctx):
        needed: Json = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
        raise MCPError(t.MISSING_REQUIRED_CLIENT_CAPABILITY, "Declare the extension to ask for tasks", needed)
    named = ctx.request.headers.get(MCP_NAME_HEADER) if ctx.request is not None else None
    if named is not None and decode_header_value(named) != params.task_id:  # whoever routes by it was told another task
        raise MCPError(t.HEADER_MISMATCH, "Mcp-Name is not the task that is asked for")
    outcome = await call(ctx, params.meta or {}, tool, {"handle": params.task_id})
    if outcome.escalation is None:
        raise MCPError(t.INVALID_PARAMS, "There is no such task")
    return outcome


def _task(outcome: Outcome, status: str, now: datetime) -> dict[str, Any]:
    given = outcome.escalation
    if given is None:
        raise LookupError("only what waits is a task")
    opened = min(_minted(given.handle), now)  # under a fixed clock nothing was opened later than now
    lasts = datetime.fromisoformat(given.expires_at) - opened
    return {
        "taskId": given.handle,
        "status": status,
        "statusMessage": _WORDS.get(given.status, given.status),
        "createdAt": rfc3339(opened),
        "lastUpdatedAt": rfc3339(opened),
        "ttlMs": max(0, int(lasts.total_seconds() * 1000)),
        "pollIntervalMs": given.check_after_seconds * 1000,
    }


def _minted(handle: str) -> datetime:
    """Handles sort by the time they were made, which they begin with."""
    return datetime.fromtimestamp(int(handle.rpartition("_")[2][:12], 16) / 1000, UTC).replace(microsecond=0)


def _speaks(ctx: Context) -> bool:
    """Older clients may declare what they know of it too, but on their protocol no answer of this shape is valid."""
    if ctx.protocol_version < MODERN:
        return False
    capabilities = ctx.session.client_capabilities
    return capabilities is not None and EXTENSION in (capabilities.extensions or {})
