"""The side of HTTP: asks the process that has the gate, and waits for its answers without holding anybody else up."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from msgspec import Raw

from tillgate.guards.desk import Received
from tillgate.guards.errors import Busy, Unavailable, Unsure
from tillgate.guards.outcome import Outcome
from tillgate.server import between
from tillgate.server.between import Answer, Request
from tillgate.server.driving import AskClient

MOST_WAITING = 2_000
"""More requests than this are refused, before anything is written."""
_TURNS = 2
"""Turns of the event loop: in one it reads what has arrived, in the next what that led to asks for its part."""


class Line(asyncio.Protocol):
    """One socket to the gate. What is asked for within a turn of the event loop goes in one frame."""

    def __init__(self, line: socket.socket, *, lost: Callable[[], None], most_waiting: int = MOST_WAITING) -> None:
        self._line = line
        self._lost = lost
        self._most = most_waiting
        self._frames = between.Frames()
        self._number = 0
        self._gathered: list[Raw] = []
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._transport: asyncio.WriteTransport | None = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        """From the first request to the last."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, sock=self._line)
        try:
            yield
        finally:
            self._lost = _nothing
            self._send()
            self._transport.close()

    async def call(self, received: Received, ask: AskClient) -> Outcome:
        """A call through the gate. Whoever goes away stops nothing of it; a question to them then stands.

        Raises Unsure when the gate does not say what became of it, and ValueError for one that cannot be passed on.
        """
        number = self._next()
        answer = await self._ask(number, between.Call(received))
        while isinstance(answer, between.Question):
            try:
                yes = await ask(answer.ask)
            except BaseException:
                self._nobody_said(number)
                raise
            answer = await self._ask(number, between.Said(yes))
        if isinstance(answer, between.Ended):
            return answer.outcome
        raise Unsure(f"the gate does not say what became of a call: {answer}")

    async def running(self, principal: str, since: datetime) -> str:
        """The name of the conversation that this principal is having, unless it has been silent since then."""
        name: str = await self._plain(between.Running(principal, since))
        return name

    async def refused(self, why: str, count: int) -> None:
        """So many requests were refused before there was a call in them."""
        await self._plain(between.Refusal(why, count))

    async def is_open(self, question: str) -> bool:
        """Whether a code can still answer a question."""
        return bool(await self._plain(between.Open(question)))

    async def entered(self, question: str, code: str) -> bool:
        """A code that the customer entered; whether it was right."""
        return bool(await self._plain(between.Code(question, code)))

    async def health(self) -> dict[str, Any]:
        """What is served, and whether anything is wrong with it."""
        found: dict[str, Any] = await self._plain(between.Health())
        return found

    async def words(self) -> str:
        """The policy as a customer may read it."""
        text: str = await self._plain(between.Words())
        return text

    async def _plain(self, request: Request) -> Any:
        answer = await self._ask(self._next(), request)
        if isinstance(answer, between.Plain):
            return answer.value
        raise _failure(answer)

    def _next(self) -> int:
        if len(self._waiting) >= self._most:
            raise Busy("too many requests wait already")
        self._number += 1
        return self._number

    def _ask(self, number: int, request: Request) -> "asyncio.Future[Answer]":
        loop, part = asyncio.get_running_loop(), between.part(number, request)
        if not self._gathered:
            loop.call_soon(self._after_turns, loop, _TURNS)
        self._gathered.append(part)
        self._waiting[number] = future = loop.create_future()
        return future

    def _after_turns(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns > 1:
            loop.call_soon(self._after_turns, loop, turns - 1)
        else:
            self._send()

    def _send(self) -> None:
        if self._gathered and self._transport is not None:
            self._transport.write(between.frame(self._gathered))
        self._gathered = []

    def data_received(self, data: bytes) -> None:
        for frame in self._frames.add(data):
            for number, answer in between.answers.decode(frame):
                self._hear(number, answer)

    def _hear(self, number: int, answer: Answer) -> None:
        future = self._waiting.pop(number)
        if not future.done():
            future.set_result(answer)
        elif isinstance(answer, between.Question):
            self._nobody_said(number)

    def _nobody_said(self, number: int) -> None:
        """Whoever should be asked has gone, and waits for nothing more."""
        self._ask(number, between.Said(None)).cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(Unsure("the process that has the gate has ended"))
        self._lost()


def _failure(answer: Answer) -> Exception:
    if isinstance(answer, between.Failed):
        return Busy(answer.why) if answer.busy else Unavailable(answer.why)
    return TypeError(f"{type(answer).__name__} is no answer to this")


def _nothing() -> None:
    """It was meant to end."""
