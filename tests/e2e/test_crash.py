"""Killed at any moment under load: nothing half done, nothing done twice, a log that holds."""

import random
import threading
import time

import pytest
from e2e.world import OPEN, Session, World


def rounds(world: World, count: int) -> None:
    random.seed(11)
    world.env(policy=OPEN)
    for turn in range(count):
        session = Session(world, "--customer", "cus_ana", "--assurance", "stepped_up")
        timer = threading.Timer(random.random() * 0.25, session.process.kill)
        timer.start()
        try:
            for number in range(400):
                key = f"k{(turn * 5 + number) % 60}"
                arguments = {"order_id": "ord_a4", "amount": "1.00", "reason": key, "idempotency_key": key}
                session.send("issue_refund", arguments)
        except OSError:
            pass
        while session.process.poll() is None:
            time.sleep(0.01)
        timer.join()
        session.kill()


def settled(world: World) -> None:
    done = world.run("audit", "verify")
    assert done.returncode == 0, done.stdout
    found = world.rows("SELECT reason, count(*) FROM transfer WHERE kind = 'refund' GROUP BY reason")
    assert [row for row in found if row[1] != 1] == []
    executed = [
        record["call_id"]
        for record in world.records()
        if record["kind"] == "call"
        and record["tool"] == "issue_refund"
        and record["outcome"]["executed"]
        and not record["replayed"]
    ]
    assert len(executed) == len(set(executed)) == len(found)
    with world.serve("cus_ana", policy=OPEN) as session:
        for number in range(60):
            key = f"k{number}"
            arguments = {"order_id": "ord_a4", "amount": "1.00", "reason": key, "idempotency_key": key}
            assert session.call("issue_refund", **arguments).status == "completed"
    assert world.rows("SELECT count(*), sum(amount) FROM transfer WHERE kind = 'refund'") == [(60, 6000)]


@pytest.mark.parametrize("count", [3, pytest.param(50, marks=pytest.mark.long)])
def test_killed_at_any_moment_each_refund_happens_at_most_once(world: World, count: int) -> None:
    rounds(world, count)
    settled(world)


@pytest.mark.parametrize("count", [1, pytest.param(12, marks=pytest.mark.long)])
def test_an_approval_that_is_killed_executes_at_most_once(world: World, count: int) -> None:
    text = OPEN.replace(
        "rules:\n", "rules:\n  - {id: large, tools: [issue_refund], escalate: {queue: refunds, expires: 2h}}\n", 1
    )
    random.seed(5)
    with world.serve("cus_ana", policy=text) as session:
        for turn in range(count):
            handle = session.call("issue_refund", order_id="ord_a4", amount="1.00", reason=f"r{turn}").handle
            first = world.start("requests", "approve", handle, "--as", "anna")
            killer = threading.Timer(0.5 + random.random(), first.kill)
            killer.start()
            first.communicate(timeout=60)
            killer.cancel()
            world.run("requests", "approve", handle, "--as", "bert")
            checked = session.call("check_request", handle=handle)
            assert checked.data["status"] == "executed"
    assert world.rows("SELECT count(*), sum(amount) FROM transfer WHERE kind = 'refund'") == [(count, 100 * count)]
    assert world.run("audit", "verify").returncode == 0
