"""Many callers, one durable commit: jobs that come while a transaction is under way go into the next one together.

One thread works on the store. Each job has a savepoint of its own, so one that fails takes nothing of the others with
it; nobody is told anything before the commit all of them share. The queue is bounded: who finds it full is refused at
once, before anything was written. Jobs are handed over once the event loop has taken in all that has arrived, so that
thread and loop do not wait for each other in the middle of their work.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from tillgate.guards.desk import Desk
from tillgate.guards.errors import Busy, Unavailable

log = logging.getLogger("tillgate.writing")
T = TypeVar("T")
MOST_WAITING = 2_000
"""More jobs than this are refused."""
MOST_TOGETHER = 128
"""More jobs than this wait for the next transaction, so that the first does not wait for the last."""
_TURNS = 2
"""Turns of the event loop: in one it reads what has arrived, in the next what that led to asks for its job."""


class Batches(Protocol):
    """A store that does several jobs in one transaction."""

    def run_all(self, jobs: Sequence[Callable[[Any], Any]]) -> Sequence[Any | Exception]:
        """What each job returned or raised, once all of it is durable. Raises Unavailable when nothing of it is."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    job: Callable[[Any], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


class Writer:
    """Takes jobs from event loops and does them on a thread of its own until it is stopped."""

    def __init__(self, store: Batches, *, most_waiting: int = MOST_WAITING) -> None:
        self._store = store
        self._most = most_waiting
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._gathered: list[_Waiting] = []
        self._handing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._stopped = False

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more, finish what was taken, and wait until that is durable."""
        with self._handing:
            self._stopped = True
            self._hand_over()
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    async def run(self, job: Callable[[Desk], T]) -> T:
        """Do a job in a transaction with others. Cancelling the caller does not stop it: it is done and recorded."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._handing:
            if self._stopped or self.waiting >= self._most:
                raise Busy("shutting down" if self._stopped else "too many calls wait already")
            if not self._gathered:
                loop.call_soon(self._after_turns, loop, _TURNS)
            self._gathered.append(_Waiting(job, loop, future))
        return await future

    @property
    def waiting(self) -> int:
        """How many jobs are not begun yet."""
        return self._queue.qsize() + len(self._gathered)

    def _after_turns(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns > 1:
            loop.call_soon(self._after_turns, loop, turns - 1)
            return
        with self._handing:
            self._hand_over()

    def _hand_over(self) -> None:
        for waiting in self._gathered:
            self._queue.put(waiting)
        self._gathered.clear()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            taken, ended = self._together(first)
            self._do(taken)
            if ended:
                return

    def _together(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """The first and whatever else waits already; and whether that was the end."""
        taken = [first]
        while len(taken) < MOST_TOGETHER:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return taken, True
            taken.append(following)
        return taken, False

    def _do(self, taken: Sequence[_Waiting]) -> None:
        try:
            answers = self._store.run_all([each.job for each in taken])
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("a transaction of %d jobs failed", len(taken))
            answers = [error] * len(taken)
        loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for each, answer in zip(taken, answers, strict=True):
            loops.setdefault(each.loop, []).append((each.future, answer))
        for loop, told in loops.items():
            try:
                loop.call_soon_threadsafe(_tell, told)
            except RuntimeError:  # nobody listens on a closed loop; what was done is on record
                log.warning("%d answers had nobody to go to", len(told))


def _tell(told: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, answer in told:
        if future.done():
            continue  # whoever asked has gone
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
