"""Takes the calls of many clients through their steps: whatever waits together shares one durable commit.

One thread works here, the one that serves. Each job has a savepoint of its own, so one that fails takes nothing of the
others with it; nobody is told anything before the commit all of them share. What happens outside has threads of its
own, and its answer comes back here.
"""

import logging
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from tillgate.guards.effects import Reach, UnderWay
from tillgate.guards.errors import Unavailable
from tillgate.guards.steps import Ask, Steps, Transact

log = logging.getLogger("tillgate.counter")
MOST_TOGETHER = 128
"""More jobs than this wait for the next transaction, so that the first does not wait for the last."""
OUTSIDE_AT_ONCE = 16
"""How many calls may be with a provider at one time; the others wait for their turn there."""

Told = Callable[[Any], None]
"""Is given what the steps ended in: what they return, or the exception they raised."""

Put = Callable[[Ask, Callable[[bool | None], None]], None]
"""Puts a question to the client and passes its answer on, now or later, on the thread that serves."""


class Batches(Protocol):
    """A store that does several jobs in one transaction."""

    def run_all(self, jobs: Sequence[Callable[[Any], Any]]) -> Sequence[Any | Exception]:
        """What each job returned or raised, once all of it is durable. Raises Unavailable when nothing of it is."""
        ...


def nobody(_ask: Ask, said: Callable[[bool | None], None]) -> None:
    """For a client that cannot be asked anything."""
    said(None)


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    steps: Steps[Any]
    told: Told
    put: Put


class Counter:
    """Where calls wait for each other. Everything but `wake` happens on the thread that serves."""

    def __init__(self, store: Batches, reach: Reach, wake: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._reach = reach
        self._wake = wake
        self._waiting: list[tuple[_Taken, Callable[[Any], Any]]] = []
        self._outside = 0
        self._back: queue.SimpleQueue[tuple[_Taken, Any]] = queue.SimpleQueue()
        self._providers = ThreadPoolExecutor(OUTSIDE_AT_ONCE, "outside")

    @property
    def waiting(self) -> bool:
        """Whether there is something to do for `turn`."""
        return bool(self._waiting) or not self._back.empty()

    def take(self, steps: Steps[Any], told: Told, put: Put = nobody) -> None:
        """Begin with steps; `told` is called once they have ended."""
        self._on(_Taken(steps, told, put), None)

    def turn(self) -> None:
        """Do what waits in one transaction, and take each on to what it asks for next."""
        while not self._back.empty():
            self._come_back()
        now, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        if now:
            for (taken, _), done in zip(now, self._done([job for _, job in now]), strict=True):
                self._on(taken, done)

    def finish(self) -> None:
        """Go on until nothing is under way but questions."""
        while self._waiting or self._outside:
            if not self._waiting:
                self._come_back()
            self.turn()

    def _done(self, jobs: Sequence[Callable[[Any], Any]]) -> Sequence[Any | Exception]:
        try:
            return self._store.run_all(jobs)
        except Exception as error:
            if not isinstance(error, Unavailable):
                log.exception("a transaction of %d jobs failed", len(jobs))
            return [error] * len(jobs)

    def _on(self, taken: _Taken, done: Any) -> None:
        """Give steps what came of the last one, and see to the next."""
        try:
            step = taken.steps.throw(done) if isinstance(done, Exception) else taken.steps.send(done)
        except StopIteration as end:
            taken.told(end.value)
        except Exception as error:  # noqa: BLE001 - it is for whoever asked
            taken.told(error)
        else:
            match step:
                case Transact(job):
                    self._waiting.append((taken, job))
                case UnderWay():
                    self._outside += 1
                    self._providers.submit(self._carry_out, taken, step)
                case Ask():
                    taken.put(step, partial(self._on, taken))

    def _carry_out(self, taken: _Taken, way: UnderWay) -> None:
        try:
            answer: Any = self._reach(way)
        except Exception as error:  # noqa: BLE001 - the journey says what a fault means
            answer = error
        self._back.put((taken, answer))
        self._wake()

    def _come_back(self) -> None:
        taken, answer = self._back.get()
        self._outside -= 1
        self._on(taken, answer)
