"""`tillgate serve --http`: one process, one event loop, and a writer beside it that makes calls durable together."""

import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import Scope

from tillgate.guards.answers import busy, failed
from tillgate.guards.errors import Busy, Unavailable
from tillgate.guards.outcome import Outcome
from tillgate.server.app import App
from tillgate.server.door import Door, Handle, Sent
from tillgate.server.driving import AskClient, drive
from tillgate.server.ending import GRACE_SECONDS, end_for_sure, leave
from tillgate.server.reloading import LivePolicy
from tillgate.server.verifying import PATH, verify_routes
from tillgate.server.web.bearer import Bearer, metadata_pages
from tillgate.server.web.callers import CallerOf, anybody, by_token
from tillgate.server.web.endpoint import Endpoint
from tillgate.server.web.health import health
from tillgate.server.web.limits import CALLS_AT_ONCE, CONNECTIONS, Impatient, Places
from tillgate.server.web.options import Access, access_of, bound
from tillgate.server.web.refusals import Refusals
from tillgate.server.web.sessions import SESSIONS_EACH, Sessions
from tillgate.server.web.site import Site
from tillgate.server.web.statuses import ANSWERED, Statuses
from tillgate.server.web.wire import IDENTITY
from tillgate.server.writing import Writer

log = logging.getLogger("tillgate.web")


def serve_http(app: App, live: LivePolicy) -> None:
    """Serve until the process is told to end; what is in flight is finished first."""
    with bound(app.settings) as listening:
        host, port = listening.getsockname()[:2]
        access = access_of(app.settings, port, app.clock)
        for tool in app.tools.values():
            tool.input_schema()  # makes what reads its arguments, before two threads ask for that at once
        writer = Writer(app.store)
        writer.start()
        try:
            config = uvicorn.Config(
                site_of(app, live, writer, access),
                http=Impatient,
                ws="none",
                limit_concurrency=CONNECTIONS,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=int(GRACE_SECONDS),
            )
            sys.stderr.write(f"tillgate serves {access.resource} on {host} port {port}\n")
            signal.signal(signal.SIGTERM, leave)  # what the signal does once the server has ended
            _Server(config).run(sockets=[listening])
        finally:
            writer.stop()


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        end_for_sure()
        super().handle_exit(sig, frame)


def site_of(app: App, live: LivePolicy, writer: Writer, access: Access, more: Sequence[BaseRoute] = ()) -> Site:
    """The site of this app. `more` are pages beside its own."""
    bearer = Bearer(access.tokens, access.resource) if access.tokens else None
    places = Places(CALLS_AT_ONCE if access.tokens else CONNECTIONS)  # without tokens everybody is one principal
    sessions = Sessions(SESSIONS_EACH if access.tokens else CONNECTIONS)
    endpoint = Endpoint(_door(app, live, writer, access), Statuses(app.tools, bearer), places, sessions)
    keys = access.tokens.keys if access.tokens else None
    own = [health(app, live, keys), *(metadata_pages(access.resource, access.issuer) if bearer else ())]
    pages = [*own, *verify_routes(live, writer.run), *more]
    return Site(endpoint, access.names, bearer, pages, Refusals(writer, app.clock))


def _door(app: App, live: LivePolicy, writer: Writer, access: Access) -> Door:
    everybody = app.callers("http")
    callers = by_token(writer, app.clock, app.settings.shop) if access.tokens else anybody(everybody)

    def principal(scope: Scope | None) -> str:
        return scope[IDENTITY].principal if access.tokens and scope is not None else everybody.principal

    handle = _handle(app, live, writer, callers, f"{access.public}{PATH}")
    return Door(app.tools, handle, principal, lambda: live.policy, app.state_key(), app.clock.now)


def _handle(app: App, live: LivePolicy, writer: Writer, callers: CallerOf, pages: str) -> Handle:
    async def handle(sent: Sent, ask: AskClient) -> Outcome:
        gate = replace(live.gate, pages=pages)
        try:
            received = sent.by(await callers(sent))
        except Busy:
            outcome = busy(app.minter.id("call"))
        except Unavailable:
            log.exception("the store could not say in which conversation a call is")
            outcome = failed(app.minter.id("call"))
        else:
            outcome = await drive(gate.steps(received), writer.run, gate.reach, ask)
        if sent.scope is not None:
            sent.scope[ANSWERED] = sent.tool, outcome
        return outcome

    return handle
