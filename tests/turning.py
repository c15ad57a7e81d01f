"""A counter on a thread of its own, for callers on an event loop."""

import asyncio
import queue
import threading
from typing import Any

from tillgate.guards.desk import Received
from tillgate.guards.effects import Reach
from tillgate.guards.gate import Gate
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Steps
from tillgate.server.counter import Batches, Counter


class Turning:
    """While it is entered, calls are taken; what was taken by then is finished."""

    def __init__(self, store: Batches, reach: Reach, made: type[Counter] = Counter) -> None:
        self._came: queue.SimpleQueue[tuple[Steps[Any], Any] | None] = queue.SimpleQueue()
        self._counter = made(store, reach, lambda: self._came.put(None))
        self._thread = threading.Thread(target=self._turn)
        self._stopped = False

    async def __aenter__(self) -> "Turning":
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        self._stopped = True
        self._came.put(None)
        self._thread.join()

    async def run(self, steps: Steps[Any]) -> Any:
        """What the steps end in."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def told(ended: Any) -> None:
            loop.call_soon_threadsafe(_tell, future, ended)

        self._came.put((steps, told))
        return await future

    async def call(self, gate: Gate, received: Received) -> Outcome:
        """One call through the gate."""
        outcome: Outcome = await self.run(gate.steps(received))
        return outcome

    def _turn(self) -> None:
        while not self._stopped or not self._came.empty():
            if not self._counter.waiting:
                self._take(self._came.get())
            while not self._came.empty():
                self._take(self._came.get())
            self._counter.turn()
        self._counter.finish()

    def _take(self, came: tuple[Steps[Any], Any] | None) -> None:
        if came is not None:
            self._counter.take(*came)


def _tell(future: "asyncio.Future[Any]", ended: Any) -> None:
    if future.done():
        return
    if isinstance(ended, Exception):
        future.set_exception(ended)
    else:
        future.set_result(ended)
