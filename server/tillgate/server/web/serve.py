"""Speaks HTTP for a gate that is elsewhere: nothing of the store or the policy is here."""

import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import Scope

from tillgate.guards.answers import busy, failed, unsure
from tillgate.guards.errors import Busy, ConfigurationError, Unavailable, Unsure
from tillgate.guards.outcome import Outcome
from tillgate.guards.ports import Clock
from tillgate.server import between
from tillgate.server.between import Hello, Ready
from tillgate.server.callers import callers_of
from tillgate.server.door import Door, Handle, Sent
from tillgate.server.driving import AskClient
from tillgate.server.ending import GRACE_SECONDS, end_for_sure, end_now, leave
from tillgate.server.settings import Settings, settings
from tillgate.server.web.bearer import Bearer, metadata_pages
from tillgate.server.web.callers import CallerOf, anybody, by_token
from tillgate.server.web.conversations import Conversations
from tillgate.server.web.endpoint import Endpoint
from tillgate.server.web.health import health
from tillgate.server.web.limits import CALLS_AT_ONCE, CONNECTIONS, Impatient, Places
from tillgate.server.web.line import Line
from tillgate.server.web.options import Access, access_of
from tillgate.server.web.refusals import Refusals
from tillgate.server.web.sessions import SESSIONS_EACH, Sessions
from tillgate.server.web.site import Site
from tillgate.server.web.statuses import ANSWERED, Statuses
from tillgate.server.web.verifying import PATH, verify_routes
from tillgate.server.web.wire import IDENTITY
from tillgate.server.world import RandomMinter, clock_of

log = logging.getLogger("tillgate.web")


def speak(line: socket.socket, listening: socket.socket, lost: Callable[[], None]) -> None:
    """Serve until this process is told to end; what is in flight is finished first. `lost` if the gate ends before."""
    if (first := between.receive(line)) is None:
        return
    hello = between.hello.decode(first)
    served = settings(**hello.settings)
    host, port = listening.getsockname()[:2]
    clock = clock_of(served)
    try:
        access = access_of(served, port, clock)
    except ConfigurationError as error:
        line.sendall(between.frame(Ready(fault=str(error))))
        return
    line.sendall(between.frame(Ready(f"{access.public}{PATH}")))
    config = uvicorn.Config(
        site_of(served, hello, Line(line, lost=lost), access, clock),
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
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)  # what the signal does once the server has ended
    _Server(config).run(sockets=[listening])


class _Server(uvicorn.Server):
    _told = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Once: an interrupt from a terminal comes from there and from the gate, and the second is no hurry."""
        if not self._told:
            self._told = True  # before all else: the other may come while this one is handled
            end_for_sure()
            super().handle_exit(sig, frame)


def site_of(
    served: Settings, hello: Hello, line: Line, access: Access, clock: Clock, more: Sequence[BaseRoute] = ()
) -> Site:
    """The site. `more` are pages beside its own."""
    bearer = Bearer(access.tokens, access.resource) if access.tokens else None
    places = Places(CALLS_AT_ONCE if access.tokens else CONNECTIONS)  # without tokens everybody is one principal
    sessions = Sessions(SESSIONS_EACH if access.tokens else CONNECTIONS)
    door = _door(served, hello, line, access, clock)
    endpoint = Endpoint(door, Statuses({card.name: card for card in hello.cards}, bearer), places, sessions)
    keys = access.tokens.keys if access.tokens else None
    own = [health(line, keys), *(metadata_pages(access.resource, access.issuer) if bearer else ())]
    return Site(endpoint, line, access.names, bearer, [*own, *verify_routes(line), *more], Refusals(line.refused))


def _door(served: Settings, hello: Hello, line: Line, access: Access, clock: Clock) -> Door:
    everybody = callers_of(served, "http", RandomMinter(), hello.since)
    callers = by_token(Conversations(line.running, clock)) if access.tokens else anybody(everybody)

    def principal(scope: Scope | None) -> str:
        return scope[IDENTITY].principal if access.tokens and scope is not None else everybody.principal

    return Door(lambda: hello.cards, _handle(line, callers), principal, line.words, hello.state_key, clock.now)


def _handle(line: Line, callers: CallerOf) -> Handle:
    minter = RandomMinter()

    async def handle(sent: Sent, ask: AskClient) -> Outcome:
        try:
            outcome = await line.call(sent.by(await callers(sent)), ask)
        except Busy:
            outcome = busy(minter.id("call"))
        except Unsure:
            log.exception("nobody can say what became of a call")
            outcome = unsure(minter.id("call"))
        except (Unavailable, ValueError):
            log.exception("a call could not be passed on")
            outcome = failed(minter.id("call"))
        if sent.scope is not None:
            sent.scope[ANSWERED] = sent.tool, outcome
        return outcome

    return handle


def main() -> None:
    """A process for this alone: the sockets to the gate and to the network are open already, by these numbers."""
    line, listening = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it is for the process with the policy
    speak(line, listening, end_now)
