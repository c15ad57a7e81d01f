"""The world's side of the ports: the clock on the wall, or a fixed one, and real randomness."""

import os
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from tillgate.guards.ports import Clock
from tillgate.server.settings import Settings

_NS_A_MS = 1_000_000
_VERSION_7 = 7 << 76 | 2 << 62
_RANDOM = (1 << 62) - 1
"""The bits after time, version, fraction and variant."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The time, in whole seconds UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """One instant for ever, for replays and tests (`TILLGATE_NOW`)."""

    at: datetime

    def now(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class RandomMinter:
    """Ids that sort by time and secrets from the system's own source."""

    def id(self, prefix: str) -> str:
        """With an UUID of version 7 (RFC 9562, §6.2 method 3): milliseconds, 1/4096 of one, then 62 random bits."""
        ms, ns = divmod(time.time_ns(), _NS_A_MS)
        fraction = (ns << 12) // _NS_A_MS
        random = int.from_bytes(os.urandom(8)) & _RANDOM
        return f"{prefix}_{ms << 80 | _VERSION_7 | fraction << 64 | random:032x}"

    def code(self) -> str:
        return f"{secrets.randbelow(1_000_000):06d}"

    def token(self) -> str:
        return secrets.token_urlsafe(24)


def clock_of(settings: Settings) -> Clock:
    """The clock of this process, or the fixed one of these settings. What the store keeps goes by the store's own."""
    return FixedClock(settings.now) if settings.now else SystemClock()
