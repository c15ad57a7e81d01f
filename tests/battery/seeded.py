"""Four bugs that a system like this could have, as variants of the real parts: the battery must find each of them.

They live here and nowhere else; no switch of the product makes them.
"""

import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, TypeVar, cast

from battery.stage import Place, Shop

from tillgate.guards.effects import Answer, Reach, UnderWay
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Step, Steps, Transact
from tillgate.server.counter import Counter, Put, Told, nobody
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.sqlite import SqliteStore

T = TypeVar("T")
Fault: TypeAlias = Literal["outside first", "fresh keys", "split", "early answer"]


def opened(place: Place, fault: Fault | None) -> Shop:
    """What one process has of the place, with one bug in it or as it is."""
    match fault:
        case "outside first":
            shop = place.open(_OutsideFirst)
            early = _Early(shop.gate.reach)
            cast(_OutsideFirst, shop.store).early = early
            return replace(shop, gate=replace(shop.gate, reach=early.known))
        case "fresh keys":
            shop = place.open()
            return replace(shop, gate=replace(shop.gate, reach=_with_fresh_keys(shop.gate.reach)))
        case "split":
            return place.open(_Split)
        case "early answer" | None:
            return place.open()


def counter_of(fault: Fault | None) -> type[Counter]:
    """What takes the calls of a process."""
    return _EarlyCounter if fault == "early answer" else Counter


@dataclass
class _Early:
    """Carries out what is under way before that is durable, and then says that it was done already."""

    reach: Reach

    def __post_init__(self) -> None:
        self._answers: dict[str, Answer] = {}

    def ahead(self, way: UnderWay) -> None:
        self._answers[way.handle] = self.reach(way)

    def known(self, way: UnderWay) -> Answer:
        return self._answers.pop(way.handle, None) or self.reach(way)


class _OutsideFirst(SqliteStore):
    """The external call goes out before its intent is durable."""

    early: _Early

    def run(self, job: Callable[[SqlDesk], T]) -> T:
        return super().run(lambda desk: self._ahead(job(desk)))

    def run_all(self, jobs: Any) -> Any:
        return super().run_all([self._then_ahead(job) for job in jobs])

    def _then_ahead(self, job: Callable[[SqlDesk], T]) -> Callable[[SqlDesk], T]:
        return lambda desk: self._ahead(job(desk))

    def _ahead(self, answer: T) -> T:
        if isinstance(answer, UnderWay):
            self.early.ahead(answer)
        return answer


def _with_fresh_keys(reach: Reach) -> Reach:
    """Every attempt has a key of its own."""

    def fresh(way: UnderWay) -> Answer:
        return reach(replace(way, handle=f"{way.handle}.{uuid.uuid4().hex}", how="first"))

    return fresh


class _Split(SqliteStore):
    """What changed is durable in one transaction, and what is written down of it in the next."""

    @contextmanager
    def transaction(self) -> Generator[SqlDesk]:
        with super().transaction() as desk:
            yield desk
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN IMMEDIATE")


class _EarlyCounter(Counter):
    """Callers are answered as soon as their job is done, before the commit they share."""

    def take(self, steps: Steps[Any], told: Told, put: Put = nobody) -> None:
        super().take(_answered_at_once(steps, told), told, put)


def _answered_at_once(steps: Steps[Any], told: Told) -> Steps[Any]:
    def early(step: Step) -> Step:
        if not isinstance(step, Transact):
            return step

        def job(desk: Any) -> Any:
            answer = desk.attempt(step.job)
            if isinstance(answer, Outcome):
                told(answer)
            return answer

        return Transact(job)

    done = None
    while True:
        try:
            done = yield early(steps.send(done))
        except StopIteration as end:
            return end.value
