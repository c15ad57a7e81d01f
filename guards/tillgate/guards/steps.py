"""A call as the steps it asks of the world: transactions, and between them what happens outside.

The gate says what comes next and the driver does it, so the same journey serves a caller that waits, an event loop,
and a test that pulls the plug between any two steps.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from tillgate.guards.desk import Desk, Store, Way
from tillgate.guards.effects import Reach, UnderWay
from tillgate.guards.outcome import Outcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Transact:
    """Do this in one transaction and give back what it returns, once that is durable.

    It may be begun anew as long as nothing of it is durable, so it does nothing that stays but by its desk. A job with
    an attribute `received` says which call it is about: whoever does many may look up ahead what that one will need.
    """

    job: Callable[[Desk], Any]


class Ask(Struct, frozen=True):
    """Put a question to whoever sits at the client: a form to agree to, or a page of ours to open.

    `secret` is the token that a yes in the form sends back to the gate; it is for the client's own interface and is
    never shown to a model. The driver gives back True for a yes (of a page: it was opened), False for a no, and None
    where it cannot ask, or not now.
    """

    how: Way
    message: str
    pending: str
    secret: str | None = None
    url: str | None = None


class Asked(Struct, frozen=True):
    """A call that was sent back, and how the client itself could be asked; `outcome` is what it is told otherwise."""

    outcome: Outcome
    ask: Ask


Step: TypeAlias = Transact | UnderWay | Ask
"""`UnderWay` asks for its effects to be carried out, and is given their `Answer`."""

Steps: TypeAlias = Generator[Step, Any, T]


def _take(step: Step, store: Store, reach: Reach) -> Any:
    match step:
        case Transact(job):
            return store.run(job)
        case UnderWay():
            return reach(step)
        case Ask():
            return None


def drive(steps: Steps[T], store: Store, reach: Reach) -> T:
    """Take every step here and now, and return what the journey returns. There is nobody to ask."""
    try:
        step = next(steps)
        while True:
            try:
                done = _take(step, store, reach)
            except Exception as error:  # noqa: BLE001 - the journey says what a fault means
                step = steps.throw(error)
            else:
                step = steps.send(done)
    except StopIteration as end:
        ended: T = end.value
        return ended
