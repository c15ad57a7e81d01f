"""`tillgate serve`: build, serve one client, and close in order."""

import gc

import anyio

from tillgate.server.app import build
from tillgate.server.mcp_server import build_server, serve_stdio
from tillgate.server.notify import dispatcher_for
from tillgate.server.recovering import recovery
from tillgate.server.reloading import LivePolicy, Watcher
from tillgate.server.settings import Settings


def serve_on_stdio(settings: Settings) -> None:
    """Serve until the client closes stdin. Raises ConfigurationError before the first byte if anything is wrong."""
    app = build(settings, serving=True)
    live = LivePolicy(app)
    watcher, recovering = Watcher(live), recovery(app, live)
    dispatcher = None
    try:
        dispatcher = dispatcher_for(settings, app.store)
        server = build_server(app.tools, live.handle, app.callers())
        # what is there now stays, and a call leaves little behind: rarer collections are most of the tail of its time
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        watcher.start()
        recovering.start()
        anyio.run(serve_stdio, server)
    finally:
        watcher.stop()
        recovering.stop()
        if dispatcher is not None:
            dispatcher.stop()
        app.store.close()
