"""The rules of the trade as facts, at the very moment they turn."""

import copy
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from worlds import NOW, SHOP, World, make_world

Shop = dict[str, Any]
HERE = {"line1": "1 Planted Street", "city": "Springfield", "region": "CO", "postal_code": "80279", "country": "US"}


def at(**ago: float) -> str:
    return f"{NOW - timedelta(**ago):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def shop() -> Shop:
    return copy.deepcopy(SHOP)


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Callable[[Shop], World]]:
    made: list[World] = []

    def make(shop: Shop) -> World:
        made.append(make_world(tmp_path, shop=shop))
        return made[-1]

    yield make
    for world in made:
        world.store.close()


def facts(world: World, tool: str = "get_order", **arguments: Any) -> Any:
    """The facts the call was decided by."""
    world.call(tool, **(arguments or {"order_id": "ord_1"}))
    return world.records()[-1]["facts"]


AGES = [
    (timedelta(0), 0, 0),
    (timedelta(seconds=3599), 0, 0),
    (timedelta(hours=1), 1, 0),
    (timedelta(hours=23, minutes=59, seconds=59), 23, 0),
    (timedelta(days=1), 24, 1),
    (timedelta(days=400, hours=5), 9605, 400),
    (timedelta(seconds=-1), 0, 0),
    (timedelta(days=-3), 0, 0),
]


@pytest.mark.parametrize(("since", "hours", "days"), AGES)
def test_an_age_is_in_whole_units_and_never_below_zero(
    world_of: Callable[[Shop], World], shop: Shop, since: timedelta, hours: int, days: int
) -> None:
    then = at(seconds=since.total_seconds())
    shop["orders"][0] |= {"placed_at": then, "delivered_at": then}
    shop["customers"][0] |= {"created_at": then, "address_changed_at": then}
    known = facts(world_of(shop))
    assert (known["order"]["age_hours"], known["order"]["delivered_days"]) == (hours, days)
    assert (known["customer"]["address_age_hours"], known["customer"]["age_days"]) == (hours, days)


WITHDRAWAL = [
    ("DE", timedelta(days=14), "open"),
    ("DE", timedelta(days=15), "over"),
    ("DE", timedelta(0), "open"),
    ("FR", timedelta(days=3), "open"),
    ("GB", timedelta(days=3), "none"),
    ("CH", timedelta(days=3), "none"),
    ("US", timedelta(days=3), "none"),
]


@pytest.mark.parametrize(("country", "since", "wanted"), WITHDRAWAL)
def test_the_right_of_withdrawal(
    world_of: Callable[[Shop], World], shop: Shop, country: str, since: timedelta, wanted: str
) -> None:
    order = shop["orders"][0]
    order["shipping_address"] = {**order["shipping_address"], "country": country}
    order["delivered_at"] = at(seconds=since.total_seconds())
    order["placed_at"] = at(days=60)
    assert facts(world_of(shop))["order"]["withdrawal"] == wanted


def test_the_whole_fourteenth_day_counts(world_of: Callable[[Shop], World], shop: Shop) -> None:
    order = shop["orders"][0]
    order["shipping_address"] = {**order["shipping_address"], "country": "DE"}
    order |= {"delivered_at": "2026-05-18T00:00:00Z", "placed_at": at(days=60)}
    world = world_of(shop)
    world.clock.advance(hours=11, minutes=59, seconds=59)
    assert facts(world)["order"]["withdrawal"] == "open"


def test_nobody_withdraws_from_what_went_elsewhere_undelivered(world_of: Callable[[Shop], World], shop: Shop) -> None:
    shop["orders"][1]["shipping_address"]["country"] = "GB"
    assert facts(world_of(shop), order_id="ord_2")["order"]["withdrawal"] == "none"


def test_who_waits_for_the_goods_may_withdraw_already(world_of: Callable[[Shop], World], shop: Shop) -> None:
    shop["orders"][1]["shipping_address"]["country"] = "DE"
    assert facts(world_of(shop), order_id="ord_2")["order"]["withdrawal"] == "open"


