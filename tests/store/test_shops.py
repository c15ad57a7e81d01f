"""Several shops in one store know nothing of one another, not even where their records have the same ids."""

import json
from typing import Any

import pytest
from worlds import MONEY, NOW, SHOP, World

from tillgate.guards.audit.verify import verify_lines
from tillgate.server.store.log import stored_lines, unrecorded
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop import ShopReader

pytestmark = pytest.mark.every_store


def _neighbour(world: World, shop: dict[str, Any] | None = None) -> World:
    """Another shop in the same store, filled from the same file unless another one is given."""
    there = world.beside("next-door")
    with there.store.transaction() as desk:
        seed(desk.sql, json.dumps(shop or SHOP), now=NOW)
    return there


def test_what_happens_in_one_shop_leaves_the_other_as_it_was(world: World) -> None:
    here = world
    there = _neighbour(here)
    before = [row for table in there.shop() for row in table if row[0] == "next-door"]
    assert here.call("issue_refund", order_id="ord_1", amount="12.00", reason="broken").status == "completed"
    assert here.call("cancel_order", order_id="ord_2", reason="no_longer_needed").status == "completed"
    assert here.call("edit_cart", lines=[{"variant_id": "v_1", "quantity": 2}]).status == "completed"
    assert [row for table in there.shop() for row in table if row[0] == "next-door"] == before
    again = there.call("issue_refund", order_id="ord_1", amount="12.00", reason="broken")
    assert (again.status, again.replayed) == ("completed", False)
    there.store.close()


def test_each_shop_has_a_log_of_its_own(world: World) -> None:
    here = world
    there = _neighbour(here)
    for each, calls in ((here, 3), (there, 2)):
        for _ in range(calls):
            assert each.call("get_order", order_id="ord_1").status == "completed"
        with each.store.reading() as desk:
            lines, gaps = stored_lines(desk.sql), unrecorded(desk.sql)
        assert (verify_lines(lines).records, list(verify_lines(lines).problems), gaps) == (calls, [], [])
    there.store.close()


def test_a_search_finds_only_what_the_shop_itself_sells(world: World) -> None:
    here = world
    product = {"id": "p_9", "title": "Shirt press", "category": "apparel", "variants": [
        {"id": "v_9", "options": {}, "price": "9.00", "cost": None, "stock": 1}]}  # fmt: skip
    there = _neighbour(here, {**SHOP, "products": [*SHOP["products"], product]})
    asked: list[dict[str, Any]] = [{"query": "shirt"}, {"category": "apparel"}, {"max_price": 6000}, {}]
    for arguments in asked:
        found = [_found(world, arguments) for world in (here, there)]
        assert found == [["p_1"], ["p_9", "p_1"]], arguments
    with there.store.transaction() as desk:
        seed(desk.sql, json.dumps(SHOP), now=NOW, replace=True)
    assert [_found(world, {"query": "shirt"}) for world in (here, there)] == [["p_1"], ["p_1"]]
    there.store.close()


def _found(world: World, arguments: dict[str, Any]) -> list[str]:
    asked = {"query": None, "category": None, "max_price": None, "in_stock": None, **arguments}
    with world.store.reading() as desk:
        reader = ShopReader(desk.sql, customer_id=None, conversation="talk", now=NOW, currency=MONEY)
        return [product.id for product in reader.search(**asked, limit=10)]
