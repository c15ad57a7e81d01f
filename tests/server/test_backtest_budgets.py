"""A budget the log does not know is filled as it would have been: by what acts, and by what waits while it waits."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from worlds import OPEN, World, make_world, policy

from tillgate.guards import review
from tillgate.guards.audit.log import export_lines
from tillgate.server.backtest import backtest
from tillgate.server.backtest_counts import Backtest

LARGE = "  - {id: large, tools: [issue_refund], when: \"impact.amount > money('20.00')\", escalate: refunds}\ncontext:"
ASKS = OPEN.replace("context:", LARGE)
MONEY = 'budgets: [{id: b, tools: [issue_refund], per: customer.id, window: 30d, limit: "%s", exceeded: %s}]\nrules:'
TIMES = "budgets: [{id: b, tools: [request_human], per: customer.id, window: 1h, limit: {count: %d}}]\nrules:"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = make_world(tmp_path, ASKS)
    yield world
    world.store.close()


def tried(world: World, text: str) -> Backtest:
    rows = world.rows("SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (seq) ORDER BY a.seq")
    return backtest(export_lines(rows), policy(text))


def refund(world: World, amount: str) -> str:
    """A refund; the handle of the request if it waits."""
    given = world.call("issue_refund", order_id="ord_1", amount=amount, reason="broken").escalation
    return given.handle if given else ""


def hand_over(world: World, times: int) -> None:
    for number in range(times):
        world.call("request_human", reason=f"question {number}")


def test_a_call_that_only_asks_for_a_person_draws_on_a_new_budget(world: World) -> None:
    hand_over(world, 3)
    assert tried(world, ASKS.replace("rules:", TIMES % 3)).flips == 0
    assert tried(world, ASKS.replace("rules:", TIMES % 2)).calls["escalated", "denied"] == 1


def test_and_so_it_does_where_the_budget_was_recorded_and_is_made_smaller(world: World) -> None:
    hand_over(world.under(ASKS.replace("rules:", TIMES % 9)), 3)
    assert tried(world, ASKS.replace("rules:", TIMES % 2)).calls["escalated", "denied"] == 1


Then: TypeAlias = Callable[[World, str], None]


def approve(world: World, handle: str) -> None:
    with world.store.transaction() as desk:
        assert review.approve(world.gate, desk, handle, "rosa").status == "executed"


def deny(world: World, handle: str) -> None:
    with world.store.transaction() as desk:
        review.deny(desk, handle, "rosa", "No.")


def withdraw(world: World, handle: str) -> None:
    assert world.call("withdraw_request", handle=handle).status == "completed"


def wait(world: World, _: str) -> None:
    world.clock.advance(hours=1)


def expire(world: World, _: str) -> None:
    world.clock.advance(days=2)


@pytest.mark.parametrize(
    ("then", "limit", "denied"),
    [
        (wait, "38.99", 1),
        (wait, "39.00", 0),
        (approve, "38.99", 1),  # once: the reservation is not counted beside what was carried out
        (approve, "39.00", 0),
        (deny, "30.00", 0),
        (withdraw, "30.00", 0),
        (expire, "30.00", 0),
    ],
)
def test_what_waits_counts_as_spent_until_it_ends(world: World, then: Then, limit: str, denied: int) -> None:
    then(world, refund(world, "30.00"))
    refund(world, "9.00")
    made = tried(world, ASKS.replace("rules:", MONEY % (limit, "deny")))
    assert made.calls["completed", "denied"] == denied


def test_what_would_only_now_wait_counts_until_nobody_could_answer(world: World) -> None:
    world = world.under(OPEN)
    refund(world, "30.00")
    refund(world, "9.00")
    world.clock.advance(days=2)
    refund(world, "8.00")
    made = tried(world, ASKS.replace("rules:", MONEY % ("35.00", "deny")))
    assert [made.calls["completed", now] for now in ("escalated", "denied", "completed")] == [1, 1, 1]


def test_what_waits_because_there_is_no_room_takes_none(world: World) -> None:
    for amount in ("15.00", "9.00", "4.00"):
        refund(world, amount)
    made = tried(world, OPEN.replace("rules:", MONEY % ("20.00", "{escalate: refunds}")))
    assert dict(made.calls) == {("completed", "escalated"): 1, ("completed", "completed"): 2}


def test_a_call_sent_again_with_its_proof_makes_one_request_where_the_first_would_wait(world: World) -> None:
    world = world.under(OPEN.replace("context:", "  - {id: yes, tools: [issue_refund], confirm: agent}\ncontext:"))
    refunded = {"order_id": "ord_1", "amount": "30.00", "reason": "broken"}
    asked = world.call("issue_refund", **refunded).confirmation
    assert asked is not None
    assert world.call("issue_refund", **refunded, confirmation_token=asked.token).status == "completed"
    made = tried(world, ASKS)
    assert dict(made.calls) == {("confirmation_required", "escalated"): 1, ("completed", "escalated"): 1}
    assert made.new_load.queues() == {"refunds": 1}
    assert (made.held(), made.moved()) == (3000, 0)


def test_what_cannot_be_decided_ends_nothing_else(world: World) -> None:
    """An opened request whose facts are not there says nothing of its execution."""
    approve(world, refund(world, "30.00"))
    rows = world.rows("SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (seq) ORDER BY a.seq")
    opened, *others = export_lines(rows)
    made = backtest([opened.replace(b'"impact":{"amount"', b'"impact":{"total"', 1), *others], policy(ASKS))
    assert made.undecided[""] == 1
    assert dict(made.calls) == {("completed", "completed"): 1}


def test_a_request_that_was_opened_is_counted_as_recorded_though_an_earlier_line_ends_it_now(world: World) -> None:
    asks = LARGE.replace("context:", "  - {id: yes, tools: [issue_refund], confirm: agent}\ncontext:")
    world = world.under(OPEN.replace("context:", asks))
    refunded = {"order_id": "ord_1", "amount": "30.00", "reason": "broken"}
    asked = world.call("issue_refund", **refunded).confirmation
    assert asked is not None
    assert world.call("issue_refund", **refunded, confirmation_token=asked.token).status == "escalated"
    made = tried(world, OPEN)
    assert dict(made.calls) == {("confirmation_required", "completed"): 1, ("escalated", "completed"): 1}
    assert (made.old_load.total(), made.new_load.total()) == (1, 0)
    assert made.moved() == 3000


def test_a_read_that_needs_nobody_any_more_is_read_once(world: World) -> None:
    world = world.under(OPEN.replace("context:", "  - {id: ask, tools: [get_order], escalate: support}\ncontext:"))
    waits = world.call("get_order", order_id="ord_1").escalation
    assert waits is not None
    approve(world, waits.handle)
    refused = OPEN.replace(
        "context:", '  - {id: no, tools: [get_order], when: "!approval.granted", deny: no}\ncontext:'
    )
    assert dict(tried(world, refused).calls) == {("escalated", "denied"): 1, ("completed", "denied"): 1}
