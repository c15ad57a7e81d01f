"""Who asks: the bearer token of a request, and what is said to a client that has none or one that covers too little.

OAuth 2.1's resource server: RFC 6750 for the answers, RFC 9728 for where a client finds the issuer of tokens.
"""

import re
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tillgate.guards.scopes import READ, WRITE
from tillgate.server.web.identity import Identity
from tillgate.server.web.tokens import Tokens
from tillgate.server.web.wire import Head, Header

WELL_KNOWN = "/.well-known/oauth-protected-resource"
_TOKEN = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)")


class Bearer:
    """Finds out who asks, for the site at `resource`."""

    def __init__(self, tokens: Tokens, resource: str) -> None:
        url = urlsplit(resource)
        self._tokens = tokens
        self._metadata = f"{url.scheme}://{url.netloc}{WELL_KNOWN}{url.path}"

    async def identify(self, head: Head) -> Identity | None:
        """None for a request without a token that is accepted."""
        given = _TOKEN.fullmatch(head.get("authorization"))
        return await self._tokens.identity(given[1]) if given else None

    def unauthorized(self, head: Head) -> Header:
        """What a 401 says: that a token was not accepted, but not why, and where to get one."""
        wrong = 'error="invalid_token", ' if "authorization" in head.fields else ""
        return _challenge(f'{wrong}scope="{READ} {WRITE}", resource_metadata="{self._metadata}"')

    def forbidden(self, identity: Identity, scope: str) -> Header:
        """What a 403 says: which scopes a token needs that covers this call and what the present one covers."""
        wanted = " ".join(sorted({scope, *(each for each in identity.scopes if each.startswith("tool"))}))
        return _challenge(f'error="insufficient_scope", scope="{wanted}", resource_metadata="{self._metadata}"')


def metadata_pages(resource: str, issuer: str | None) -> list[BaseRoute]:
    """Where a client that was refused reads who issues tokens; also to a client that only knows the host.

    An issuer that is no URL, such as the development key, is none that a client could ask.
    """
    content = {
        "resource": resource,
        "resource_name": "Tillgate",
        "scopes_supported": [READ, WRITE],
        "bearer_methods_supported": ["header"],
        **({"authorization_servers": [issuer]} if issuer and issuer.startswith(("https://", "http://")) else {}),
    }

    async def answer(_request: Request) -> Response:
        return JSONResponse(
            content, headers={"cache-control": "public, max-age=300", "access-control-allow-origin": "*"}
        )

    paths = {WELL_KNOWN, f"{WELL_KNOWN}/mcp", WELL_KNOWN + urlsplit(resource).path}
    return [Route(path, answer) for path in sorted(paths)]


def _challenge(parameters: str) -> Header:
    return (b"www-authenticate", f"Bearer {parameters}".encode())
