"""A call as the steps it asks of the world: transactions, and between them what happens outside.

The gate says what comes next and the driver does it, so the same journey serves a caller that waits, an event loop,
and a test that pulls the plug between any two steps.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from tillgate.guards.desk import Desk, Store
from tillgate.guards.effects import Reach, UnderWay

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Transact:
    """Do this in one transaction and give back what it returns, once that is durable."""

    job: Callable[[Desk], Any]


Step: TypeAlias = Transact | UnderWay
"""`UnderWay` asks for its effects to be carried out, and is given their `Answer`."""

Steps: TypeAlias = Generator[Step, Any, T]


def drive(steps: Steps[T], store: Store, reach: Reach) -> T:
    """Take every step here and now, and return what the journey returns."""
    try:
        step = next(steps)
        while True:
            try:
                done = store.run(step.job) if isinstance(step, Transact) else reach(step)
            except Exception as error:  # noqa: BLE001 - the journey says what a fault means
                step = steps.throw(error)
            else:
                step = steps.send(done)
    except StopIteration as end:
        ended: T = end.value
        return ended
