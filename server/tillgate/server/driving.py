"""Takes the steps of a call on an event loop: transactions as the transport has them done, questions to the client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import anyio

from tillgate.guards.desk import Desk
from tillgate.guards.effects import Reach
from tillgate.guards.steps import Ask, Step, Steps, Transact

T = TypeVar("T")
Run: TypeAlias = Callable[[Callable[[Desk], Any]], Awaitable[Any]]
"""Does a job in a transaction and gives back what it returned, once that is durable."""

AskClient: TypeAlias = Callable[[Ask], Awaitable[bool | None]]
"""Puts a question to the client's user: yes, no, or None where it cannot be put, or not now."""


async def nobody_to_ask(_ask: Ask) -> bool | None:
    """For a client that cannot be asked anything."""
    return None


async def drive(steps: Steps[T], run: Run, reach: Reach, ask: AskClient = nobody_to_ask) -> T:
    """Take every step. What happens outside has a thread of its own.

    Nobody who goes away stops any of them, but for a question to whoever has gone: that stands for another time.
    """
    try:
        step = next(steps)
        while True:
            try:
                done = await _take(step, run, reach, ask)
            except Exception as error:  # noqa: BLE001 - the journey says what a fault means
                step = steps.throw(error)
            else:
                step = steps.send(done)
    except StopIteration as end:
        ended: T = end.value
        return ended


async def _take(step: Step, run: Run, reach: Reach, ask: AskClient) -> Any:
    if isinstance(step, Ask):
        return await ask(step)
    with anyio.CancelScope(shield=True):
        if isinstance(step, Transact):
            return await run(step.job)
        return await asyncio.shield(asyncio.to_thread(reach, step))
