"""Bearer tokens: verified against the issuer's keys, for this site and no other, and remembered for a few minutes."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt
from jwt.exceptions import PyJWTError

from tillgate.guards.ports import Clock
from tillgate.server.web.identity import Identity, Reading, Unclear, identity_of
from tillgate.server.web.keys import Keys

log = logging.getLogger("tillgate.tokens")
_LONGEST = 8 * 1024
_REMEMBERED = 10_000
_REMEMBERED_SECONDS = 300


@dataclass(frozen=True, slots=True)
class _Verified:
    identity: Identity
    edition: int
    at: float


class Tokens:
    """Says who a token speaks for. A token is verified again when the keys change, and every few minutes."""

    def __init__(
        self,
        keys: Keys,
        issuer: str,
        audience: str,
        reading: Reading,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = [audience.rstrip("/"), audience.rstrip("/") + "/"]
        self._reading = reading
        self._clock = clock
        self._monotonic = monotonic
        self._verified: dict[str, _Verified] = {}

    async def identity(self, token: str) -> Identity | None:
        """None for a token that is not accepted; why is only for the operator's log."""
        known = self._verified.get(token)
        if known is not None and self._holds(known):
            return known.identity
        try:
            identity = await self._verify(token)
        except Unclear as error:
            self._refuse(token, str(error))
            return None
        except (PyJWTError, ValueError) as error:
            self._refuse(token, type(error).__name__)  # its words may hold a part of the token
            return None
        self._remember(token, identity)
        return identity

    def _holds(self, known: _Verified) -> bool:
        return (
            known.edition == self.keys.edition
            and self._monotonic() - known.at < _REMEMBERED_SECONDS
            and self._clock.now().timestamp() < known.identity.expires_at
        )

    async def _verify(self, token: str) -> Identity:
        """Raises PyJWTError or Unclear."""
        if len(token) > _LONGEST:
            raise Unclear("it is too long to be one")
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        key = await self.keys.find(header.get("kid"), algorithm)
        if key is None:
            raise Unclear("no key of the issuer fits it")
        claims = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],  # of the key's own kind: `find` gave it for this algorithm
            audience=self._audience,
            issuer=self._issuer,
            options={
                "require": ["exp", "iss", "aud", "sub"],
                "verify_exp": False,  # times are held against the clock of the app
                "verify_nbf": False,
                "verify_iat": False,
                "enforce_minimum_key_length": True,
            },
        )
        return identity_of(claims, self._reading, self._clock.now())

    def _refuse(self, token: str, why: str) -> None:
        self._verified.pop(token, None)
        log.info("a token was refused: %s", why)

    def _remember(self, token: str, identity: Identity) -> None:
        if len(self._verified) >= _REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = _Verified(identity, self.keys.edition, self._monotonic())
