"""A store on one database: one exclusive durable transaction at a time, nothing half done.

Whoever holds the writer's place holds it before the first read, so what a call saw is still so when it is applied,
also with several processes on the store. How the place is taken and what is durable each database says for itself.
"""

import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from tillgate.guards.errors import Unavailable
from tillgate.guards.ports import Minter
from tillgate.server.store.desk import Outside, SqlDesk, nothing_outside
from tillgate.tools.shops.embedded.sql import Overtaken, Sql

log = logging.getLogger("tillgate.store")
T = TypeVar("T")
TRIES = 4
"""How often a transaction is done before whoever asked is told that it was not."""
_AHEAD = 8
_PAUSE = 0.01
"""Seconds, at most and once more each time, so that two who are in each other's way do not meet again."""


class SqlStore(ABC):
    """Implements `tillgate.guards.desk.Store` for one shop of a database."""

    def __init__(self, shop: str, minter: Minter) -> None:
        self.shop = shop
        self.outside: Outside = nothing_outside
        self._minter = minter
        self._lock = threading.Lock()
        self._after_commit: Callable[[], None] = _nothing

    def on_commit(self, notify: Callable[[], None]) -> None:
        """Call this after each durable commit; it must not raise and must not block."""
        self._after_commit = notify

    @property
    def busy(self) -> bool:
        """Whether a transaction is under way."""
        return self._lock.locked()

    def now(self) -> datetime:
        """The time that counts in this store, for every process on it."""
        with self.reading() as desk:
            return desk.now

    def run(self, job: Callable[[SqlDesk], T]) -> T:
        """Do one job in a transaction of its own; durable when this returns. It may be begun anew, see `run_all`."""
        return self._tried(lambda desk: _alone(desk, job))

    def run_all(self, jobs: Sequence[Callable[[SqlDesk], Any]]) -> list[Any | Exception]:
        """Do several jobs in one transaction; what one of them raises is its answer, and nothing of it stays.

        All are done anew, and nobody was told anything, where somebody else's transaction came before this one, or
        where it was seen too late which of them had failed. So a job does nothing that stays but by its desk.
        """
        return self._tried(lambda desk: _answers(desk, jobs))

    def _tried(self, work: Callable[[SqlDesk], T]) -> T:
        """In a hurry the first time; then each statement is known to have gone well before the next job."""
        for left in reversed(range(TRIES)):
            try:
                with self.transaction() as desk:
                    if left == TRIES - 1:
                        desk.hurry()
                    done = work(desk)
            except Overtaken as error:
                if not left:
                    raise
                log.warning("a transaction is done anew: %s", error)
                time.sleep(random.uniform(0, _PAUSE * (TRIES - left)))  # noqa: S311
            else:
                return done
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def transaction(self) -> Generator[SqlDesk]:
        """One exclusive transaction: durable when the block ends, gone when it raises.

        Raises Unavailable when the store cannot take it now, or could not keep it.
        """
        with self._lock:
            desk = self._desk(*self._take_place())
            try:
                yield desk
                desk.close()
            except BaseException:
                self._roll_back()
                raise
            self._commit(desk)
        self._after_commit()

    @contextmanager
    def reading(self) -> Generator[SqlDesk]:
        """A look at one instant; nothing written in it stays."""
        with self._lock:
            desk = self._desk(*self._look())
            try:
                yield desk
            finally:
                self._roll_back()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._close()

    def _desk(self, sql: Sql, now: datetime) -> SqlDesk:
        return SqlDesk(sql, now, self._minter, self.outside)

    @abstractmethod
    def _take_place(self) -> tuple[Sql, datetime]:
        """Begin a transaction nobody else writes beside. Raises Unavailable when that takes too long."""

    @abstractmethod
    def _look(self) -> tuple[Sql, datetime]:
        """Begin a transaction that sees one instant and keeps nothing."""

    @abstractmethod
    def _commit(self, desk: SqlDesk) -> None:
        """Make it durable. Raises Unavailable where nobody can say that it is."""

    @abstractmethod
    def _roll_back(self) -> None:
        """Leave nothing of the transaction behind, if there still is one."""

    @abstractmethod
    def _close(self) -> None: ...


def _alone(desk: SqlDesk, job: Callable[[SqlDesk], T]) -> T:
    desk.look_ahead([job])
    return job(desk)


def _answers(desk: SqlDesk, jobs: Sequence[Callable[[SqlDesk], Any]]) -> list[Any | Exception]:
    """The database looks up what the jobs after these will need, while this process is at work on these."""
    desk.look_ahead(jobs[:_AHEAD])
    answers: list[Any | Exception] = []
    for place, job in enumerate(jobs):
        if place % _AHEAD == 0:
            desk.look_ahead(jobs[place + _AHEAD : place + 2 * _AHEAD])
        answers.append(_answer(desk, job))
    return answers


def _answer(desk: SqlDesk, job: Callable[[SqlDesk], Any]) -> Any:
    try:
        return desk.attempt(job)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - it is for whoever asked
        return error


def _nothing() -> None:
    return None
