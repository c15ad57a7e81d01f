"""What a desk remembers for the length of a transaction is what the store would say."""

from collections.abc import Callable

import pytest
from worlds import World, customer

from tillgate.guards.desk import Received
from tillgate.guards.evaluation import subject_of
from tillgate.guards.gate import Journey
from tillgate.guards.model import Plan
from tillgate.guards.money import currency
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.record import SubjectRecord

pytestmark = pytest.mark.every_store

CART = "cart:cart_1"


class Broken(Exception):
    """Ends a job in the middle."""


def record_of(desk: SqlDesk) -> SubjectRecord:
    caller = customer()
    talk = desk.talk(caller)
    return desk.record(subject_of(desk, caller, talk), talk, currency("USD"), bound=True, besides=None)


def plan_of(world: World, desk: SqlDesk) -> Plan:
    """What would put another shirt into the cart."""
    tool, record = world.gate.tools["edit_cart"], record_of(desk)
    args = tool.parse({"cart_id": "cart_1", "lines": [{"variant_id": "v_1", "quantity": 2}]}, 2)
    assert not isinstance(args, list)
    plan = tool.plan(args, tool.look_up(args, record), record)
    assert isinstance(plan, Plan)
    assert plan.changes
    return plan


def broken(act: Callable[[SqlDesk], object]) -> Callable[[SqlDesk], None]:
    def job(desk: SqlDesk) -> None:
        act(desk)
        raise Broken

    return job


def version(world: World) -> int:
    ((found,),) = world.rows("SELECT version FROM cart WHERE id = 'cart_1'")
    return int(found)


def test_calls_of_this_transaction_are_in_the_history_of_their_conversation(world: World) -> None:
    order = Received("get_order", {"order_id": "ord_1"}, customer())
    with world.store.transaction() as desk:
        for number in range(2):
            Journey(world.gate, order, f"call_{number}")(desk)
        assert len(desk.history("stdio:test/talk", 9)) == 2


def test_a_conversation_is_a_record_as_soon_as_it_is_open(world: World) -> None:
    with world.store.transaction() as desk:
        record = record_of(desk)
        assert record.entity("conversation:stdio:test/talk") is not None


def test_versions_of_a_job_that_failed_are_not_told_to_the_next(world: World) -> None:
    before = version(world)

    def left(desk: SqlDesk) -> int:
        return desk.roots([CART])[CART]

    failed, told = world.store.run_all([broken(lambda desk: desk.apply(plan_of(world, desk))), left])
    assert isinstance(failed, Broken)
    assert told == before == version(world)


def test_versions_of_a_rehearsal_are_told_to_nobody(world: World) -> None:
    before = version(world)
    with world.store.transaction() as desk:
        desk.rehearse(plan_of(world, desk))
        assert desk.roots([CART])[CART] == before


def test_a_pause_of_a_job_that_failed_pauses_nothing(world: World) -> None:
    def pausing(desk: SqlDesk) -> None:
        desk.pause("get_order", "anna")
        assert desk.paused("get_order")

    failed, told = world.store.run_all([broken(pausing), lambda desk: desk.paused("get_order")])
    assert isinstance(failed, Broken)
    assert told is False
