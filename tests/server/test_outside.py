"""What happens outside the store happens once, is never said to have happened when it did not, or is for a person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from worlds import World, make_world

from tillgate.guards import review
from tillgate.guards.audit.log import export_lines, seal
from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.desk import Received
from tillgate.guards.effects import Done, Refused, UnderWay, reach
from tillgate.guards.finishing import finish, recover
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Transact, drive
from tillgate.server.payments.stub import Behaviour, StubProvider
from tillgate.server.store.log import stored_lines
from tillgate.tools.shops.embedded.outside import PAYMENTS, refunds_outside

pytestmark = pytest.mark.every_store


ESCALATED = """
  - {id: all, tools: "*", permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: {queue: refunds, expires: 24h}}
"""
BUDGET = """policy: budget
version: 1
currency: USD
budgets: [{id: refunds, tools: [issue_refund], per: customer.id, window: 30d, limit: {count: 1}, exceeded: deny}]
rules:
  - {id: all, tools: "*", permit: true}
context: {issue_refund: {identified: [order_id, amount, refundable]}, check_request: {identified: [status, result]}}
"""
REFUND = {"order_id": "ord_1", "amount": "40.00", "reason": "broken"}

Paid = tuple[World, StubProvider]


@pytest.fixture
def paying(place: Path | str, tmp_path: Path) -> Iterator[Callable[..., Paid]]:
    """A world whose refunds to cards are made by a provider that behaves as asked."""
    worlds: list[World] = []

    def make(*behaviours: Behaviour, rules: str | None = None, **can: bool) -> Paid:
        provider = StubProvider(tmp_path / "books.db", behaviours or ("done",), **can)
        world = make_world(place)
        worlds.append(world)
        world.store.outside = refunds_outside
        world = replace(world, gate=replace(world.gate, reach=partial(reach, {PAYMENTS: provider})))
        return (world.under(rules) if rules else world), provider

    yield make
    for world in worlds:
        world.store.close()


def entered(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT amount FROM transfer WHERE kind = 'refund'")


def handle_of(outcome: Outcome) -> str:
    assert outcome.escalation is not None
    return outcome.escalation.handle


def standing(world: World, handle: str) -> str:
    return str(world.rows("SELECT status FROM escalation WHERE id = ?", handle)[0][0])


def recovered(world: World, **later: float) -> None:
    world.clock.advance(**(later or {"seconds": 10}))
    drive(recover(world.gate), world.store, world.gate.reach)


def begun(world: World, **arguments: Any) -> UnderWay:
    """A call up to the moment its decision is durable: there the power goes."""
    steps = world.gate.steps(Received("issue_refund", REFUND | arguments, world.caller))
    first = next(steps)
    assert isinstance(first, Transact)
    way = steps.send(world.store.run(first.job))
    assert isinstance(way, UnderWay)
    return way


def test_a_refund_is_entered_once_the_provider_has_made_it(paying: Callable[..., Paid]) -> None:
    world, provider = paying()
    outcome = world.call("issue_refund", **REFUND)
    assert (outcome.status, outcome.executed) == ("completed", True)
    assert outcome.data == {"order_id": "ord_1", "amount": "40.00", "refundable": "60.00"}
    assert entered(world) == [(4000,)]
    assert list(provider.acts().values()) == [1]
    told = [(record["kind"], record["outcome"]["status"]) for record in world.records()]
    assert told == [("call", "escalated"), ("outcome", "completed")]


def test_a_refund_to_a_gift_card_needs_nobody_outside(paying: Callable[..., Paid]) -> None:
    world, provider = paying()
    outcome = world.call("issue_refund", **REFUND, method="gift_1")
    assert outcome.status == "completed"
    assert provider.acts() == {}


def test_what_the_provider_refuses_is_not_entered_and_frees_its_budget(paying: Callable[..., Paid]) -> None:
    world, provider = paying("refused", "done", rules=BUDGET)
    refused = world.call("issue_refund", **REFUND)
    assert (refused.status, refused.executed) == ("denied", False)
    assert [reason.code for reason in refused.reasons] == ["refused_by_provider"]
    assert entered(world) == []
    assert world.call("issue_refund", **REFUND).status == "completed"
    assert sorted(provider.acts().values()) == [1]


@pytest.mark.parametrize("behaviour", ["lost_before", "lost_after", "error_after", "late"])
def test_a_lost_answer_is_in_doubt_and_is_found_out(paying: Callable[..., Paid], behaviour: Behaviour) -> None:
    world, provider = paying(behaviour, "done", rules=BUDGET)
    outcome = world.call("issue_refund", **REFUND)
    assert (outcome.status, outcome.executed) == ("escalated", False)
    assert [reason.code for reason in outcome.reasons] == ["in_doubt"]
    handle = handle_of(outcome)
    assert entered(world) == []
    assert world.call("issue_refund", **REFUND, idempotency_key="new").status == "denied"  # its budget is kept
    recovered(world)
    recovered(world, seconds=61)
    assert standing(world, handle) == "executed"
    assert entered(world) == [(4000,)]
    assert list(provider.acts().values()) == [1]


@pytest.mark.parametrize("behaviour", ["lost_before", "lost_after", "error_after"])
def test_a_lost_answer_is_asked_for_again_with_its_key_where_nobody_can_look(
    paying: Callable[..., Paid], behaviour: Behaviour
) -> None:
    world, provider = paying(behaviour, behaviour, "done", findable=False)
    handle = handle_of(world.call("issue_refund", **REFUND))
    recovered(world)
    assert standing(world, handle) == ("executed" if behaviour != "lost_before" else "in_doubt")
    recovered(world, seconds=61)
    assert standing(world, handle) == "executed"
    assert entered(world) == [(4000,)]
    assert list(provider.acts().values()) == [1]


@pytest.mark.parametrize("answered", [False, True])
def test_a_key_so_old_that_it_may_be_forgotten_is_never_sent_again(paying: Callable[..., Paid], answered: bool) -> None:
    world, provider = paying("lost_before", "done", findable=False)
    handle = handle_of(world.call("issue_refund", **REFUND)) if answered else begun(world).handle
    recovered(world, hours=24)
    recovered(world, hours=1)
    assert standing(world, handle) == "in_doubt"
    assert provider.acts() == {}


def test_the_age_of_a_key_counts_from_when_it_was_sent_and_not_from_when_it_was_asked_for(
    paying: Callable[..., Paid],
) -> None:
    world, provider = paying("lost_before", "done", findable=False, rules=ESCALATED.replace("24h", "72h"))
    handle = handle_of(world.call("issue_refund", **REFUND))
    world.clock.advance(hours=48)
    drive(review.approving(world.gate, handle, "rosa"), world.store, world.gate.reach)
    recovered(world)
    assert standing(world, handle) == "executed"
    assert list(provider.acts().values()) == [1]


def test_nothing_in_doubt_is_sent_again_while_its_tool_is_paused(paying: Callable[..., Paid]) -> None:
    world, provider = paying("lost_before", "done", findable=False)
    handle = handle_of(world.call("issue_refund", **REFUND))
    world.store.run(lambda desk: review.switch(desk, "issue_refund", "rosa", on=False))
    recovered(world, seconds=61)
    assert standing(world, handle) == "in_doubt"
    assert provider.acts() == {}
    world.store.run(lambda desk: review.switch(desk, "issue_refund", "rosa", on=True))
    recovered(world, seconds=61)
    assert standing(world, handle) == "executed"
    assert list(provider.acts().values()) == [1]


def test_what_nobody_can_tell_waits_for_a_person_and_is_never_sent_again(paying: Callable[..., Paid]) -> None:
    world, provider = paying("lost_after", "done", repeatable=False, findable=False)
    handle = handle_of(world.call("issue_refund", **REFUND))
    for _ in range(3):
        recovered(world, hours=1)
    assert standing(world, handle) == "in_doubt"
    assert world.call("issue_refund", **REFUND).replayed
    held = world.call("issue_refund", **REFUND, idempotency_key="another")
    assert [reason.code for reason in held.reasons] == ["in_doubt"]
    with world.store.transaction() as desk:
        ruling = review.settle(world.gate, desk, handle, "rosa", happened=True)
    assert (ruling.done, ruling.status) == (True, "executed")
    assert entered(world) == [(4000,)]
    assert list(provider.acts().values()) == [1]
    assert world.records()[-1]["settled_by"] == "rosa"


def test_a_person_may_say_it_did_not_happen(paying: Callable[..., Paid]) -> None:
    world, _ = paying("lost_before", "done", rules=BUDGET, repeatable=False, findable=False)
    handle = handle_of(world.call("issue_refund", **REFUND))
    with world.store.transaction() as desk:
        assert review.settle(world.gate, desk, handle, "rosa", happened=False).status == "denied"
        assert not review.settle(world.gate, desk, handle, "rosa", happened=True).done
    assert entered(world) == []
    assert world.call("issue_refund", **REFUND).status == "completed"


@pytest.mark.parametrize("reached", [False, True])
def test_a_crash_on_either_side_of_the_provider_ends_in_one_refund(paying: Callable[..., Paid], reached: bool) -> None:
    world, provider = paying()
    way = begun(world)
    if reached:
        world.gate.reach(way)  # and the answer dies with the process
    assert entered(world) == []
    again = world.call("issue_refund", **REFUND)
    assert (again.status, again.replayed) == ("escalated", True)
    recovered(world)
    assert standing(world, way.handle) == "executed"
    assert entered(world) == [(4000,)]
    assert list(provider.acts().values()) == [1]
    done = world.call("issue_refund", **REFUND)
    assert (done.status, done.replayed) == ("completed", True)


def test_that_it_never_came_is_not_believed_while_it_may_still_be_sent(paying: Callable[..., Paid]) -> None:
    world, provider = paying(repeatable=False)
    way = begun(world)
    recovered(world)  # somebody else takes it up while the first one only sleeps
    assert standing(world, way.handle) == "in_doubt"
    answer = world.gate.reach(way)
    world.store.run(lambda desk: finish(world.gate, desk, way, answer))
    assert standing(world, way.handle) == "executed"
    assert entered(world) == [(4000,)]
    assert list(provider.acts().values()) == [1]


def test_what_was_taken_for_refused_and_was_done_after_all_is_for_a_person(paying: Callable[..., Paid]) -> None:
    world, _ = paying(repeatable=False)
    way = begun(world)
    recovered(world)
    recovered(world, minutes=5)
    assert standing(world, way.handle) == "denied"
    answer = world.gate.reach(way)  # it slept for five minutes
    world.store.run(lambda desk: finish(world.gate, desk, way, answer))
    assert standing(world, way.handle) == "in_doubt"
    assert entered(world) == []


def test_a_claim_that_was_lost_settles_nothing_it_does_not_know(paying: Callable[..., Paid]) -> None:
    world, _ = paying("lost_before", "done")
    way = begun(world)
    recovered(world)
    answer = world.gate.reach(way)
    assert isinstance(answer, Done)
    late = world.store.run(lambda desk: finish(world.gate, desk, way, Refused("late")))
    assert late.status == "escalated"
    assert standing(world, way.handle) == "in_doubt"


def test_an_approved_refund_is_made_by_the_provider_once(paying: Callable[..., Paid]) -> None:
    world, provider = paying(rules=ESCALATED)
    handle = handle_of(world.call("issue_refund", **REFUND))
    ruling = drive(review.approving(world.gate, handle, "rosa"), world.store, world.gate.reach)
    assert (ruling.done, ruling.status) == (True, "executed")
    assert entered(world) == [(4000,)]
    assert list(provider.acts()) == [f"{handle}.0"]
    kinds = [record["kind"] for record in world.records()]
    assert kinds == ["call", "approval", "execution", "outcome"]


def test_an_approval_that_dies_before_the_provider_is_carried_out_by_whoever_finds_it(
    paying: Callable[..., Paid],
) -> None:
    world, provider = paying(rules=ESCALATED)
    handle = handle_of(world.call("issue_refund", **REFUND))
    with world.store.transaction() as desk:
        ruling = review.approve(world.gate, desk, handle, "rosa")
    assert ruling.under_way is not None
    recovered(world, seconds=1)
    assert standing(world, handle) == "executing"  # it may still be at work
    recovered(world)
    assert standing(world, handle) == "executed"
    assert list(provider.acts().values()) == [1]
    recovered(world)
    assert entered(world) == [(4000,)]


def test_what_is_under_way_keeps_its_order_from_everybody_else(paying: Callable[..., Paid]) -> None:
    world, _ = paying()
    way = begun(world)
    other = world.call("issue_refund", order_id="ord_1", amount="70.00", reason="also")
    assert [reason.code for reason in other.reasons] == ["under_way"]
    assert world.call("issue_refund", order_id="ord_4", amount="5.00", reason="elsewhere").status != "denied"
    assert world.call("get_order", order_id="ord_1").status == "completed"
    recovered(world)
    assert standing(world, way.handle) == "executed"
    assert world.call("issue_refund", order_id="ord_1", amount="70.00", reason="also").status == "denied"


def exported(world: World) -> Sequence[bytes]:
    with world.store.reading() as desk:
        return stored_lines(desk.sql)


def test_the_log_of_it_verifies_and_an_outcome_without_a_decision_does_not(paying: Callable[..., Paid]) -> None:
    world, _ = paying("done", "lost_after", rules=ESCALATED)
    handle = handle_of(world.call("issue_refund", **REFUND))
    drive(review.approving(world.gate, handle, "rosa"), world.store, world.gate.reach)
    world.call("issue_refund", order_id="ord_2", amount="5.00", reason="late")
    recovered(world, hours=1)
    assert verify_lines(exported(world)).problems == []
    done = next(record for record in world.records() if record["kind"] == "outcome")
    body = {name: value for name, value in done.items() if name not in ("seq", "prev", "v")}
    alone = seal(body, seq=1, prev="0" * 64)
    told = verify_lines(export_lines([(alone.record, alone.hash, None)])).problems
    assert [problem.reason for problem in told] == ["an outcome without a decision that set it out before it"]
