"""The conversation of a caller that names none: the one it has been having, until it is silent for half an hour."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from tillgate.guards.ports import Clock

IDLE = timedelta(minutes=30)
_REMEMBERED = 10_000


Ask = Callable[[str, datetime], Awaitable[str]]
"""The name in the store: of this principal, unless it has been silent since then."""


class Conversations:
    """What is remembered here is in the store too, so a restart or another process breaks no conversation off."""

    def __init__(self, ask: Ask, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._running: dict[str, tuple[str, datetime]] = {}

    async def of(self, principal: str) -> str:
        """Its name. Raises Busy when the store has to be asked and has no time."""
        now = self._clock.now()
        known = self._running.pop(principal, None)
        if known is not None and now - known[1] < IDLE:
            name = known[0]
        else:
            name = await self._ask(principal, now - IDLE)
        if len(self._running) >= _REMEMBERED:
            del self._running[next(iter(self._running))]
        self._running[principal] = name, now
        return name
