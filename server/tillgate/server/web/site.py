"""The whole site as one ASGI application: `/mcp`, and pages beside it.

The rule kept: nothing is looked at before it is clear that the request is meant for this address.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

from mcp_types import INVALID_REQUEST
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

from tillgate.server.web.bearer import Bearer
from tillgate.server.web.endpoint import Endpoint
from tillgate.server.web.line import Line
from tillgate.server.web.names import Names
from tillgate.server.web.options import MCP
from tillgate.server.web.refusals import Refusals
from tillgate.server.web.statuses import ANSWERED
from tillgate.server.web.verifying import PATH
from tillgate.server.web.wire import IDENTITY, Head, error, head_of, send_json

PROBES = frozenset({"/healthz", "/metrics"})
_MCP = MCP.encode()
_REFUSED, UNAUTHORIZED = 400, 401
_WHY: Mapping[int, str] = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "bad_method",
    406: "bad_accept",
    408: "body_too_slow",
    413: "body_too_large",
    415: "bad_content_type",
    429: "too_many_calls",
}
"""Why a request was refused, by its status, where there is no record of a call."""


class Site:
    """Finds the door of each request."""

    def __init__(
        self,
        endpoint: Endpoint,
        line: Line,
        names: Names,
        bearer: Bearer | None,
        pages: Sequence[BaseRoute],
        refusals: Refusals,
    ) -> None:
        self._endpoint = endpoint
        self._line = line
        self._names = names
        self._bearer = bearer
        self._refusals = refusals
        self._pages = Starlette(routes=pages, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        head = head_of(scope)
        why = self._refusal(scope["path"], head)
        if why is None and not _is_mcp(scope):
            await self._pages(scope, receive, send)
            return
        send = self._noting(scope, head, send)
        if why is not None:
            await send_json(send, 403, error(INVALID_REQUEST, why))
        elif scope["query_string"]:
            await send_json(send, 400, error(INVALID_REQUEST, f"{MCP} takes no query: a token in one would be seen"))
        else:
            await self._identified(scope, receive, send, head)

    def _refusal(self, path: str, head: Head) -> str | None:
        return self._names.refusal(head, probe=path in PROBES, page=path.startswith(f"{PATH}/"))

    async def _identified(self, scope: Scope, receive: Receive, send: Send, head: Head) -> None:
        if self._bearer is None:
            await self._endpoint(scope, receive, send)
            return
        identity = await self._bearer.identify(head)
        if identity is None:
            told = error(INVALID_REQUEST, "A bearer token is needed that is valid here")
            await send_json(send, UNAUTHORIZED, told, [self._bearer.unauthorized(head)])
            return
        scope[IDENTITY] = identity
        await self._endpoint(scope, receive, send)

    def _noting(self, scope: Scope, head: Head, send: Send) -> Send:
        """What is refused without a record of a call is counted."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= _REFUSED and ANSWERED not in scope:
                self._refusals.note(_why(message["status"], head))
            await send(message)

        return sending

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        async with self._line.open():
            async with self._endpoint.run():
                yield
            await self._refusals.close()


def _is_mcp(scope: Scope) -> bool:
    """By the path as it was sent, too: whoever guards it in front of us saw that."""
    return (scope["path"], scope.get("raw_path", _MCP)) == (MCP, _MCP)


def _why(status: int, head: Head) -> str:
    if status == UNAUTHORIZED:
        return "bad_token" if "authorization" in head.fields else "no_token"
    return _WHY.get(status, "other")
