"""The world's side of the ports: the clock on the wall, or a fixed one, and real randomness."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import uuid6


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
        return f"{prefix}_{uuid6.uuid7().hex}"

    def code(self) -> str:
        return f"{secrets.randbelow(1_000_000):06d}"

    def token(self) -> str:
        return secrets.token_urlsafe(24)
