"""Results about calls themselves: requests to people, and actions taken back."""

from typing import Any

from tillgate.tools.changes import stamped
from tillgate.tools.commerce.record import RequestView
from tillgate.tools.views.base import View, line_or_none


class HandedOver(View):
    """A person has taken up what the customer asked for."""

    handed_over: bool
    order_id: str | None


class RequestState(View):
    """A request as its own customer may see it; `result` once it was executed."""

    handle: str
    tool: str
    status: str
    queue: str
    created_at: str
    expires_at: str
    message: str | None
    result: dict[str, Any] | None


class Withdrawn(View):
    handle: str
    status: str


class TakenBack(View):
    call_id: str
    tool: str
    undone: bool
    summary: str


def request_state(request: RequestView) -> RequestState:
    """The state of a request, in the words of whoever decided on it."""
    return {
        "handle": request.handle,
        "tool": request.tool,
        "status": request.status,
        "queue": request.queue,
        "created_at": stamped(request.created_at),
        "expires_at": stamped(request.expires_at),
        "message": line_or_none(request.message),
        "result": None if request.result is None else dict(request.result),
    }
