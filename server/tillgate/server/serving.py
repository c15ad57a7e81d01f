"""`tillgate serve`, by whichever way its clients come."""

from collections.abc import Mapping

from tillgate.guards.ports import Tool
from tillgate.server.settings import Settings


def serve(settings: Settings, tools: Mapping[str, Tool] | None = None) -> None:
    """Serve until the client closes stdin, or over HTTP until the process is told to end.

    `tools` stand in for those that are shipped. Raises ConfigurationError before the first byte if anything is wrong.
    """
    if settings.http is None:  # each way loads only what it needs: the protocol's library is half of a start
        from tillgate.server import over_stdio

        over_stdio.serve(settings, tools)
    else:
        from tillgate.server import over_http

        over_http.serve(settings, tools)
