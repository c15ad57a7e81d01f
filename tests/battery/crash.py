"""The crash loop: several processes on one shop, one of them killed at a random moment, and another one started."""

import contextlib
import multiprocessing
import os
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from random import Random
from typing import Any

import pytest
from battery.seeded import Fault
from battery.seen import Watch
from battery.stage import Place, Still
from battery.worker import Job, work

from tillgate.guards.finishing import recover
from tillgate.guards.steps import drive

BLOCK = 60
"""How many acts a process has before it: more than it gets to before somebody kills it."""


def forking() -> ForkServerContext:
    """Processes forked from one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["battery.preload"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()
    return context


@contextmanager
def crashing(place: Place, watch: Watch, seed: int, slots: int = 2, fault: Fault | None = None) -> Generator["Loop"]:
    """A loop whose processes do not outlive it."""
    loop = Loop(place, watch, seed, slots, fault)
    try:
        yield loop
    finally:
        loop.stop()


@dataclass
class _Slot:
    process: ForkServerProcess
    hears: "Connection[Any, Any]"
    numbers: Sequence[int]


class Loop:
    """One run of the crash loop. What is done follows from its seed; when it is killed does not."""

    def __init__(self, place: Place, watch: Watch, seed: int, slots: int, fault: Fault | None) -> None:
        self._place, self._watch, self._seed, self._fault = place, watch, seed, fault
        self._chance = Random(seed)
        self._context = forking()
        self._turn, self._next = 0, 1
        self._owed: list[int] = []
        self._answered: set[int] = set()
        self._slots = [self._started() for _ in range(slots)]

    def kill_one(self, longest: float) -> None:
        """Let them work for up to so many seconds, and end one of them where it stands."""
        self._listen(self._chance.uniform(0, longest))
        place = self._chance.randrange(len(self._slots))
        self._end(self._slots[place])
        self._slots[place] = self._started()

    def finish(self) -> None:
        """Kill what is left, do what is still owed, and settle what is under way an hour later, and two."""
        self.stop()
        while self._owed:
            last = self._started(fresh=0)
            while self._hear(last):
                pass
            self._end(last)
        later = Still(self._place.clock.now())
        shop = replace(self._place, clock=later).open()
        for _ in range(3):
            later.at += timedelta(hours=1)
            drive(recover(shop.gate), shop.store, shop.gate.reach)
        shop.store.close()

    def stop(self) -> None:
        """Kill what is left."""
        for slot in self._slots:
            self._end(slot)
        self._slots = []

    def _listen(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            slots = {slot.hears: slot for slot in self._slots if not slot.hears.closed}
            for heard in wait(list(slots), left):
                if not self._hear(slots[heard]):  # type: ignore[index]
                    slots[heard].hears.close()  # type: ignore[index]

    def _started(self, fresh: int = BLOCK) -> _Slot:
        """A process that sends again what nobody heard the end of, and then new acts."""
        self._turn += 1
        numbers, self._owed = self._owed[:BLOCK], self._owed[BLOCK:]
        new = range(self._next, self._next + max(0, fresh - len(numbers)))
        self._next = new.stop
        numbers = [*numbers, *new]
        job = Job(self._place, self._seed, self._turn, numbers, self._turn % 2 == 0, self._fault)
        hears, says = self._context.Pipe(duplex=False)
        process = self._context.Process(target=work, args=(job, says), daemon=True)
        process.start()
        says.close()
        return _Slot(process, hears, numbers)

    def _end(self, slot: _Slot) -> None:
        slot.process.kill()
        slot.process.join()
        slot.process.close()
        while not slot.hears.closed and self._hear(slot):
            pass
        slot.hears.close()
        self._owed += [number for number in slot.numbers if number not in self._answered]

    def _hear(self, slot: _Slot) -> bool:
        """One more answer of this process; False at its end, which may have cut the last one off."""
        with contextlib.suppress(EOFError, OSError):
            told = slot.hears.recv()
            self._watch.answers.append(told)
            if told[0] == "act":
                self._answered.add(told[1])
            return True
        return False
