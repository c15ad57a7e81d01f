"""The story: a refund that needs approval is asked for and approved, and then something happens. Nothing here knows
an engine.

Each scenario is the same steps for every engine, on an order of its own, and ends when nothing moves any more.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, TypeAlias

from benchmarks.approved_twice.provider import Books, Fault

APPROVED, CHANGED = "40.00", "90.00"
Saying: TypeAlias = Literal["done", "refused", "failed", "waiting", "in doubt"]
"""What the system says became of the request: the refund was made; it was not and will not be; it went wrong; it is
still to be approved or done; nobody can say."""
Doubt: TypeAlias = Literal["listed", "in the log", "nowhere"]
"""Where a person finds out that it is not known whether money moved: a command or page that lists it; only by
comparing records of a log; or nowhere."""

Ticket: TypeAlias = Mapping[str, Any]
"""What a request is known by to the person who looks at it and says yes: its `order`, its `amount`, and more."""
AT_ONCE = 2
"""How many deliveries there are when there are several at once."""


class Delivery(Protocol):
    """An approval on its way, and the worker that carries the request out."""

    def answer(self) -> str:
        """Wait for the worker; its words, or that it was killed."""
        ...


class Engine(Protocol):
    """One engine in one configuration, with at least two workers wherever it can have them."""

    @property
    def rounds_at_once(self) -> int:
        """How many rounds may be played beside each other."""
        ...

    def ask(self, order: str, amount: str) -> Ticket:
        """The agent asks for a refund of this order; it waits for a person."""
        ...

    def deliver(self, ticket: Ticket, worker: int = 0, start: Callable[[], object] | None = None) -> Delivery:
        """The person's yes reaches a worker, which carries the request out. With `start`, once that returns."""
        ...

    def victim(self) -> int:
        """The process to kill when the first worker dies; 0 for the one that calls the provider."""
        ...

    def gun(self) -> Callable[[], object]:
        """A start for several workers at once: returns for all of them when the last has called it."""
        ...

    def settle(self, ticket: Ticket) -> None:
        """Wait until nothing moves any more by itself, with all workers up again."""
        ...

    def says(self, ticket: Ticket) -> tuple[Saying, Doubt]:
        """What the system says became of it, and where a person sees a doubt about it."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """How one round ended. `refunds` are the amounts in the provider's books, `answers` the workers' words."""

    order: str
    refunds: tuple[str, ...]
    says: Saying
    doubt: Doubt
    answers: tuple[str, ...]


Played: TypeAlias = tuple[Ticket, list[str]]
Scenario: TypeAlias = Callable[[Engine, Books, str], Played]


def nothing_wrong(engine: Engine, _books: Books, order: str) -> Played:
    """The approval is delivered once and carried out."""
    ticket = engine.ask(order, APPROVED)
    return ticket, [engine.deliver(ticket).answer()]


def two_workers(engine: Engine, _books: Books, order: str) -> Played:
    """Two workers take the approved request at the same moment."""
    ticket, gun = engine.ask(order, APPROVED), engine.gun()
    deliveries = [engine.deliver(ticket, worker, gun) for worker in range(AT_ONCE)]
    return ticket, [delivery.answer() for delivery in deliveries]


def interrupted(fault: Fault, engine: Engine, books: Books, order: str) -> Played:
    """The first worker does not finish; then the approved request comes to another one."""
    ticket = engine.ask(order, APPROVED)
    books.arrange(order, fault, engine.victim())
    first = engine.deliver(ticket).answer()
    return ticket, [first, engine.deliver(ticket, 1).answer()]


def delivered_twice(engine: Engine, books: Books, order: str) -> Played:
    """The approval comes again while the first is being carried out, and once more when that is over."""
    ticket = engine.ask(order, APPROVED)
    books.arrange(order, "waits")
    first = engine.deliver(ticket)
    books.wait_until_held(order)
    second = engine.deliver(ticket, 1).answer()
    books.release(order)
    return ticket, [first.answer(), second, engine.deliver(ticket).answer()]


def changed_arguments(engine: Engine, _books: Books, order: str) -> Played:
    """The person looks at one amount; before the yes arrives, the agent asks for another in the same conversation."""
    ticket = engine.ask(order, APPROVED)
    engine.ask(order, CHANGED)
    return ticket, [engine.deliver({**ticket, "amount": CHANGED}).answer()]


SCENARIOS: Mapping[str, Scenario] = {
    "a": nothing_wrong,
    "b": two_workers,
    "c": partial(interrupted, "dies_after"),
    "d": partial(interrupted, "dies_before"),
    "e": delivered_twice,
    "f": changed_arguments,
    "g": partial(interrupted, "no_answer"),
}
TITLES: Mapping[str, str] = {
    "a": "nothing goes wrong",
    "b": "two workers at the same moment",
    "c": "killed after the refund, before its answer was stored",
    "d": "killed before the provider was reached",
    "e": "the approval is delivered twice",
    "f": "the arguments change before the yes arrives",
    "g": "the provider makes the refund and does not answer",
}


def play(engine: Engine, books: Books, scenario: str, order: str) -> Round:
    """One round, to its end."""
    ticket, answers = SCENARIOS[scenario](engine, books, order)
    engine.settle(ticket)
    says, doubt = engine.says(ticket)
    return Round(order, books.refunds(order), says, doubt, tuple(answers))
