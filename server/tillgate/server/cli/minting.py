"""`tillgate token`: what a development token says, and the key it is signed with."""

import re
import uuid
from datetime import timedelta
from pathlib import Path

from tillgate.guards.errors import ConfigurationError
from tillgate.server.settings import Settings, settings
from tillgate.server.web.dev_key import ISSUER, make_key, mint
from tillgate.server.web.identity import Reading, Unclear, identity_of
from tillgate.server.world import clock_of

_FILE = Path("tillgate-dev-key.json")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_RESOURCE = "http://127.0.0.1:8080/mcp"


def minted(
    dev_key: Path | None,
    resource_url: str | None,
    *,
    customer: str | None,
    assurance: str | None,
    agent: str,
    session: str | None,
    scope: str,
    expires: str,
) -> str:
    """A token. The key is made when there is none yet. Raises ConfigurationError for one that would not be taken."""
    chosen = settings(dev_key=dev_key, resource_url=resource_url)
    now = clock_of(chosen).now()
    claims = {
        "iss": ISSUER,
        "aud": _resource(chosen),
        "sub": customer or agent,
        "client_id": agent,
        "scope": scope,
        "iat": int(now.timestamp()),
        "exp": int((now + _span(expires)).timestamp()),
        "jti": uuid.uuid4().hex,
        "customer_id": customer,
        "tillgate_assurance": assurance,
        "sid": session,
    }
    said = {name: value for name, value in claims.items() if value is not None}
    try:
        identity_of(said, Reading(), now)
    except Unclear as error:
        raise ConfigurationError(f"nobody would take such a token: {error}") from error
    path = chosen.dev_key or _FILE
    if not path.exists():
        make_key(path)
    return mint(path, said)


def _resource(chosen: Settings) -> str:
    """As a server with the same settings would say it."""
    if chosen.resource_url is not None:
        return chosen.resource_url
    return f"http://{chosen.http}/mcp" if chosen.http else _RESOURCE


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise ConfigurationError(f"--expires {text}: give a number and s, m, h or d, such as 30m")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
