"""What was taken back leaves no trace that trips the next call, and is refused where another act has built on it."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from worlds import SHOP, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made
    made.store.close()


def test_an_account_that_another_refund_uses_is_not_closed_again(world: World) -> None:
    lines: list[dict[str, Any]] = [{"line_id": "ord_1-1", "quantity": 1}]
    back = world.call("return_items", order_id="ord_1", lines=lines, reason="x", refund_method="store_credit")
    other = world.call("issue_refund", order_id="ord_2", amount="1.00", reason="x", method="store_credit")
    assert (back.status, other.status) == ("completed", "completed")
    before = world.shop()
    undone = world.call("undo_action", call_id=back.call_id, reason="x")
    assert (undone.status, [reason.code for reason in undone.reasons]) == ("denied", ["changed_since"])
    assert world.shop() == before


def test_a_new_cart_is_made_after_an_earlier_one_was_taken_back(world: World) -> None:
    first, second = (world.call("edit_cart", lines=[{"variant_id": "v_1", "quantity": n}]) for n in (1, 2))
    assert second.status == "completed"
    assert world.call("undo_action", call_id=first.call_id, reason="x").status == "completed"
    third = world.call("edit_cart", lines=[{"variant_id": "v_1", "quantity": 3}])
    assert third.status == "completed"
    assert third.data is not None
    assert second.data is not None
    assert third.data["id"] != second.data["id"]


RULES = """
  - {id: all, tools: "*", permit: true}
  - {id: large, tools: [undo_action], when: "impact.amount > money('5.00')", escalate: refunds}
"""


def _stocked(path: Path, **stock: int) -> World:
    shop: dict[str, Any] = copy.deepcopy(SHOP)
    shop["products"][0]["variants"] = [
        {
            "id": name,
            "options": {"size": name},
            "price": "55.00" if name == "v_3" else "50.00",
            "cost": None,
            "stock": n,
        }
        for name, n in stock.items()
    ]
    order = next(each for each in shop["orders"] if each["id"] == "ord_2")
    order["lines"] = [
        {"id": f"ord_2-{n}", "variant_id": f"v_{n}", "quantity": 1, "unit_price": "50.00"} for n in (1, 2)
    ]
    return make_world(path, shop=shop)


def test_a_customer_can_go_on_while_an_undo_waits(tmp_path: Path) -> None:
    world = _stocked(tmp_path, v_1=1, v_2=1, v_3=9).under(RULES)
    lines = [{"line_id": f"ord_2-{n}", "new_variant_id": "v_3"} for n in (1, 2)]
    swapped = world.call("change_order_items", order_id="ord_2", lines=lines, payment_method_id="pm_1")
    assert swapped.status == "completed"
    assert world.call("undo_action", call_id=swapped.call_id, reason="x").status == "escalated"
    assert world.call("get_order", order_id="ord_1").status == "completed"
    world.store.close()


def test_items_that_changed_places_are_put_back_without_any_stock(tmp_path: Path) -> None:
    world = _stocked(tmp_path, v_1=1, v_2=1)
    lines = [{"line_id": "ord_2-1", "new_variant_id": "v_2"}, {"line_id": "ord_2-2", "new_variant_id": "v_1"}]
    done = world.call("change_order_items", order_id="ord_2", lines=lines, payment_method_id="pm_1")
    assert done.status == "completed"
    with world.store.transaction() as desk:
        desk.sql.run("UPDATE variant SET stock = 0")
    assert world.call("undo_action", call_id=done.call_id, reason="x").status == "completed"
    world.store.close()
