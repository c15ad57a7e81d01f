"""What the settings of `--http` mean, checked together: nobody is served without a token by mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Assurance
from tillgate.guards.ports import Clock
from tillgate.server.settings import Settings, is_loopback
from tillgate.server.web.dev_key import ISSUER, public_keys
from tillgate.server.web.identity import Reading
from tillgate.server.web.keys import Keys, Read, keys_from
from tillgate.server.web.names import Names
from tillgate.server.web.tokens import Tokens

MCP = "/mcp"
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Access:
    """Where the site is, by which names, and whose tokens it takes; with `tokens` None it asks for none.

    `resource` is the URL of `/mcp`, `public` what the customer's page is below.
    """

    resource: str
    public: str
    names: Names
    issuer: str | None
    tokens: Tokens | None


def access_of(settings: Settings, port: int, clock: Clock) -> Access:
    """Raises ConfigurationError for settings that contradict each other, or leave a door open."""
    host, _ = settings.address
    resource = _resource(settings, host, port)
    public = settings.public_url.rstrip("/") if settings.public_url else resource.removesuffix(urlsplit(resource).path)
    names = _names(settings, host, port, (resource, public))
    if settings.unsafe_no_auth:
        _closed_to_others(settings, host)
        return Access(resource, public, names, None, None)
    if settings.customer is not None:
        raise ConfigurationError("--customer: over HTTP the token says who is served; leave it out")
    issuer, read = _issuer(settings)
    reading = Reading(settings.customer_claim, acr_levels(settings.acr))
    return Access(resource, public, names, issuer, Tokens(Keys(read), issuer, resource, reading, clock))


def acr_levels(pairs: Sequence[str]) -> dict[str, Assurance]:
    """What an issuer's `acr` values mean. Raises ConfigurationError for a level there is none of."""
    levels = {each.name.lower(): each for each in Assurance if each is not Assurance.ANONYMOUS}
    found: dict[str, Assurance] = {}
    for pair in pairs:
        value, _, level = pair.rpartition("=")
        if not value or level not in levels:
            raise ConfigurationError(f"--acr {pair}: give VALUE=LEVEL, with a LEVEL of {', '.join(levels)}")
        found[value] = levels[level]
    return found


def _closed_to_others(settings: Settings, host: str) -> None:
    if not is_loopback(host):
        raise ConfigurationError(f"--unsafe-no-auth is for loopback addresses only, not for {host}")
    if settings.issuer or settings.jwks or settings.dev_key:
        raise ConfigurationError("--unsafe-no-auth asks for no token: leave --issuer, --jwks and --dev-key out")


def _issuer(settings: Settings) -> tuple[str, Read]:
    """Whose tokens are taken, and where their keys are read."""
    if settings.dev_key is not None and not (settings.issuer or settings.jwks):
        path = settings.dev_key
        public_keys(path)  # said now rather than at the first call

        async def read() -> bytes:
            return public_keys(path)

        return ISSUER, read
    if settings.dev_key is None and settings.issuer and settings.jwks:
        return settings.issuer, keys_from(settings.jwks)
    raise ConfigurationError(
        "--http: say whose tokens are taken: --issuer with --jwks, or --dev-key for tokens of `tillgate token`"
        " (--unsafe-no-auth asks for none, on this machine only)"
    )


def _resource(settings: Settings, host: str, port: int) -> str:
    """The URL that clients use, which is also what tokens must be meant for."""
    if settings.resource_url is None:
        if _is_everywhere(host):
            raise ConfigurationError(f"--http {settings.http}: say by which URL clients come, with --resource-url")
        return f"http://{_in_url(host)}:{port}{MCP}"
    url = urlsplit(settings.resource_url)
    if url.scheme not in ("http", "https") or not url.netloc or url.query or url.fragment or "@" in url.netloc:
        raise ConfigurationError(
            f"--resource-url {settings.resource_url}: give an URL such as https://shop.example/mcp"
        )
    return settings.resource_url


def _names(settings: Settings, host: str, port: int, urls: Sequence[str]) -> Names:
    """Only the names this site has: what comes by another was led here."""
    parts = [urlsplit(url) for url in urls]
    own = {f"{name}:{port}" for name in (*(_LOCAL if is_loopback(host) else ()), _in_url(host))}
    hosts = {*own, *(url.netloc for url in parts), *settings.allowed_host}
    origins = {
        *(f"http://{name}" for name in own),
        *(f"{url.scheme}://{url.netloc}" for url in parts),
        *settings.allowed_origin,
    }
    return Names(frozenset(map(str.lower, hosts)), frozenset(map(str.lower, origins)))


def _is_everywhere(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
