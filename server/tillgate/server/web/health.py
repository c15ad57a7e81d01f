"""`/healthz`: what is served and whether anything is wrong with it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tillgate.server.web.keys import Keys
from tillgate.server.web.line import Line


def health(line: Line, keys: Keys | None) -> Route:
    """200 while all is well, 503 otherwise. `keys` are those that tokens are verified with."""

    async def answer(_request: Request) -> Response:
        state = await line.health()
        if keys is not None:
            state["keys"] = "well" if await keys.ready() else "failing"
        well = state["current"] and "failing" not in (state["store"], state.get("keys"))
        return JSONResponse(state, 200 if well else 503)

    return Route("/healthz", answer)
