"""`tillgate serve`: build, serve, and close in order."""

import gc
import socket
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import anyio

from tillgate.guards.desk import Desk
from tillgate.guards.outcome import Outcome
from tillgate.guards.ports import Tool
from tillgate.server import front
from tillgate.server.answering import Answering
from tillgate.server.app import App, build
from tillgate.server.between import Hello
from tillgate.server.callers import callers_of
from tillgate.server.cards import cards_of
from tillgate.server.door import Door, Sent
from tillgate.server.driving import AskClient, drive
from tillgate.server.ending import Calls, end_now
from tillgate.server.notify import dispatcher_for
from tillgate.server.recovering import recovery
from tillgate.server.reloading import LivePolicy, Watcher
from tillgate.server.settings import Settings
from tillgate.server.words import policy_in_words

_OF_THE_GATE = {"db", "shop", "policy", "notify", "payments"}
"""Settings that whoever speaks HTTP has no use for."""


def serve(settings: Settings, tools: Mapping[str, Tool] | None = None) -> None:
    """Serve until the client closes stdin, or over HTTP until the process is told to end.

    `tools` stand in for those that are shipped. Raises ConfigurationError before the first byte if anything is wrong.
    """
    if settings.http is None:
        app = build(settings, serving=True, tools=tools)
        with closing(app.store), _running(app) as live:
            _on_stdio(app, live)
    elif front.APART:
        _over_http(settings, tools)
    else:
        _over_http_here(settings, tools)


def _over_http(settings: Settings, tools: Mapping[str, Tool] | None) -> None:
    """The process that speaks HTTP gets ready while this one is built."""
    with front.bound(settings) as listening, front.Front(listening) as speaker:
        listening.close()
        speaker.ends_by_signal()
        _answer(build(settings, serving=True, tools=tools), speaker.line)
        speaker.ended()


def _over_http_here(settings: Settings, tools: Mapping[str, Tool] | None) -> None:
    """The same on two threads of one process."""
    from tillgate.server.web.serve import speak

    ours, theirs = socket.socketpair()
    with front.bound(settings) as listening, ours, theirs, ThreadPoolExecutor(1, "gate") as gate:
        answering = gate.submit(_answer, build(settings, serving=True, tools=tools), ours)
        try:
            speak(theirs, listening, lost=end_now)
        finally:
            theirs.close()
            answering.result()


def _answer(app: App, line: socket.socket) -> None:
    """Tell whoever speaks HTTP what it has to know, and serve it to its end."""
    with closing(app.store):
        pages = front.meet(line, hello_of(app))
        if pages is not None:
            with _running(replace(app, gate=replace(app.gate, pages=pages))) as live:
                Answering(live, app.store, line).serve()


def hello_of(app: App) -> Hello:
    """What the process that speaks HTTP is told of this one."""
    told = app.settings.model_dump(mode="json", exclude=_OF_THE_GATE, exclude_none=True)
    return Hello(told, cards_of(app.tools), app.state_key(), app.store.now())


@contextmanager
def _running(app: App) -> Generator[LivePolicy]:
    """With all that goes on beside the calls."""
    live = LivePolicy(app)
    watcher, recovering = Watcher(live), recovery(app, live)
    dispatcher = None
    try:
        dispatcher = dispatcher_for(app.settings, app.store)
        settle_memory()
        watcher.start()
        recovering.start()
        yield live
    finally:
        watcher.stop()
        recovering.stop()
        if dispatcher is not None:
            dispatcher.stop()


def _on_stdio(app: App, live: LivePolicy) -> None:
    from tillgate.server.mcp_server import build_server, serve_stdio

    calls = Calls()
    anyio.run(serve_stdio, build_server(_door(app, live, calls)), calls)


def _door(app: App, live: LivePolicy, calls: Calls) -> Door:
    """Transactions on this thread: one client, one call at a time, and nothing can cut one in two."""

    async def run(job: Callable[[Desk], Any]) -> Any:
        return app.store.run(job)

    callers = callers_of(app.settings, "stdio", app.minter, app.store.now())

    async def call(sent: Sent, ask: AskClient) -> Outcome:
        gate = live.gate
        received = sent.by(callers(sent.conversation, sent.asks))
        with calls.one():
            return await drive(gate.steps(received), run, gate.reach, ask)

    async def words() -> str:
        return policy_in_words(app.tools, live.policy)

    cards = {card.name: card for card in cards_of(app.tools)}
    return Door(cards, call, lambda _scope: callers.principal, words, app.state_key(), app.clock.now)


def settle_memory() -> None:
    """What is there now stays, and a call leaves little behind: rarer collections are most of the tail of its time.

    What a start left to collect stays too: looking for it would take as long as reading the policy.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
