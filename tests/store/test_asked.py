"""How a file is asked what each call asks: by an index, and never by looking through what is alike."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from worlds import World

from tillgate.guards.desk import Received
from tillgate.guards.model import Assurance, Subject
from tillgate.server.store.desk import SqlDesk
from tillgate.tools.shops.embedded.sqlite import SqliteSql

CART = {"cart_id": "cart_1"}
LINES = {"lines": [{"variant_id": "v_1", "quantity": 2}]}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_customer", {}),
    ("list_orders", {}),
    ("get_order", {"order_id": "ord_1"}),
    ("get_product", {"product_id": "p_1"}),
    ("get_cart", CART),
    ("edit_cart", CART | LINES),
    ("edit_cart", LINES),
    ("apply_discount", CART | {"offer_code": "TEN"}),
    ("remove_discount", CART | {"offer_code": "TEN"}),
    ("issue_refund", {"order_id": "ord_1", "amount": "5.00", "reason": "shrank"}),
    ("return_items", {"order_id": "ord_4", "lines": [{"line_id": "ord_4-1", "quantity": 1}], "reason": "shrank"}),
    ("cancel_order", {"order_id": "ord_2", "reason": "no_longer_needed"}),
    ("change_payment_method", {"order_id": "ord_2", "payment_method_id": "gift_1"}),
    ("request_human", {"reason": "help"}),
]
OF_THE_WHOLE_SHOP = ("FROM paused", "FROM audit WHERE shop = 'main' ORDER BY seq DESC LIMIT 1", "FROM offer")
"""Of the log only the end is read; the pauses and offers of a shop are few."""


def asked(desk: SqlDesk, act: Callable[[], object]) -> list[str]:
    """The statements this act leads to, those of triggers aside."""
    assert isinstance(desk.sql, SqliteSql)
    told: list[str] = []
    desk.sql.connection.set_trace_callback(told.append)
    act()
    desk.sql.connection.set_trace_callback(None)
    return [each for each in told if not each.startswith("--")]


def steps(desk: SqlDesk, statement: str) -> Iterator[str]:
    """How the file goes about a statement."""
    if statement.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        yield from (row["detail"] for row in desk.sql.rows(f"EXPLAIN QUERY PLAN {statement}"))


def test_the_last_of_many_like_calls_is_found_without_sorting_them(world: World) -> None:
    with world.store.reading() as desk:
        talk, subject = desk.talk(world.caller), Subject("cus_1", Assurance.IDENTIFIED)
        [statement] = asked(desk, lambda: desk.recall_call(subject, talk, "edit_cart", "digest"))
        assert list(steps(desk, statement)) == ["SEARCH action USING INDEX action_arguments (shop=? AND arguments=?)"]


@pytest.mark.parametrize(("tool", "arguments"), CALLS, ids=lambda each: each if isinstance(each, str) else "")
def test_no_call_looks_through_the_shop(world: World, tool: str, arguments: dict[str, Any]) -> None:
    with world.store.transaction() as desk:
        call = Received(tool, arguments, world.caller)
        assert through_the_shop(desk, asked(desk, lambda: world.gate.journey(desk, call, "call_1"))) == []


def test_taking_one_back_looks_through_no_shop_either(world: World) -> None:
    first = world.call("edit_cart", **LINES)
    with world.store.transaction() as desk:
        call = Received("undo_action", {"call_id": first.call_id, "reason": "again"}, world.caller)
        assert through_the_shop(desk, asked(desk, lambda: world.gate.journey(desk, call, "call_1"))) == []


def test_who_takes_up_what_is_outstanding_looks_through_no_requests(world: World) -> None:
    with world.store.reading() as desk:
        assert through_the_shop(desk, asked(desk, desk.lapsed)) == []


def through_the_shop(desk: SqlDesk, statements: list[str]) -> list[str]:
    """The steps that look at all of a table, or at all that one shop has in it."""
    return [
        f"{step}: {' '.join(statement.split())}"
        for statement in statements
        if not any(each in statement for each in OF_THE_WHOLE_SHOP)
        for step in steps(desk, statement)
        if step.endswith("(shop=?)") or (step.startswith("SCAN") and "USING" in step)
    ]
