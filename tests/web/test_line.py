"""Between the process that speaks HTTP and the gate: nobody waits for ever, and nothing but what is listed is asked."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import World, customer, make_world

from tillgate.guards.desk import Received
from tillgate.guards.effects import Answer, Refused, UnderWay, reach
from tillgate.guards.errors import Busy, Unavailable, Unsure
from tillgate.guards.steps import Ask
from tillgate.server import between
from tillgate.server.answering import Answering
from tillgate.server.driving import nobody_to_ask
from tillgate.server.payments.stub import StubProvider
from tillgate.server.web.line import Line
from tillgate.tools.shops.embedded.outside import PAYMENTS, refunds_outside

CALL = Received("get_order", {"order_id": "ord_1"}, customer())


class Gate:
    """The other end, which says what the test says."""

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line
        self._frames = between.Frames()
        self._heard: list[tuple[int, between.Request]] = []

    async def hears(self) -> tuple[int, between.Request]:
        while not self._heard:
            piece = await asyncio.get_running_loop().sock_recv(self._line, between.AT_ONCE)
            for frame in self._frames.add(piece):
                self._heard += between.requests.decode(frame)
        return self._heard.pop(0)

    async def says(self, number: int, answer: between.Answer) -> None:
        await asyncio.get_running_loop().sock_sendall(self._line, between.frame([between.part(number, answer)]))


@asynccontextmanager
async def talking(most_waiting: int = 10) -> AsyncIterator[tuple[Line, Gate, list[str]]]:
    ours, theirs = socket.socketpair()
    lost: list[str] = []
    line = Line(ours, lost=lambda: lost.append("lost"), most_waiting=most_waiting)
    with theirs:
        async with asyncio.timeout(30), line.open():
            yield line, Gate(theirs), lost


async def test_more_than_can_wait_are_refused_at_once_and_nobody_else_is() -> None:
    async with talking(most_waiting=2) as (line, gate, _):
        first, second = asyncio.ensure_future(line.words()), asyncio.ensure_future(line.words())
        number, _ = await gate.hears()
        with pytest.raises(Busy):
            await line.words()
        await gate.says(number, between.Plain("one"))
        assert await first == "one"
        third = asyncio.ensure_future(line.words())
        for each, word in ((second, "two"), (third, "three")):
            number, _ = await gate.hears()
            await gate.says(number, between.Plain(word))
            assert await each == word


async def test_a_question_to_somebody_who_has_gone_stands_for_another_time() -> None:
    async with talking() as (line, gate, _):
        call = asyncio.ensure_future(line.call(CALL, nobody_to_ask))
        number, _ = await gate.hears()
        call.cancel()
        await asyncio.wait([call])
        await gate.says(number, between.Question(Ask("form", "Shall I?", "cnf_1", "secret")))
        assert await gate.hears() == (number, between.Said(None))
        await gate.says(number, between.Failed("nobody hears this"))
        words = asyncio.ensure_future(line.words())
        number, _ = await gate.hears()
        await gate.says(number, between.Plain("still here"))
        assert await words == "still here"


async def test_who_goes_while_being_asked_has_not_said_yes() -> None:
    asked = asyncio.Event()

    async def never(_ask: Ask) -> bool | None:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody says anything")

    async with talking() as (line, gate, _):
        call = asyncio.ensure_future(line.call(CALL, never))
        number, _ = await gate.hears()
        await gate.says(number, between.Question(Ask("form", "Shall I?", "cnf_1", "secret")))
        await asked.wait()
        call.cancel()
        await asyncio.wait([call])
        assert await gate.hears() == (number, between.Said(None))


async def test_when_the_gate_is_gone_everybody_is_told() -> None:
    async with talking() as (line, gate, lost):
        words = asyncio.ensure_future(line.words())
        await gate.hears()
        gate._line.close()
        with pytest.raises(Unavailable):
            await words
        assert lost == ["lost"]


async def test_what_cannot_be_said_is_in_nobody_elses_way() -> None:
    """A scope of a token with half a character in it: no text can hold it."""
    broken = msgspec.structs.replace(CALL, caller=msgspec.structs.replace(CALL.caller, scopes=frozenset({"\ud800"})))
    async with talking() as (line, gate, _):
        unsayable = asyncio.ensure_future(line.call(broken, nobody_to_ask))
        words = asyncio.ensure_future(line.words())
        number, _ = await gate.hears()
        await gate.says(number, between.Plain("said"))
        assert await words == "said"
        with pytest.raises(ValueError, match="surrogates"):
            await unsayable


async def test_of_a_call_without_an_answer_nobody_says_that_nothing_was_done() -> None:
    async with talking() as (line, gate, _):
        call = asyncio.ensure_future(line.call(CALL, nobody_to_ask))
        number, _ = await gate.hears()
        await gate.says(number, between.Failed("a fault"))
        with pytest.raises(Unsure):
            await call


async def test_an_end_in_order_is_no_loss() -> None:
    async with talking() as (_line, _gate, lost):
        pass
    assert lost == []


@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 9), min_size=1))
def test_frames_are_whole_however_they_come(contents: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(between.frame([between.part(1, between.Plain(each))]) for each in contents)
    frames, found = between.Frames(), list[bytes]()
    while stream:
        for size in sizes:
            found += frames.add(stream[:size])
            stream = stream[size:]
    assert [between.answers.decode(each) for each in found] == [[(1, between.Plain(each))] for each in contents]


class Served:
    """A gate that answers, and the other end of the socket to it."""

    def __init__(self, world: World) -> None:
        ours, self.line = socket.socketpair()
        self.line.settimeout(20)
        self._answering = Answering(Live(world), world.store, ours)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._serve, args=[ours])
        self._thread.start()

    def ask(self, *content: Any) -> list[tuple[int, between.Answer]]:
        self.line.sendall(between.frame([between.part(number, each) for number, each in content]))
        answer = between.receive(self.line)
        assert answer is not None
        return between.answers.decode(answer)

    def close(self) -> None:
        self.line.close()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _serve(self, ours: socket.socket) -> None:
        with ours:
            self._answering.serve()


class Live:
    """As much of a served policy as is asked for here."""

    def __init__(self, world: World) -> None:
        self.gate = world.gate


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    made = Served(world)
    yield made
    made.close()


@pytest.mark.parametrize(
    "content",
    [
        b"\xc1",
        b"\x91\x92\x01\x81\xa4type\xa7Nothing",
        msgspec.msgpack.encode([(1, {"type": "Call", "received": {"tool": "get_order"}})]),
        msgspec.msgpack.encode([("one", {"type": "Health"})]),
    ],
)
def test_what_is_not_listed_is_not_answered_and_ends_it(
    served: Served, world: World, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    before = world.records()
    served.line.sendall(len(content).to_bytes(4, "little") + content)
    assert between.receive(served.line) is None
    assert "nobody understands" in caplog.text
    assert world.records() == before


def test_an_answer_that_cannot_be_said_takes_no_other_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tillgate.server.answering.policy_in_words", lambda *_: 2**64)
    monkeypatch.setattr(Live, "policy", None, raising=False)
    served = Served(world)
    told = dict(served.ask((1, between.Words()), (2, between.Words())))
    assert {type(each) for each in told.values()} == {between.Failed}
    assert "cannot be passed on" in caplog.text
    [(number, ended)] = served.ask((3, between.Call(CALL)))
    assert (number, type(ended)) == (3, between.Ended)
    served.close()


def test_an_answer_to_a_question_that_was_never_put_is_nothing(served: Served, world: World) -> None:
    [(number, answer)] = served.ask((7, between.Said(True)), (8, between.Call(CALL)))
    assert number == 8
    assert isinstance(answer, between.Ended)
    assert len(world.records()) == 1


REFUND = Received("issue_refund", {"order_id": "ord_1", "amount": "40.00", "reason": "late"}, customer())


@pytest.mark.parametrize("stays", [True, False])
def test_a_refund_that_is_with_the_provider_is_settled_whether_or_not_anybody_waits(
    world: World, tmp_path: Path, stays: bool
) -> None:
    world.store.outside = refunds_outside
    asked, pays = threading.Event(), threading.Event()
    books = StubProvider(tmp_path / "books.db", ("done",))

    def provider(way: UnderWay) -> Answer:
        asked.set()
        return reach({PAYMENTS: books}, way) if pays.wait(20) else Refused("it took too long")

    paid = Served(replace(world, gate=replace(world.gate, reach=provider)))
    paid.line.sendall(between.frame([between.part(1, between.Call(REFUND))]))
    assert asked.wait(20)
    if stays:
        pays.set()
        answer = between.receive(paid.line)
        assert answer is not None
        [(number, ended)] = between.answers.decode(answer)
        assert (number, isinstance(ended, between.Ended) and ended.outcome.status) == (1, "completed")
    else:
        paid.line.shutdown(socket.SHUT_RDWR)
        pays.set()
    paid.close()
    assert world.rows("SELECT amount FROM transfer WHERE kind = 'refund'") == [(4000,)]
    assert world.rows("SELECT status FROM escalation") == [("executed",)]


ASKING = """policy: asking
version: 1
currency: USD
rules:
  - {id: all, tools: "*", permit: true}
  - {id: ask, tools: [issue_refund], confirm: client}
"""


@pytest.mark.parametrize(("yes", "status"), [(True, "completed"), (False, "denied"), (None, "confirmation_required")])
def test_what_the_clients_user_says_goes_to_the_call_that_waits_for_it(
    world: World, yes: bool | None, status: str
) -> None:
    served = Served(world.under(ASKING))
    asked = msgspec.structs.replace(REFUND, caller=msgspec.structs.replace(REFUND.caller, asks=frozenset({"form"})))
    [(number, question)] = served.ask((1, between.Call(asked)))
    assert (number, type(question)) == (1, between.Question)
    [(number, ended)] = served.ask((1, between.Said(yes)))
    assert number == 1
    assert isinstance(ended, between.Ended)
    assert ended.outcome.status == status
    served.close()
