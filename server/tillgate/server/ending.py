"""How a serving process ends: what is under way is finished and answered, and then it goes, within five seconds.

What cannot be finished in that time is written down as begun, and whoever serves the store next takes it up.
"""

import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from types import FrameType

import anyio

GRACE_SECONDS = 4.0
"""How long what is in flight may take once the process is told to end."""
LAST_SECONDS = 4.8
"""After so long it is over in any case."""
_MOMENT = 0.02


class Calls:
    """The calls that are under way."""

    def __init__(self) -> None:
        self._count = 0

    @contextmanager
    def one(self) -> Generator[None]:
        """One more, until it is answered."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    async def over(self) -> None:
        """Wait until none is left, but no longer than is left for it."""
        with anyio.move_on_after(GRACE_SECONDS):
            await anyio.sleep(_MOMENT)  # what was read last is handed on first
            while self._count:
                await anyio.sleep(_MOMENT)
            await anyio.sleep(_MOMENT)  # and what was answered last is written


async def answered(lines: AsyncIterator[str], calls: Calls) -> AsyncIterator[str]:
    """The same lines; their end comes when the calls in them are over."""
    async for line in lines:
        yield line
    await calls.over()


class Told:
    """Whether the process was told to end. Watches `SIGTERM` on the event loop, so never in the middle of a job."""

    def __init__(self) -> None:
        self.so = False

    async def watch(self, descriptor: int) -> None:
        """From when the process is told so, nothing more is read from the descriptor."""
        if sys.platform == "win32":
            return
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                self.so = True
                end_for_sure()
                anyio.notify_closing(descriptor)


def end_for_sure() -> None:
    """The process ends in time, whatever keeps it. What it had begun is on record, as after any death of a process."""
    timer = threading.Timer(LAST_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()


def end_now() -> None:
    """The other half of the server is gone: nobody here can answer anything any more."""
    os._exit(1)


def leave(_number: int, _frame: FrameType | None) -> None:
    """A signal handler: end in order, from wherever the process is."""
    raise SystemExit(0)
