"""The public keys that tokens are verified with, as their issuer publishes them: a JSON Web Key Set.

The rules kept: only keys of a pair, each with the algorithms of its own kind, so that no token can choose what it is
verified with. A set is read again every few minutes and when a token names a key that is not in it, but not more often
than every half minute, whatever tokens name.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import msgspec
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Json
from tillgate.server.settings import is_loopback

log = logging.getLogger("tillgate.keys")
READ_AGAIN_SECONDS = 600
SHORTEST_SECONDS = 30
"""Between two readings, however many tokens name a key that is not there."""
_FETCH_SECONDS = 5.0
_OK = 200
_MOST_BYTES = 256 * 1024
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES: Mapping[str, Sequence[str]] = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA",),
}


class _Set(msgspec.Struct):
    keys: list[dict[str, Json]]


Read = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Key:
    """One key, ready for each algorithm it may be used with."""

    id: str | None
    ready: Mapping[str, PyJWK]


class Keys:
    """The keys of one issuer, read when they are needed."""

    def __init__(self, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._keys: Sequence[Key] = ()
        self._text = b""
        self._read_at = self._tried_at = float("-inf")
        self._reading = asyncio.Lock()
        self._background: asyncio.Task[bool] | None = None
        self.edition = 0
        self.trouble: str | None = "no keys were read yet"

    async def find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        """The key of that name for that algorithm; without a name, the only one for it."""
        if not self._keys:
            await self.read()
        elif self._clock() - self._read_at > READ_AGAIN_SECONDS and not self._reading.locked():
            self._background = asyncio.create_task(self.read())  # whoever calls does not wait for the issuer
        found = self._lookup(key_id, algorithm)
        if found is None and await self.read():
            found = self._lookup(key_id, algorithm)
        return found

    async def ready(self) -> bool:
        """Whether there are keys that are no older than they should be; reads them where there are none yet."""
        if self.trouble is not None:
            await self.read()
        return self.trouble is None

    async def read(self) -> bool:
        """Read the set again, unless that was tried just now. A set that cannot be read leaves the one before."""
        async with self._reading:
            if self._clock() - self._tried_at < SHORTEST_SECONDS:
                return False
            self._tried_at = self._clock()
            try:
                self._take(await self._read())
            except (OSError, ValueError, httpx2.HTTPError, ConfigurationError) as error:
                self.trouble = f"the keys of the issuer cannot be read: {error}"
                log.warning("%s", self.trouble)
                return False
            self._read_at, self.trouble = self._clock(), None
            return True

    def _take(self, text: bytes) -> None:
        if text != self._text:
            self._keys, self._text = keys_in(text), text
            self.edition += 1

    def _lookup(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        named = [key for key in self._keys if key_id is None or key.id == key_id]
        fitting = [key.ready[algorithm] for key in named if algorithm in key.ready]
        return fitting[0] if len(fitting) == 1 else None


def keys_in(text: bytes) -> tuple[Key, ...]:
    """The usable keys of a set; others in it are passed over. Raises ValueError when there are none."""
    try:
        listed = msgspec.json.decode(text, type=_Set).keys
    except msgspec.DecodeError as error:
        raise ValueError("it is no JSON Web Key Set") from error
    keys = tuple(key for each in listed if (key := _key(each)) is not None)
    if not keys:
        raise ValueError("it holds no key that a token could be verified with")
    return keys


def _key(jwk: dict[str, Json]) -> Key | None:
    if jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    fitting = _RSA if jwk.get("kty") == "RSA" else _CURVES.get(str(jwk.get("crv")), ())
    if "alg" in jwk:
        fitting = [each for each in fitting if each == jwk["alg"]]
    try:
        ready = {each: PyJWK(jwk, each) for each in fitting}
    except PyJWTError:
        return None
    name = jwk.get("kid")
    return Key(name if isinstance(name, str) else None, ready) if ready else None


def keys_from(place: str) -> Read:
    """How to read a set: a file, or an https URL. Raises ConfigurationError for any other place."""
    url = urlsplit(place)
    if url.scheme not in ("http", "https"):
        return lambda: asyncio.to_thread(Path(place).read_bytes)
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        raise ConfigurationError(f"--jwks {place}: keys are only fetched over https")
    return lambda: _fetched(place)


async def _fetched(url: str) -> bytes:
    """Raises ValueError for an answer that is none: another status, a redirect, or too much of it."""
    text = b""
    async with (
        httpx2.AsyncClient(timeout=_FETCH_SECONDS, follow_redirects=False) as client,
        client.stream("GET", url, headers={"accept": "application/json"}) as answer,
    ):
        if answer.status_code != _OK:
            raise ValueError(f"{url} answered {answer.status_code}")
        async for part in answer.aiter_bytes():
            text += part
            if len(text) > _MOST_BYTES:
                raise ValueError(f"{url} answered more than {_MOST_BYTES // 1024} KiB")
    return text
