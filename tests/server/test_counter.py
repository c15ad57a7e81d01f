"""Calls that share a commit: each as if alone, none told before it is durable, and none taken that cannot be."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from turning import Turning
from worlds import World, customer, stranger

from tillgate.guards.desk import Received
from tillgate.guards.effects import Answer, Done, Refused, UnderWay
from tillgate.guards.errors import Unavailable
from tillgate.guards.gate import Journey
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Ask, Steps, Transact
from tillgate.server.counter import MOST_TOGETHER, Counter
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.log import stored_lines, unrecorded

pytestmark = pytest.mark.every_store


THREE = """policy: three
version: 1
currency: USD
budgets: [{id: refunds, tools: [issue_refund], per: customer.id, window: 30d, limit: {count: 3}, exceeded: deny}]
rules:
  - {id: all, tools: "*", permit: true}
"""


def turning(world: World) -> Turning:
    return Turning(world.store, world.gate.reach)


async def call(world: World, counter: Turning, tool: str, talk: str = "talk", **arguments: Any) -> Outcome:
    return await counter.call(world.gate, Received(tool, arguments, customer(conversation=talk)))


async def test_sixty_four_at_once_on_a_budget_for_three_are_three(world: World) -> None:
    world = world.under(THREE)
    async with turning(world) as counter:
        refunds = (
            call(world, counter, "issue_refund", f"talk{n}", order_id="ord_1", amount="1.00", reason=f"no {n}")
            for n in range(64)
        )
        outcomes = await asyncio.gather(*refunds)
    assert sorted(outcome.status for outcome in outcomes) == ["completed"] * 3 + ["denied"] * 61
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(3,)]
    assert len(world.records()) == 64
    with world.store.reading() as desk:
        assert unrecorded(desk.sql) == []
        stored_lines(desk.sql)


async def test_the_same_key_sixty_four_times_at_once_acts_once(world: World) -> None:
    async with turning(world) as counter:
        refund = {"order_id": "ord_1", "amount": "5.00", "reason": "late", "idempotency_key": "once"}
        outcomes = await asyncio.gather(
            *(call(world, counter, "issue_refund", f"talk{n}", **refund) for n in range(64))
        )
    assert {outcome.status for outcome in outcomes} == {"completed"}
    assert [outcome.replayed for outcome in outcomes].count(False) == 1
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(1,)]


def put(reason: str, then: Callable[[], None] = lambda: None) -> Callable[[SqlDesk], str]:
    def job(desk: SqlDesk) -> str:
        desk.append({"kind": "failure", "at": "2026-01-01T00:00:00Z", "why": reason}, ())
        desk.sql.run("UPDATE product SET title = ? WHERE id = 'p_1'", (reason,))
        desk.history("nobody", 1)  # writes what waits, inside this job's savepoint
        then()
        return reason

    return job


def breaks() -> None:
    raise RuntimeError("broken")


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (0, 2, 1)])
def test_a_job_that_fails_takes_nothing_of_the_others_with_it(world: World, order: Sequence[int]) -> None:
    jobs = [put("first"), put("second", breaks), put("third")]
    answers = world.store.run_all([jobs[n] for n in order])
    told = {0: "first", 2: "third"}
    assert [answer if isinstance(answer, str) else None for answer in answers] == [told.get(n) for n in order]
    assert [record["why"] for record in world.records()] == [told[n] for n in order if n in told]
    assert world.rows("SELECT title FROM product") == [([told[n] for n in order if n in told][-1],)]
    with world.store.reading() as desk:
        stored_lines(desk.sql)


def counted(world: World) -> list[tuple[str, int, int]]:
    return [(row[0], row[1], row[2]) for row in world.rows("SELECT name, calls, writes FROM conversation ORDER BY id")]


def statuses(answers: Sequence[object]) -> list[str]:
    return [each.status if isinstance(each, Outcome) else type(each).__name__ for each in answers]


TALKATIVE = """
  - {id: all, tools: "*", permit: true}
  - {id: often, tools: [get_order], when: "conversation.calls >= 2", deny: often}
