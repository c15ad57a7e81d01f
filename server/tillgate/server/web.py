"""Tillgate over HTTP: the SDK's two transports behind one path, and every body screened before any parser sees it.

A request of the 2026-07-28 protocol is one exchange and is answered as JSON. Older clients have a session and a stream,
so that the server can ask them something while a call waits.
"""

import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio.to_thread
import uvicorn
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from tillgate.guards.audit.record import rfc3339
from tillgate.guards.desk import Received
from tillgate.guards.outcome import Outcome
from tillgate.server.app import App
from tillgate.server.driving import AskClient, drive
from tillgate.server.mcp_server import Door, build_server
from tillgate.server.reloading import LivePolicy
from tillgate.server.screen import MOST_BYTES, screen
from tillgate.server.verifying import PATH, verify_routes
from tillgate.server.writing import Writer

log = logging.getLogger("tillgate.web")
VERSION_HEADER = b"mcp-protocol-version"
MODERN = b"2026-07-28"
GRACE_SECONDS = 4


class TooLarge(Exception):
    """A body of more than `MOST_BYTES`."""


def serve_http(app: App, live: LivePolicy) -> None:
    """Serve until the process is told to end; what is in flight is finished first."""
    host, port = app.settings.address
    writer = Writer(app.store)
    writer.start()
    try:
        config = uvicorn.Config(
            web_app(app, live, writer),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        sys.stderr.write(f"tillgate serves http://{host}:{port}/mcp\n")
        uvicorn.Server(config).run()
    finally:
        writer.stop()


def web_app(app: App, live: LivePolicy, writer: Writer, *more: Route) -> Starlette:
    """The ASGI application. `more` are routes beside `/mcp`."""
    host, port = app.settings.address
    pages = f"{app.settings.public_url or f'http://{host}:{port}'}{PATH}"

    async def handle(received: Received, ask: AskClient) -> Outcome:
        gate = replace(live.gate, pages=pages)
        return await drive(gate.steps(received), writer.run, gate.reach, ask)

    server = build_server(Door(app.tools, handle, app.callers("http"), lambda: live.policy, app.state_key()))
    endpoint = Endpoint(server, _security(host, port))

    async def health(_request: Any) -> JSONResponse:
        keeps = await anyio.to_thread.run_sync(_keeps, app)
        state = {**live.health(), "store": "well" if keeps else "failing"}
        return JSONResponse(state, 200 if keeps and state["current"] else 503)

    routes = [
        Route("/mcp", endpoint, methods=["GET", "POST", "DELETE"]),
        Route("/healthz", health),
        *verify_routes(live, writer.run),
        *more,
    ]
    return Starlette(routes=routes, lifespan=endpoint.lifespan)


def _keeps(app: App) -> bool:
    """Whether the store can keep something now: found out by keeping something."""
    try:
        app.store.run(lambda desk: desk.serve_with("healthy_at", rfc3339(desk.now)))
    except Exception:
        log.exception("the store can keep nothing")
        return False
    return True


class Endpoint:
    """The ASGI application at `/mcp`: chooses the transport by the protocol's version, and screens the body."""

    def __init__(self, server: Server[dict[str, Any]], security: TransportSecuritySettings) -> None:
        def manager(*, json_response: bool) -> StreamableHTTPSessionManager:
            return StreamableHTTPSessionManager(server, json_response=json_response, security_settings=security)

        self._modern, self._older = manager(json_response=True), manager(json_response=False)

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        """Both transports, from the first request to the last."""
        async with AsyncExitStack() as stack:
            for manager in (self._modern, self._older):
                await stack.enter_async_context(manager.run())
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        modern = any(name == VERSION_HEADER and value.strip() == MODERN for name, value in scope["headers"])
        answer = (self._modern if modern else self._older).handle_request
        if scope["method"] == "POST":
            try:
                receive = await _screened(receive)
            except TooLarge:
                await JSONResponse({"error": f"The body is larger than {MOST_BYTES} bytes"}, 413)(scope, receive, send)
                return
        await answer(scope, receive, send)


async def _screened(receive: Receive) -> Receive:
    """A body read whole, screened, and given on in one piece."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            raise TooLarge
        if not message.get("more_body", False):
            break
    whole: list[Message] = [{"type": "http.request", "body": screen(bytes(body)).encode(), "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return again


def _security(host: str, port: int) -> TransportSecuritySettings:
    """Only by the names this address has: a page elsewhere that resolves to it is refused."""
    names = [host, "localhost", "127.0.0.1", "[::1]"]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[f"{name}:{port}" for name in names],
        allowed_origins=[f"http://{name}:{port}" for name in names],
    )
