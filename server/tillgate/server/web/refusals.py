"""Requests that were refused before there was a call in them: counted, and told to the log a little at a time.

Whoever has no token can send as many as they like. So the log has one record when a kind of refusal begins, then one
for each interval that it lasts, with how many there were; and nothing in it is the sender's own choice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from tillgate.guards.errors import Busy, Unavailable

log = logging.getLogger("tillgate.web")
INTERVAL_SECONDS = 600.0
"""Ten kinds of refusal that never end are fewer than 1,500 records a day."""
Later = Callable[[float, Callable[[], None]], Any]
"""Has something done after so many seconds."""
WriteDown = Callable[[str, int], Awaitable[None]]
"""Has the log told of so many that were refused for this reason."""


class Refusals:
    """Counts refusals by why they were refused."""

    def __init__(self, write_down: WriteDown, later: Later | None = None) -> None:
        self._write_down = write_down
        self._later: Later = later or (lambda seconds, then: asyncio.get_running_loop().call_later(seconds, then))
        self._counts: dict[str, int] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, why: str) -> None:
        """One more. Nobody waits for its record."""
        if why in self._counts:
            self._counts[why] += 1
            return
        self._counts[why] = 0
        self._later(INTERVAL_SECONDS, lambda: self._end_of_interval(why))
        self._write(why, 1)

    async def close(self) -> None:
        """Write down what was only counted so far."""
        counts, self._counts = self._counts, {}
        for why, count in counts.items():
            if count:
                self._write(why, count)
        await asyncio.gather(*self._writing)

    def _end_of_interval(self, why: str) -> None:
        count = self._counts.pop(why, 0)
        if count:
            self._counts[why] = 0
            self._later(INTERVAL_SECONDS, lambda: self._end_of_interval(why))
            self._write(why, count)

    def _write(self, why: str, count: int) -> None:
        task = asyncio.get_running_loop().create_task(self._written(why, count))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _written(self, why: str, count: int) -> None:
        try:
            await self._write_down(why, count)
        except (Busy, Unavailable):
            if why in self._counts:
                self._counts[why] += count  # they are told with the next
            else:
                log.warning("%d refused requests (%s) could not be written down", count, why)
