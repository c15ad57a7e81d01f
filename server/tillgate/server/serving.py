"""`tillgate serve`: build, serve, and close in order."""

import gc
from collections.abc import Callable, Mapping
from typing import Any

import anyio

from tillgate.guards.desk import Desk
from tillgate.guards.outcome import Outcome
from tillgate.guards.ports import Tool
from tillgate.server.app import App, build
from tillgate.server.door import Door, Sent
from tillgate.server.driving import AskClient, drive
from tillgate.server.ending import Calls
from tillgate.server.mcp_server import build_server, serve_stdio
from tillgate.server.notify import dispatcher_for
from tillgate.server.recovering import recovery
from tillgate.server.reloading import LivePolicy, Watcher
from tillgate.server.settings import Settings


def serve(settings: Settings, tools: Mapping[str, Tool] | None = None) -> None:
    """Serve until the client closes stdin, or over HTTP until the process is told to end.

    `tools` stand in for those that are shipped. Raises ConfigurationError before the first byte if anything is wrong.
    """
    app = build(settings, serving=True, tools=tools)
    live = LivePolicy(app)
    watcher, recovering = Watcher(live), recovery(app, live)
    dispatcher = None
    try:
        dispatcher = dispatcher_for(settings, app.store)
        settle_memory()
        watcher.start()
        recovering.start()
        if settings.http is None:
            calls = Calls()
            anyio.run(serve_stdio, build_server(_door(app, live, calls)), calls)
        else:
            from tillgate.server.web.serve import serve_http

            serve_http(app, live)
    finally:
        watcher.stop()
        recovering.stop()
        if dispatcher is not None:
            dispatcher.stop()
        app.store.close()


def _door(app: App, live: LivePolicy, calls: Calls) -> Door:
    """Transactions on this thread: one client, one call at a time, and nothing can cut one in two."""

    async def run(job: Callable[[Desk], Any]) -> Any:
        return app.store.run(job)

    callers = app.callers()

    async def call(sent: Sent, ask: AskClient) -> Outcome:
        gate = live.gate
        received = sent.by(callers(sent.conversation, sent.asks))
        with calls.one():
            return await drive(gate.steps(received), run, gate.reach, ask)

    return Door(app.tools, call, lambda _scope: callers.principal, lambda: live.policy, app.state_key(), app.clock.now)


def settle_memory() -> None:
    """What is there now stays, and a call leaves little behind: rarer collections are most of the tail of its time.

    What a start left to collect stays too: looking for it would take as long as reading the policy.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
