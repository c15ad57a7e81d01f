"""A budget holds for every order of calls, across conversations and waiting requests, and never by a race."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import OPEN, World, customer

from tillgate.guards import review

pytestmark = pytest.mark.every_store


BUDGET = """
budgets:
  - {id: refunds, tools: [issue_refund, cancel_order], per: customer.id, window: 30d, limit: "15.00", exceeded: deny}
"""
ESCALATING = BUDGET.replace("exceeded: deny", "exceeded: {escalate: refunds}")
REFUND = {"order_id": "ord_1", "reason": "scratched"}


def _limited(world: World, budget: str = BUDGET) -> World:
    return world.under(OPEN + budget)


def _paid(world: World) -> int:
    return int(world.rows("SELECT coalesce(sum(amount), 0) FROM transfer WHERE kind = 'refund'")[0][0])


def test_64_calls_at_once_against_room_for_three(world: World) -> None:
    world = _limited(world)

    def one(n: int) -> str:
        return world.call("issue_refund", customer(conversation=f"t{n}"), **REFUND, amount="5.00").status

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(one, range(64)))
    assert statuses.count("completed") == 3
    assert _paid(world) == 1500


def test_each_customer_has_their_own_account(world: World) -> None:
    world = _limited(world)
    assert world.call("issue_refund", **REFUND, amount="15.00").status == "completed"
    other = world.call("issue_refund", customer(2, conversation="b"), order_id="ord_3", reason="x", amount="15.00")
    assert other.status == "completed"


def test_the_window_rolls(world: World) -> None:
    world = _limited(world)
    assert world.call("issue_refund", **REFUND, amount="15.00").status == "completed"
    assert world.call("issue_refund", **REFUND, amount="0.01").reasons[0].code == "budget_exceeded"
    world.clock.advance(days=30)
    assert world.call("issue_refund", **REFUND, amount="14.00").status == "completed"


def test_what_waits_for_a_person_is_reserved_until_it_ends(world: World) -> None:
    rules = OPEN + BUDGET
    waiting = rules.replace(
        "context:",
        """  - {id: ask, tools: [issue_refund], when: "impact.amount > money('9.00')", escalate: refunds}
context:""",
    )
    world = world.under(waiting)
    asked = world.call("issue_refund", **REFUND, amount="10.00")
    assert asked.escalation is not None
    assert world.call("issue_refund", **REFUND, amount="6.00").status == "denied"
    world.call("withdraw_request", handle=asked.escalation.handle)
    assert world.call("issue_refund", **REFUND, amount="6.00").status == "completed"


def test_an_approved_call_over_the_budget_counts(world: World) -> None:
    world = _limited(world, ESCALATING)
    asked = world.call("issue_refund", **REFUND, amount="20.00")
    assert asked.escalation is not None
    with world.store.transaction() as desk:
        assert review.approve(world.gate, desk, asked.escalation.handle, "rosa").status == "executed"
    assert world.call("issue_refund", **REFUND, amount="0.50").status == "escalated"


def test_an_approved_call_is_not_counted_twice(world: World) -> None:
    waiting = (OPEN + BUDGET).replace(
        "context:",
        """  - {id: ask, tools: [issue_refund], when: "impact.amount > money('9.00')", escalate: refunds}
context:""",
    )
    world = world.under(waiting)
    asked = world.call("issue_refund", **REFUND, amount="10.00")
    assert asked.escalation is not None
    with world.store.transaction() as desk:
        assert review.approve(world.gate, desk, asked.escalation.handle, "rosa").status == "executed"
    assert world.rows("SELECT count(*), sum(amount) FROM budget_use") == [(1, 1000)]
    assert world.call("issue_refund", **REFUND, amount="5.00").status == "completed"


def test_undoing_gives_the_room_back(world: World) -> None:
    world = world.under(OPEN + BUDGET.replace("15.00", "100.00"))
    cancelled = world.call("cancel_order", order_id="ord_2", reason="other")
    assert cancelled.status == "completed"
    assert world.call("issue_refund", **REFUND, amount="1.00").status == "denied"
    assert world.call("undo_action", call_id=cancelled.call_id, reason="mistake").status == "completed"
    assert world.call("issue_refund", **REFUND, amount="1.00").status == "completed"


def test_a_count_budget_counts_calls(world: World) -> None:
    world = world.under(OPEN + BUDGET.replace('limit: "15.00"', "limit: {count: 2}"))
    statuses = [world.call("issue_refund", **REFUND, amount=f"1.0{n}").status for n in range(3)]
    assert statuses == ["completed", "completed", "denied"]


def test_a_refused_call_uses_nothing(world: World) -> None:
    world = _limited(world)
    world.call("issue_refund", **REFUND, amount="99.00")
    assert world.rows("SELECT count(*) FROM budget_use") == [(0,)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(1, 900), st.integers(0, 12)), max_size=12))
def test_no_window_is_ever_above_its_limit(world: World, steps: list[tuple[int, int]]) -> None:
    limited = _limited(world)
    world.clock.advance(days=31)
    paid: list[tuple[float, int]] = []
    for number, (amount, days) in enumerate(steps):
        world.clock.advance(days=days)
        caller = customer(conversation=f"{world.clock.at.isoformat()}-{number}")
        outcome = limited.call("issue_refund", caller, **REFUND, amount=f"{amount // 100}.{amount % 100:02d}")
        if outcome.status == "completed":
            paid.append((world.clock.at.timestamp(), amount))
        for at, _ in paid:
            assert sum(a for t, a in paid if at - 30 * 86400 < t <= at) <= 1500
