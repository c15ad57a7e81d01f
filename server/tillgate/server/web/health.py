"""`/healthz`: what is served and whether anything is wrong with it."""

import logging

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tillgate.guards.audit.record import rfc3339
from tillgate.server.app import App
from tillgate.server.reloading import LivePolicy
from tillgate.server.web.keys import Keys

log = logging.getLogger("tillgate.web")


def health(app: App, live: LivePolicy, keys: Keys | None) -> Route:
    """200 while all is well, 503 otherwise. `keys` are those that tokens are verified with."""

    async def answer(_request: Request) -> Response:
        keeps = await anyio.to_thread.run_sync(_keeps, app)
        state = {**live.health(), "store": "well" if keeps else "failing"}
        if keys is not None:
            state["keys"] = "well" if await keys.ready() else "failing"
        well = state["current"] and "failing" not in (state["store"], state.get("keys"))
        return JSONResponse(state, 200 if well else 503)

    return Route("/healthz", answer)


def _keeps(app: App) -> bool:
    """Whether the store can keep something now: found out by keeping something."""
    try:
        app.store.run(lambda desk: desk.serve_with("healthy_at", rfc3339(desk.now)))
    except Exception:
        log.exception("the store can keep nothing")
        return False
    return True
