"""What was taken back leaves no trace that trips the next call, and is refused where another act has built on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from worlds import World, make_world


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