def test_refunds_to_one_address_count_whoever_asked(world_of: Callable[[Shop], World], shop: Shop) -> None:
    for order in shop["orders"]:
        order["shipping_address"] = copy.deepcopy(shop["orders"][0]["shipping_address"])
    world = world_of(shop)
    assert facts(world)["order"]["address_refunds_30d"] == 0
    assert world.call("issue_refund", order_id="ord_2", amount="1.00", reason="x").status == "completed"
    assert facts(world)["order"]["address_refunds_30d"] == 1
    world.clock.advance(days=31)
    assert facts(world)["order"]["address_refunds_30d"] == 0


def test_refunds_to_one_method(world_of: Callable[[Shop], World], shop: Shop) -> None:
    world = world_of(shop)
    for amount in ("1.00", "2.50"):
        assert world.call("issue_refund", order_id="ord_1", amount=amount, reason="x").status == "completed"
    method = facts(world, "issue_refund", order_id="ord_1", amount="0.01", reason="x")["method"]
    assert (method["refunds_30d"], method["refunded_30d"]) == (2, 350)


@pytest.mark.parametrize(("later", "wanted"), [(timedelta(days=30), 1), (timedelta(days=30, seconds=1), 0)])
def test_a_refund_counts_for_thirty_days(
    world_of: Callable[[Shop], World], shop: Shop, later: timedelta, wanted: int
) -> None:
    world = world_of(shop)
    assert world.call("issue_refund", order_id="ord_1", amount="1.00", reason="x").status == "completed"
    world.clock.advance(seconds=later.total_seconds())
    found = facts(world, "issue_refund", order_id="ord_1", amount="0.01", reason="x")
    assert (found["method"]["refunds_30d"], found["method"]["refunded_30d"]) == (wanted, wanted * 100)
    assert found["order"]["address_refunds_30d"] == wanted


def test_refunds_to_another_address_and_another_method_do_not_count(
    world_of: Callable[[Shop], World], shop: Shop
) -> None:
    shop["orders"][1]["shipping_address"] = HERE | {"line1": "77 Far Street", "line2": None}
    world = world_of(shop)
    assert world.call("issue_refund", order_id="ord_2", amount="1.00", reason="x").status == "completed"
    found = facts(world, "issue_refund", order_id="ord_1", amount="0.01", reason="x", method="gift_1")
    assert found["order"]["address_refunds_30d"] == 0
    assert (found["method"]["refunds_30d"], found["method"]["refunded_30d"]) == (0, 0)


def test_how_long_an_address_has_stood(world_of: Callable[[Shop], World], shop: Shop) -> None:
    shop["customers"][0]["address_changed_at"] = at(hours=71, minutes=59)
    world = world_of(shop)
    assert facts(world)["customer"]["address_age_hours"] == 71
    assert "address_age_hours" not in facts(world)["order"]
    assert world.call("update_address", order_id="ord_2", address=HERE | {"line1": "9 Elm Road"}).status == "completed"
    world.clock.advance(hours=3, minutes=30)
    assert facts(world, order_id="ord_2")["order"]["address_age_hours"] == 3


def test_how_long_an_e_mail_address_has_stood_is_known_only_where_the_shop_says_so(
    world_of: Callable[[Shop], World], shop: Shop
) -> None:
    world = world_of(shop)
    assert "email_age_hours" not in facts(world)["customer"]
    with world.store.transaction() as desk:
        desk.sql.run("UPDATE customer SET email_changed_at = ? WHERE id = 'cus_1'", (at(hours=5),))
    assert facts(world)["customer"]["email_age_hours"] == 5


@pytest.mark.parametrize(("cost", "margin"), [("20.00", (2500, 55)), (None, None), ("50.00", (-500, -12))])
def test_the_margin_that_an_offer_leaves(
    world_of: Callable[[Shop], World], shop: Shop, cost: str | None, margin: tuple[int, int] | None
) -> None:
    shop["products"][0]["variants"][0]["cost"] = cost
    cart = facts(world_of(shop), "apply_discount", cart_id="cart_1", offer_code="TEN")["cart"]
    assert (None if "margin" not in cart else (cart["margin"], cart["margin_percent"])) == margin
