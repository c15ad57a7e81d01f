"""What was done to an order can be taken back exactly, until the world has moved on."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from worlds import SHOP, World, make_world

from tillgate.guards.outcome import Outcome

pytestmark = pytest.mark.every_store


@pytest.fixture
def world(place: Path | str) -> Iterator[World]:
    shop: dict[str, Any] = copy.deepcopy(SHOP)
    shop["products"][0]["variants"] += [
        {"id": "v_3", "options": {"size": "XL"}, "price": "53.00", "cost": None, "stock": 9},
        {"id": "v_4", "options": {"size": "XXL"}, "price": "45.00", "cost": None, "stock": 2},
    ]
    shop["customers"][0]["payment_methods"][1]["balance"] = "120.00"
    made = make_world(place, shop=shop)
    yield made
    made.store.close()


def _shop(world: World) -> list[Any]:
    """Every table of the shop, without how often a record was planned upon."""
    tables = "payment_method order_line transfer amendment stock_move variant"
    orders = "SELECT id, status, shipping_address FROM orders ORDER BY 1"
    return [world.rows(f"SELECT * FROM {table} ORDER BY id") for table in tables.split()] + [world.rows(orders)]


def _swap(world: World, tool: str, order: str, variant: str, method: str) -> Outcome:
    return world.call(tool, order_id=order, lines=_lines(order, variant), payment_method_id=method)


def _undo(world: World, call_id: str) -> Outcome:
    return world.call("undo_action", call_id=call_id, reason="a mistake")


def _lines(order: str, variant: str) -> list[dict[str, Any]]:
    return [{"line_id": f"{order}-1", "new_variant_id": variant}]


DEARER = {"order_id": "ord_2", "lines": _lines("ord_2", "v_3"), "payment_method_id": "gift_1"}
CHEAPER = {"order_id": "ord_2", "lines": _lines("ord_2", "v_4"), "payment_method_id": "pm_1"}
EXCHANGE = {"order_id": "ord_1", "lines": _lines("ord_1", "v_3"), "payment_method_id": "gift_1"}
RETURN = {"order_id": "ord_1", "lines": [{"line_id": "ord_1-1", "quantity": 1}], "reason": "too small"}
ACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "dearer items": ("change_order_items", DEARER),
    "cheaper items": ("change_order_items", CHEAPER),
    "payment": ("change_payment_method", {"order_id": "ord_2", "payment_method_id": "gift_1"}),
    "cancellation": ("cancel_order", {"order_id": "ord_2", "reason": "other"}),
    "return": ("return_items", {**RETURN, "refund_method": "store_credit"}),
    "exchange": ("exchange_items", EXCHANGE),
}


@pytest.mark.parametrize("act", ACTS)
def test_each_act_is_taken_back_to_the_byte(world: World, act: str) -> None:
    before = _shop(world)
    tool, arguments = ACTS[act]
    done = world.call(tool, **arguments)
    assert done.status == "completed", done.reasons
    assert _shop(world) != before
    undone = _undo(world, done.call_id)
    assert undone.status == "completed", undone.reasons
    assert _shop(world) == before


def test_money_that_was_spent_since_is_not_taken_back(world: World) -> None:
    done = _swap(world, "change_order_items", "ord_2", "v_4", "gift_1")
    spent = _swap(world, "exchange_items", "ord_1", "v_3", "gift_1")
    assert spent.status == "completed"
    assert _undo(world, done.call_id).status == "completed"
    done = world.call("cancel_order", order_id="ord_2", reason="other")
    assert world.call("change_payment_method", order_id="ord_2", payment_method_id="gift_1").status == "denied"
    assert _undo(world, done.call_id).status == "completed"


def test_items_of_an_order_that_was_cancelled_since_are_not_put_back(world: World) -> None:
    done = _swap(world, "change_order_items", "ord_2", "v_4", "pm_1")
    assert world.call("cancel_order", order_id="ord_2", reason="other").status == "completed"
    before = _shop(world)
    assert [reason.code for reason in _undo(world, done.call_id).reasons] == ["changed_since"]
    assert _shop(world) == before


def test_goods_that_were_sold_since_are_not_put_back(world: World) -> None:
    """The second of two units set free is sold before the cancellation is taken back."""
    done = world.call("cancel_order", order_id="ord_2", reason="other")
    with world.store.transaction() as desk:
        desk.sql.run("UPDATE variant SET stock = 1 WHERE id = 'v_1'")
    assert [reason.code for reason in _undo(world, done.call_id).reasons] == ["sold_since"]


def test_an_order_that_has_left_is_not_changed_back(world: World) -> None:
    done = world.call("change_payment_method", order_id="ord_2", payment_method_id="gift_1")
    with world.store.transaction() as desk:
        desk.sql.run("UPDATE orders SET status = 'shipped' WHERE id = 'ord_2'")
    assert [reason.code for reason in _undo(world, done.call_id).reasons] == ["already_dispatched"]


def test_a_cancellation_after_a_changed_payment_gives_the_money_back_once(world: World) -> None:
    world.call("change_payment_method", order_id="ord_2", payment_method_id="gift_1")
    done = world.call("cancel_order", order_id="ord_2", reason="other")
    assert done.status == "completed"
    back = world.rows("SELECT method_id, amount, cause FROM transfer WHERE kind = 'refund' ORDER BY id")
    assert back == [("pm_1", 10000, "payment"), ("gift_1", 10000, "cancellation")]
