"""`tillgate serve` on stdin and stdout: one client, and the gate in the same process."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import anyio

from tillgate.guards.desk import Desk
from tillgate.guards.outcome import Outcome
from tillgate.guards.ports import Tool
from tillgate.server.app import App, build
from tillgate.server.beside import running
from tillgate.server.callers import callers_of
from tillgate.server.cards import cards_of
from tillgate.server.door import Door, Sent
from tillgate.server.driving import AskClient, drive
from tillgate.server.ending import Calls
from tillgate.server.mcp_server import build_server, serve_stdio
from tillgate.server.reloading import LivePolicy
from tillgate.server.settings import Settings
from tillgate.server.words import policy_in_words


def serve(settings: Settings, tools: Mapping[str, Tool] | None) -> None:
    """Serve until the client closes stdin. Raises ConfigurationError before the first byte if anything is wrong."""
    app = build(settings, serving=True, tools=tools)
    with closing(app.store), running(app) as live:
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

    return Door(
        lambda: cards_of(app.tools), call, lambda _scope: callers.principal, words, app.state_key(), app.clock.now
    )