"""


def test_calls_of_one_conversation_in_a_batch_count_one_another(world: World) -> None:
    world = world.under(TALKATIVE)
    order = Received("get_order", {"order_id": "ord_1"}, customer())
    refund = Received("issue_refund", {"order_id": "ord_1", "amount": "5.00", "reason": "late"}, customer())
    asked = [Journey(world.gate, received, f"call_{n}") for n, received in enumerate([refund, order, order])]

    def broken(desk: SqlDesk) -> None:
        assert isinstance(asked[1](desk), Outcome)
        desk.history("stdio:test/talk", 9)  # writes what waits
        breaks()

    answers = world.store.run_all([asked[0], broken, asked[1], asked[2]])
    assert statuses(answers) == ["completed", "RuntimeError", "completed", "denied"]
    assert counted(world) == [("talk", 3, 1)]
    with world.store.reading() as desk:
        assert unrecorded(desk.sql) == []
        assert len(desk.history("stdio:test/talk", 9)) == 3


def test_a_conversation_that_was_opened_by_a_job_that_fails_was_never_opened(world: World) -> None:
    order = Received("get_order", {"order_id": "ord_1"}, customer())
    call = Journey(world.gate, order, "call_1")

    def broken(desk: SqlDesk) -> None:
        call(desk)
        breaks()

    assert statuses(world.store.run_all([broken, call])) == ["RuntimeError", "completed"]
    assert counted(world) == [("talk", 1, 0)]


def test_who_is_identified_in_a_batch_is_known_to_its_next_call(world: World) -> None:
    caller = stranger()
    named = {"first_name": "Person1", "last_name": "Example", "postal_code": "80279"}
    asked = [("get_cart", {"cart_id": "cart_1"}), ("identify_customer", named), ("get_order", {"order_id": "ord_1"})]
    jobs = [Journey(world.gate, Received(tool, given, caller), f"call_{n}") for n, (tool, given) in enumerate(asked)]
    answers = world.store.run_all([*jobs, jobs[-1]])
    assert statuses(answers)[1:] == ["completed"] * 3
    assert [count[1] for count in counted(world)] == [4]


def test_a_transaction_that_ends_before_its_time_takes_every_job_with_it(world: World) -> None:
    def ends(desk: SqlDesk) -> None:
        desk.sql.run("ROLLBACK")  # what SQLite does by itself when the disk is full
        raise RuntimeError("database or disk is full")

    with pytest.raises(Unavailable):
        world.store.run_all([put("first"), ends, put("third")])
    assert world.records() == []
    assert world.rows("SELECT title FROM product") == [("T-Shirt",)]
    assert world.store.run_all([put("after")]) == ["after"]


async def test_stopping_finishes_what_was_taken(world: World) -> None:
    async with turning(world) as counter:
        taken = [asyncio.ensure_future(call(world, counter, "get_order", order_id="ord_1")) for _ in range(40)]
        await asyncio.sleep(0)
    assert {outcome.status for outcome in await asyncio.gather(*taken)} == {"completed"}
    assert len(world.records()) == 40


async def test_a_caller_who_goes_away_does_not_stop_what_was_begun(world: World) -> None:
    async with turning(world) as counter:
        refund = {"order_id": "ord_1", "amount": "5.00", "reason": "late"}
        gone = asyncio.ensure_future(call(world, counter, "issue_refund", **refund))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        again = await call(world, counter, "issue_refund", **refund)
    assert (again.status, again.replayed) == ("completed", True)
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(1,)]


def asks(said: list[str]) -> Steps[bool | None]:
    yes: bool | None = yield Ask("form", "Shall I?", "cnf_1")
    said.append(f"said {yes}")
    return yes


def outside(said: list[str]) -> Steps[str]:
    answer: Answer = yield UnderWay("esc_1", 1, ())
    said.append(type(answer).__name__)
    return "came back"


def once(reason: str) -> Steps[str]:
    done: str = yield Transact(put(reason))  # type: ignore[arg-type]
    return done


def test_what_happens_outside_keeps_nobody_else_waiting(world: World) -> None:
    """The provider answers only once another call has been answered."""
    answered, told, said = threading.Event(), list[object](), list[str]()

    def provider(_way: UnderWay) -> Answer:
        return Done("paid") if answered.wait(30) else Refused("nobody was answered meanwhile")

    counter = Counter(world.store, provider)
    counter.take(outside(said), told.append)

    def first(ended: object) -> None:
        told.append(ended)
        answered.set()

    counter.take(once("first"), first)
    counter.finish()
    assert (told, said) == (["first", "came back"], ["Done"])


def test_a_provider_that_breaks_is_thrown_into_the_steps(world: World) -> None:
    def provider(_way: UnderWay) -> Answer:
        raise RuntimeError("broken")

    told = list[object]()
    counter = Counter(world.store, provider)
    counter.take(outside([]), told.append)
    counter.finish()
    assert [type(each) for each in told] == [RuntimeError]


def test_a_question_waits_for_its_answer_and_nobody_waits_for_it(world: World) -> None:
    told, said, answers = list[object](), list[str](), list[Callable[[bool | None], None]]()
    counter = Counter(world.store, world.gate.reach)
    counter.take(asks(said), told.append, lambda ask, answer: answers.append(answer))
    counter.take(once("first"), told.append)
    counter.finish()
    assert (told, said) == (["first"], [])
    answers[0](True)
    assert (told, said) == (["first", True], ["said True"])


def test_who_cannot_be_asked_has_not_answered(world: World) -> None:
    told = list[object]()
    Counter(world.store, world.gate.reach).take(asks([]), told.append)
    assert told == [None]


def test_more_than_fit_into_a_transaction_wait_for_the_next(world: World) -> None:
    told = list[object]()
    counter = Counter(world.store, world.gate.reach)
    for n in range(MOST_TOGETHER + 1):
        counter.take(once(str(n)), told.append)
    counter.turn()
    assert len(told) == MOST_TOGETHER
    assert counter.waiting
    counter.turn()
    assert len(told) == MOST_TOGETHER + 1
    assert not counter.waiting


def test_a_transaction_that_fails_is_told_to_everybody_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_jobs: object) -> None:
        raise Unavailable("database or disk is full")

    told = list[object]()
    counter = Counter(world.store, world.gate.reach)
    for n in range(3):
        counter.take(once(str(n)), told.append)
    with monkeypatch.context() as patch:
        patch.setattr(world.store, "run_all", full)
        counter.turn()
    assert [type(each) for each in told] == [Unavailable] * 3
    counter.take(once("after"), told.append)
    counter.turn()
    assert told[3:] == ["after"]
