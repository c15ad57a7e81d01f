"""Several processes on one PostgreSQL store decide as if they were one, and when one is killed the others go on."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from store.replica import Replica, together
from worlds import NOW, World, crowd, customer, make_world

from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.desk import Received
from tillgate.guards.steps import Transact
from tillgate.server.payments.stub import StubProvider
from tillgate.server.store.log import stored_lines, unrecorded
from tillgate.tools.shops.embedded.outside import refunds_outside

RULES = """policy: three
version: 1
currency: USD
budgets: [{id: refunds, tools: [issue_refund], per: customer.id, window: 30d, limit: {count: 3}, exceeded: deny}]
rules:
  - {id: all, tools: "*", permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: {queue: refunds, expires: 24h}}
queues: {refunds: {reviewers: [desk]}}
"""
UNLIMITED = RULES.replace("count: 3", "count: 1000000")
CALLS, ROOM = 64, 3

Start = Callable[..., list[Replica]]


@pytest.fixture
def start(database: str, tmp_path: Path) -> Iterator[Start]:
    """Starts so many processes on the store of the test."""
    running: list[Replica] = []

    def started(count: int, rules: str = RULES, **options: Any) -> list[Replica]:
        (tmp_path / "rules.yaml").write_text(rules)
        fresh = [Replica(database, tmp_path / "rules.yaml", **options) for _ in range(count)]
        running.extend(fresh)
        assert [each.hear() for each in fresh] == ["ready"] * count
        return fresh

    yield started
    for each in running:
        each.close()


@pytest.fixture
def shop(database: str) -> Iterator[World]:
    """A shop with enough customers for a round each, under the rules of the processes."""
    made = make_world(database, RULES, crowd(100))
    yield made
    made.store.close()


def sound(world: World) -> None:
    """The log verifies, and tells of everything the store did."""
    with world.store.reading() as desk:
        lines, gaps = stored_lines(desk.sql), unrecorded(desk.sql)
    assert (list(verify_lines(lines).problems), gaps) == ([], [])


def refunds(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'")[0][0])


@pytest.mark.parametrize("rounds", [20, pytest.param(100, marks=pytest.mark.long)])
def test_sixty_four_at_once_on_room_for_three_over_three_processes_are_three(
    shop: World, start: Start, rounds: int
) -> None:
    replicas = start(3)
    shares = [CALLS // 3 + (n < CALLS % 3) for n in range(3)]
    for number in range(1, rounds + 1):
        asked = [{"do": "refunds", "of": number, "count": share, "name": f"r{n}"} for n, share in enumerate(shares)]
        ended = sorted(status for statuses in together(replicas, *asked) for status in statuses)
        assert ended == ["completed"] * ROOM + ["denied"] * (CALLS - ROOM), number
    assert refunds(shop) == ROOM * rounds
    sound(shop)


def test_what_several_processes_approve_at_once_is_executed_once(shop: World, start: Start) -> None:
    handles: list[str] = []
    for n in range(1, 21):
        asked = shop.call("issue_refund", customer(n), order_id=f"ord_{n}", amount="40.00", reason="broken")
        assert asked.escalation is not None
        handles.append(asked.escalation.handle)
    rulings = together(start(3, now=NOW), {"do": "approve", "handles": handles, "name": "rosa"})
    assert [sum(done) for done in zip(*rulings, strict=True)] == [1] * len(handles)
    assert refunds(shop) == len(handles)
    assert shop.rows("SELECT count(*) FROM escalation WHERE status = 'executed'") == [(len(handles),)]
    sound(shop)


def test_what_was_left_under_way_is_carried_out_once_by_whoever_takes_it_up(
    shop: World, start: Start, tmp_path: Path
) -> None:
    books = StubProvider(tmp_path / "books.db")
    assert books.acts() == {}
    shop.store.outside = refunds_outside
    for n in range(1, 11):  # each decided and written down, and then its process is gone
        arguments = {"order_id": f"ord_{n}", "amount": "1.00", "reason": "broken"}
        begun = next(shop.gate.steps(Received("issue_refund", arguments, customer(n))))
        assert isinstance(begun, Transact)
        shop.store.run(begun.job)
    assert refunds(shop) == 0
    together(start(3, now=NOW + timedelta(minutes=1)), {"do": "recover"})
    assert shop.rows("SELECT status, count(*) FROM escalation GROUP BY status") == [("executed", 10)]
    assert (refunds(shop), sorted(books.acts().values())) == (10, [1] * 10)
    sound(shop)


def test_a_process_killed_in_the_middle_of_a_batch_leaves_nothing_and_holds_nobody_up(
    shop: World, start: Start
) -> None:
    dying, other = start(2)
    assert dying.ask(do="hang", of=1) == "inside"
    other.tell(do="refunds", of=1, count=4, name="other")
    dying.kill()
    assert sorted(other.hear()) == ["completed"] * ROOM + ["denied"]
    assert refunds(shop) == ROOM
    assert not [record for record in shop.records() if "lost" in str(record)]
    sound(shop)


@pytest.mark.parametrize("kills", [4, pytest.param(500, marks=pytest.mark.long)])
def test_processes_killed_at_any_moment_lose_nothing_they_answered(shop: World, start: Start, kills: int) -> None:
    chance, answered = random.Random(kills), set[str]()
    replicas: list[Replica] = []
    for kill in range(kills):
        for fresh in start(3 - len(replicas), UNLIMITED):
            fresh.tell(do="load", of=chance.randrange(1, 101), name=f"after {kill} {len(replicas)}")
            replicas.append(fresh)
        dying = replicas.pop(chance.randrange(3))
        answered.update(dying.hear()[1] for _ in range(chance.randrange(1, 12)))
        dying.kill()
        answered.update(call_id for _, call_id in iter(dying.hear, None))
    for each in replicas:
        each.kill()
        answered.update(call_id for _, call_id in iter(each.hear, None))
    recorded = {record["call_id"] for record in shop.records()}
    assert answered <= recorded
    assert refunds(shop) == sum(record["outcome"]["status"] == "completed" for record in shop.records())
    sound(shop)
