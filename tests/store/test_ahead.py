"""What is looked up ahead is never old: calls of one batch are answered as if one came after the other."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import OPEN, SHOP, World, customer, make_world

from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.desk import Received
from tillgate.guards.gate import Journey
from tillgate.guards.outcome import Outcome
from tillgate.server.store.log import stored_lines, unrecorded
from tillgate.tools.shops.embedded.foreseen import WRITTEN_WITH
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.wire import Wire

CALLS: Sequence[tuple[int, str, Mapping[str, Any]]] = [
    (1, "get_order", {"order_id": "ord_1"}),
    (1, "get_order", {"order_id": "ord_4"}),
    (2, "get_order", {"order_id": "ord_3"}),
    (2, "get_order", {"order_id": "ord_1"}),
    (1, "issue_refund", {"order_id": "ord_1", "amount": "30.00", "reason": "late"}),
    (1, "issue_refund", {"order_id": "ord_1", "amount": "80.00", "reason": "torn"}),
    (2, "issue_refund", {"order_id": "ord_3", "amount": "10.00", "reason": "late"}),
    (1, "cancel_order", {"order_id": "ord_2", "reason": "changed my mind"}),
    (1, "get_cart", {"cart_id": "cart_1"}),
    (1, "edit_cart", {"cart_id": "cart_1", "lines": [{"variant_id": "v_1", "quantity": 3}]}),
    (1, "edit_cart", {"cart_id": "cart_1", "lines": [{"variant_id": "v_1", "quantity": 2}]}),
    (1, "search_products", {"query": "shirt"}),
    (2, "search_products", {"query": "SHIRT t", "limit": 2}),
    (2, "search_products", {"query": "shirt", "in_stock": True}),
    (1, "search_products", {"query": "sh\x00irt"}),
    (1, "search_products", {"query": "\ud800"}),
    (1, "get_order", {"order_id": "ord_1\x00"}),
    (1, "get_order", {"order_id": "\ud800"}),
]
COUNTED = OPEN.replace(
    '  - {id: all, tools: "*", permit: true}\n',
    '  - {id: all, tools: "*", permit: true}\n'
    '  - {id: often, tools: [get_order], when: "conversation.calls >= 2 && conversation.writes >= 1", deny: often}\n'
    '  - {id: near, tools: [issue_refund], when: "order.address_refunds_30d >= 1", deny: near}\n',
)


HOUSE = json.loads(json.dumps(SHOP))
for each in HOUSE["orders"]:
    each["shipping_address"] = HOUSE["orders"][0]["shipping_address"]


class Pair(NamedTuple):
    far: World
    near: World

    def __repr__(self) -> str:
        return "a pair"  # hypothesis writes it beside each example


@pytest.fixture
def pair(database: str, tmp_path: Path) -> Iterator[Pair]:
    """A shop on PostgreSQL and the same on SQLite; both live at one address, so refunds of one count for the other."""
    made = [make_world(where, COUNTED, HOUSE) for where in (database, tmp_path)]
    yield Pair(*made)
    for world in made:
        world.store.close()


def anew(world: World) -> None:
    """The shop as it opened, with nobody having called."""
    with world.store.transaction() as desk:
        for table in ("conversation", "action", "budget_use", "escalation", "confirmation"):
            desk.sql.run(f"DELETE FROM {table}")
        seed(desk.sql, json.dumps(HOUSE), now=world.clock.now(), replace=True)


def jobs(world: World, calls: Sequence[tuple[int, int]]) -> list[Journey]:
    found = [(CALLS[call], talk) for call, talk in calls]
    return [
        Journey(world.gate, Received(tool, arguments, customer(who, conversation=f"talk{talk}")), f"call_{n}")
        for n, ((who, tool, arguments), talk) in enumerate(found)
    ]


def told(answers: Sequence[object]) -> list[Any]:
    return [
        (answer.status, answer.data, [reason.code for reason in answer.reasons])
        if isinstance(answer, Outcome)
        else type(answer).__name__
        for answer in answers
    ]


def things(world: World) -> list[Any]:
    """Everything of the shop that a call could change."""
    kinds = (
        "id,version cart; id,quantity cart_line; id,status,version orders; id,amount,cause transfer; id,stock variant"
    )
    asked = [each.split() for each in kinds.split(";")]
    return [world.rows(f"SELECT {columns} FROM {table} ORDER BY id") for columns, table in asked]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(CALLS) - 1), st.integers(0, 2)), min_size=2, max_size=24))
def test_calls_of_a_batch_are_answered_as_if_one_after_the_other(pair: Pair, calls: list[tuple[int, int]]) -> None:
    far, near = pair
    for world in pair:
        anew(world)
    together = far.store.run_all(jobs(far, calls))
    alone = [near.store.run_all([job])[0] for job in jobs(near, calls)]
    assert told(together) == told(alone)
    assert things(far) == things(near)
    counts = "SELECT id, calls, writes, denied, orders FROM conversation ORDER BY id"
    assert far.rows(counts) == near.rows(counts)


@pytest.mark.parametrize("call", [0, 11], ids=["an order", "a search"])
def test_a_read_of_a_batch_waits_for_no_answer_of_its_own(
    database: str, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    carded = [person | {"payment_methods": person["payment_methods"][:1]} for person in SHOP["customers"]]
    world = make_world(database, shop=SHOP | {"customers": carded, "offers": []})
    world.store.run_all(jobs(world, [(call, 0)]))
    sent: list[int] = []
    send = Wire.send

    def counted(wire: Wire) -> None:
        sent.append(wire._told)
        send(wire)

    monkeypatch.setattr(Wire, "send", counted)
    answers = world.store.run_all(jobs(world, [(call, talk) for talk in range(1, 17)]))
    assert {answer[0] for answer in told(answers)} == {"completed"}
    # the place; what is looked up for eight, twice; the commit
    assert len([each for each in sent if each]) == 4
    with world.store.reading() as desk:
        assert (unrecorded(desk.sql), list(verify_lines(stored_lines(desk.sql)).problems)) == ([], [])
    world.store.close()


def test_what_a_trigger_writes_in_another_table_is_known(database: str) -> None:
    """Or an answer about that table would be kept that has become old."""
    world = make_world(database)
    bodies = world.rows(
        "SELECT c.relname, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
    )
    writes = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
    found = {(table, written) for table, body in bodies for written in writes.findall(body) if written != table}
    assert found == {(table, written) for table, others in WRITTEN_WITH.items() for written in others}
    assert found
    world.store.close()
