"""The life of one process of the crash loop: open, take up what others left, then act until somebody pulls the plug."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from random import Random
from typing import Any, Literal, TypeAlias

from battery.acts import Act, act
from battery.seeded import Fault, counter_of, opened
from battery.stage import Place, Shop, caller
from turning import Turning

from tillgate.guards import review
from tillgate.guards.desk import Received
from tillgate.guards.finishing import recover
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Steps, drive

Told: TypeAlias = tuple[Literal["act", "review", "broken"], int, Any]
"""What somebody outside was told: the outcome of an act, or the number 0 with a ruling or a fault."""
TOGETHER = 8
OFTEN = 12


@dataclass(frozen=True)
class Job:
    """What one process is to do. `together` is whether its callers share commits, as behind a transport for many."""

    place: Place
    seed: int
    turn: int
    numbers: Sequence[int]
    together: bool
    fault: Fault | None = None


def work(job: Job, out: "Connection[Any, Any]") -> None:
    """Do the job, and say of every answer what was said to its caller."""
    if job.fault is not None:
        logging.disable()  # a bug that was put in has much to say
    try:
        shop = opened(job.place, job.fault)
        life = _Life(job, shop, out.send)
        asyncio.run(life.together()) if job.together else life.alone()
    except BaseException:
        out.send(("broken", 0, traceback.format_exc()))
        raise


class _Life:
    def __init__(self, job: Job, shop: Shop, tell: Callable[[Told], None]) -> None:
        self._job, self._shop, self._tell = job, shop, tell
        self._chance = Random(f"{job.seed}/turn {job.turn}")

    def alone(self) -> None:
        """One call after the other, each in a transaction of its own."""
        for place, number in enumerate(self._job.numbers):
            if place % OFTEN == 0:
                self._drive(recover(self._shop.gate))
            if place % 4 == 1:
                self._review()
            self._act(act(self._job.seed, number))

    async def together(self) -> None:
        """Several callers at once."""
        async with Turning(self._shop.store, self._shop.gate.reach, counter_of(self._job.fault)) as counter:
            await asyncio.to_thread(self._drive, recover(self._shop.gate))
            left = iter(self._job.numbers)
            await asyncio.gather(*(self._caller(counter, left) for _ in range(TOGETHER)))

    async def _caller(self, counter: Turning, left: Any) -> None:
        for number in left:
            made = act(self._job.seed, number)
            if made.takes_back is not None:
                await asyncio.to_thread(self._act, made)
            else:
                received = Received(made.tool, made.arguments, caller(made.who))
                self._told(number, await counter.call(self._shop.gate, received))
            if self._chance.random() < 1 / OFTEN:
                await asyncio.to_thread(self._drive, recover(self._shop.gate))
                await asyncio.to_thread(self._review)

    def _act(self, made: Act) -> None:
        arguments = made.arguments
        if made.takes_back is not None:
            first = act(self._job.seed, made.takes_back)
            done = self._call(first, first.arguments)  # sent again: it is answered with its first outcome
            self._told(first.number, done)
            arguments = {**arguments, "call_id": done.call_id}
        self._told(made.number, self._call(made, arguments))

    def _call(self, made: Act, arguments: Any) -> Outcome:
        outcome: Outcome = self._drive(self._shop.gate.steps(Received(made.tool, arguments, caller(made.who))))
        return outcome

    def _told(self, number: int, outcome: Outcome) -> None:
        self._tell(("act", number, outcome.as_json()))

    def _review(self) -> None:
        """Somebody answers one of the requests that wait."""
        with self._shop.store.reading() as desk:
            waiting = [row["id"] for row in desk.sql.rows("SELECT id FROM escalation WHERE status = 'pending' LIMIT 9")]
        if not waiting:
            return
        handle = self._chance.choice(waiting)
        if self._chance.random() < 0.25:
            ruling = self._shop.store.run(lambda desk: review.deny(desk, handle, "rosa", "Not this time."))
        else:
            ruling = self._drive(review.approving(self._shop.gate, handle, "rosa"))
        if ruling.done:
            self._tell(("review", 0, (handle, ruling.status)))

    def _drive(self, steps: Steps[Any]) -> Any:
        return drive(steps, self._shop.store, self._shop.gate.reach)
