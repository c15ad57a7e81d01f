"""The whole site as one ASGI application: `/mcp`, and pages beside it.

The rule kept: nothing is looked at before it is clear that the request is meant for this address.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from mcp_types import INVALID_REQUEST
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from tillgate.server.verifying import PATH
from tillgate.server.web.bearer import Bearer
from tillgate.server.web.endpoint import Endpoint
from tillgate.server.web.names import Names
from tillgate.server.web.options import MCP
from tillgate.server.web.wire import IDENTITY, Head, error, head_of, send_json

PROBES = frozenset({"/healthz", "/metrics"})


class Site:
    """Finds the door of each request."""

    def __init__(self, endpoint: Endpoint, names: Names, bearer: Bearer | None, pages: Sequence[BaseRoute]) -> None:
        self._endpoint = endpoint
        self._names = names
        self._bearer = bearer
        self._pages = Starlette(routes=pages, lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        head = head_of(scope)
        if (why := self._refusal(scope["path"], head)) is not None:
            await send_json(send, 403, error(INVALID_REQUEST, why))
        elif scope["path"] != MCP:
            await self._pages(scope, receive, send)
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
            await send_json(send, 401, told, [self._bearer.unauthorized(head)])
            return
        scope[IDENTITY] = identity
        await self._endpoint(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        async with self._endpoint.run():
            yield
