"""Sessions of clients of the older protocol: so many for each principal, and none for longer than it is used.

The rule kept: whoever opens too many loses their own that was used longest ago, and nobody else's. A client that never
says goodbye is not locked out, and one in the middle of a call is not put out.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

SESSIONS_EACH = 32
"""More than these of one principal are not open at once."""
IDLE_SECONDS = 1_800.0
"""One that was not used for so long is over."""


@dataclass(slots=True)
class Opening:
    """One that is being opened; those of the same principal that are `ending` end for it."""

    ending: list[str]


@dataclass(slots=True)
class _Session:
    used_at: float
    busy: int = 0


class Sessions:
    """Knows which sessions of which principal are open. They are kept in the order in which they were used."""

    def __init__(self, each: int = SESSIONS_EACH, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._each = each
        self._monotonic = monotonic
        self._open: dict[str, dict[str, _Session]] = {}
        self._opening: dict[str, list[Opening]] = {}

    @contextmanager
    def opening(self, principal: str) -> Generator[Opening | None]:
        """One more is being opened, until it is `opened` or has failed. None where all that may be are in use."""
        ending = self._over(principal)
        taken = len(self._open.get(principal, ())) + len(self._opening.get(principal, ()))
        if taken >= self._each:
            idle = [name for name, each in self._open.get(principal, {}).items() if not each.busy]
            if not idle:
                yield None
                return
            ending.append(idle[0])
            self.ended(principal, idle[0])
        opening = Opening(ending)
        self._opening.setdefault(principal, []).append(opening)
        try:
            yield opening
        finally:
            self._no_more(principal, opening)

    def opened(self, principal: str, opening: Opening, name: str) -> None:
        """It is open, by this name."""
        self._no_more(principal, opening)
        self._open.setdefault(principal, {})[name] = _Session(self._monotonic())

    @contextmanager
    def using(self, principal: str, name: str) -> Generator[None]:
        """A request in it is under way, or a stream of it is open."""
        sessions = self._open.get(principal, {})
        session = sessions.pop(name, None)
        if session is None:  # of nobody, or of somebody else: it is not for us to say
            yield
            return
        sessions[name] = session
        session.busy += 1
        try:
            yield
        finally:
            session.busy -= 1
            session.used_at = self._monotonic()

    def ended(self, principal: str, name: str) -> None:
        """It is over."""
        sessions = self._open.get(principal, {})
        sessions.pop(name, None)
        if not sessions:
            self._open.pop(principal, None)

    def _no_more(self, principal: str, opening: Opening) -> None:
        under_way = [each for each in self._opening.get(principal, ()) if each is not opening]
        if under_way:
            self._opening[principal] = under_way
        else:
            self._opening.pop(principal, None)

    def _over(self, principal: str) -> list[str]:
        """Those that were not used for too long."""
        since = self._monotonic() - IDLE_SECONDS
        sessions = self._open.get(principal, {})
        over = [name for name, each in sessions.items() if not each.busy and each.used_at <= since]
        for name in over:
            self.ended(principal, name)
        return over
