"""The side of the gate: answers what the process that speaks HTTP asks for, many requests to a commit."""

import logging
import select
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import MsgspecError, Raw

from tillgate.guards.audit.record import rfc3339
from tillgate.guards.desk import Desk
from tillgate.guards.errors import Busy
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Ask, Steps, Transact
from tillgate.server import between
from tillgate.server.between import Answer
from tillgate.server.counter import Counter
from tillgate.server.questions import entered, is_open
from tillgate.server.reloading import LivePolicy
from tillgate.server.store.running import running
from tillgate.server.store.store import SqlStore
from tillgate.server.words import policy_in_words

log = logging.getLogger("tillgate.answering")


class Answering:
    """Serves the other end of a socket until that is closed; what it had asked for by then is finished first."""

    def __init__(self, live: LivePolicy, store: SqlStore, line: socket.socket) -> None:
        self._live = live
        self._line = line
        self._frames = between.Frames()
        self._woken, self._wake = socket.socketpair()
        self._counter = Counter(store, live.gate.reach, self._interrupt)
        self._told: list[Raw] = []
        self._asked: dict[int, Callable[[bool | None], None]] = {}
        self._gone = False

    def serve(self) -> None:
        """On this thread, to the end."""
        with self._woken, self._wake:
            while not self._gone:
                self._take_what_came()
                self._counter.turn()
                self._tell()
            self._counter.finish()

    def _interrupt(self) -> None:
        """From another thread: there is something to do."""
        self._wake.send(b".")

    def _take_what_came(self) -> None:
        """Wait only when there is nothing else to do."""
        ready, _, _ = select.select([self._line, self._woken], [], [], 0 if self._counter.waiting else None)
        if self._woken in ready:
            self._woken.recv(between.AT_ONCE)
        if self._line not in ready:
            return
        piece = self._heard()
        self._gone = not piece
        try:
            came = [each for frame in self._frames.add(piece) for each in between.requests.decode(frame)]
        except MsgspecError:
            log.exception("the process that speaks HTTP says what nobody understands")
            self._gone = True
            return
        for number, request in came:
            self._begin(number, request)

    def _heard(self) -> bytes:
        try:
            return self._line.recv(between.AT_ONCE)
        except OSError:  # the other side was killed
            return b""

    def _tell(self) -> None:
        told, self._told = self._told, []
        try:
            if told:
                self._line.sendall(between.frame(told))
        except OSError:
            self._gone = True  # nobody is there to be told; what was done is on record

    def _begin(self, number: int, request: between.Request) -> None:
        if isinstance(request, between.Said):
            if (resume := self._asked.pop(number, None)) is not None:
                resume(request.yes)
            return
        self._counter.take(self._steps(request), partial(self._ended, number), partial(self._put, number))

    def _steps(self, request: between.Request) -> Steps[Any]:
        live = self._live
        match request:
            case between.Call(received):
                return live.gate.steps(received)
            case between.Running(principal, since):
                return _once(lambda desk: running(desk.sql, desk.shop, principal, since))
            case between.Refusal(why, count):
                return _once(lambda desk: _write_down(desk, why, count))
            case between.Open(question):
                return _once(lambda desk: is_open(desk, question))
            case between.Code(question, code):
                return entered(live.gate, question, code)
            case between.Health():
                return health(live)
            case between.Words():
                return _words(live)
            case between.Said():
                raise TypeError("an answer begins nothing")

    def _ended(self, number: int, ended: Any) -> None:
        self._asked.pop(number, None)
        self._say(number, _answer(ended))

    def _put(self, number: int, ask: Ask, said: Callable[[bool | None], None]) -> None:
        self._asked[number] = said
        self._say(number, between.Question(ask))

    def _say(self, number: int, answer: Answer) -> None:
        try:
            part = between.part(number, answer)
        except ValueError:
            log.exception("an answer cannot be passed on")
            part = between.part(number, between.Failed("the answer cannot be passed on"))
        self._told.append(part)


def health(live: LivePolicy) -> Steps[dict[str, Any]]:
    """What is served, and whether the store can keep something now: found out by keeping something."""
    try:
        yield from _once(lambda desk: desk.serve_with("healthy_at", rfc3339(desk.now)))
    except Exception:
        log.exception("the store can keep nothing")
        return {**live.health(), "store": "failing"}
    return {**live.health(), "store": "well"}


def _once(job: Callable[[Any], Any]) -> Steps[Any]:
    return (yield Transact(job))


def _words(live: LivePolicy) -> Steps[str]:
    yield from ()  # it asks for nothing
    return policy_in_words(live.gate.tools, live.policy)


def _write_down(desk: Desk, why: str, count: int) -> None:
    desk.append({"kind": "refused_requests", "at": rfc3339(desk.now), "why": why, "count": count}, ())


def _answer(ended: Any) -> Answer:
    if isinstance(ended, Outcome):
        return between.Ended(ended)
    if isinstance(ended, Exception):
        return between.Failed(str(ended), isinstance(ended, Busy))
    return between.Plain(ended)
