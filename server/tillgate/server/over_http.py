"""`tillgate serve --http`: the gate on this side of a socket, whoever speaks HTTP on the other."""

import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

from tillgate.guards.ports import Tool
from tillgate.server import front
from tillgate.server.answering import Answering
from tillgate.server.app import App, build
from tillgate.server.beside import running
from tillgate.server.between import Hello
from tillgate.server.cards import cards_of
from tillgate.server.ending import end_now
from tillgate.server.settings import Settings

_OF_THE_GATE = {"db", "shop", "policy", "notify", "payments"}
"""Settings that whoever speaks HTTP has no use for."""


def serve(settings: Settings, tools: Mapping[str, Tool] | None) -> None:
    """Serve until this process is told to end. Raises ConfigurationError before the first byte if anything is wrong."""
    (_apart if front.APART else _here)(settings, tools)


def _apart(settings: Settings, tools: Mapping[str, Tool] | None) -> None:
    """The process that speaks HTTP gets ready while this one is built."""
    with front.bound(settings) as listening, front.Front(listening) as speaker:
        listening.close()
        speaker.ends_by_signal()
        _answer(build(settings, serving=True, tools=tools), speaker.line)
        speaker.ended()


def _here(settings: Settings, tools: Mapping[str, Tool] | None) -> None:
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
            with running(replace(app, gate=replace(app.gate, pages=pages))) as live:
                Answering(live, app.store, line).serve()


def hello_of(app: App) -> Hello:
    """What the process that speaks HTTP is told of this one."""
    told = app.settings.model_dump(mode="json", exclude=_OF_THE_GATE, exclude_none=True)
    return Hello(told, cards_of(app.tools), app.state_key(), app.store.now())
