"""Room for three is three, however many ask at once and from how many processes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from e2e.world import Session, World, policy

MONEY = (
    "budgets:\n  - {id: b, tools: [issue_refund, cancel_order], per: customer.id, window: 30d,"
    ' limit: "30.00", exceeded: deny}\n'
)
COUNT = (
    "budgets:\n  - {id: b, tools: [issue_refund], per: customer.id, window: 24h,"
    " limit: {count: 3}, exceeded: {escalate: refunds}}\n"
)


def flood(session: Session, calls: int, name: str) -> list[str]:
    keys = [
        session.send("issue_refund", {"order_id": "ord_a4", "amount": "10.00", "reason": f"{name} {number}"})
        for number in range(calls)
    ]
    return [session.answer(key).status for key in keys]


@pytest.mark.parametrize(("extra", "otherwise"), [(MONEY, "denied"), (COUNT, "escalated")])
def test_sixty_four_at_once_on_one_connection(world: World, extra: str, otherwise: str) -> None:
    with world.serve("cus_ana", policy=policy(extra=extra)) as session:
        found = flood(session, 64, "one")
    assert sorted(set(found)) == sorted({"completed", otherwise})
    assert found.count("completed") == 3
    assert world.rows("SELECT count(*), sum(amount) FROM transfer WHERE kind = 'refund'") == [(3, 3000)]


def test_sixty_four_from_four_processes(world: World) -> None:
    text = policy(extra=MONEY)
    world.env(policy=text)
    sessions = [Session(world, "--customer", "cus_ana", "--assurance", "stepped_up") for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as pool:
            found = [
                status for part in pool.map(lambda n: flood(sessions[n], 16, f"p{n}"), range(4)) for status in part
            ]
    finally:
        for session in sessions:
            session.close()
    assert (found.count("completed"), found.count("denied")) == (3, 61)
    assert world.rows("SELECT count(*), sum(amount) FROM transfer WHERE kind = 'refund'") == [(3, 3000)]
    assert world.run("audit", "verify").returncode == 0


def test_room_comes_back_with_time_and_with_what_is_taken_back(world: World) -> None:
    text = policy(extra=MONEY.replace("30.00", "50.00"))
    with world.serve("cus_ana", policy=text) as session:
        first = session.call("cancel_order", order_id="ord_a2", reason="other")
        assert first.status == "completed"
        assert session.call("issue_refund", order_id="ord_a4", amount="10.00", reason="x").status == "denied"
        assert session.call("undo_action", call_id=first.call_id, reason="x").status == "completed"
        assert session.call("issue_refund", order_id="ord_a4", amount="50.00", reason="x").status == "completed"
        assert session.call("issue_refund", order_id="ord_a4", amount="0.01", reason="x").status == "denied"
    with world.serve("cus_ana", policy=text, now="2026-03-31T11:59:59Z") as session:
        assert session.call("issue_refund", order_id="ord_a4", amount="0.01", reason="y").status == "denied"
    with world.serve("cus_ana", policy=text, now="2026-03-31T12:00:01Z") as session:
        assert session.call("issue_refund", order_id="ord_a4", amount="50.00", reason="y").status == "completed"
