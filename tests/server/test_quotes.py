"""A price or offer the customer was told holds while its row stands, and a plan made from it no longer."""

import pytest
from worlds import World, policy

from tillgate.guards.outcome import Outcome

ASKS = """
  - {id: all, tools: "*", permit: true}
  - {id: ask, tools: [apply_discount, change_order_items], confirm: agent}
"""


def _codes(outcome: Outcome) -> list[str]:
    return [reason.code for reason in outcome.reasons]


def _write(world: World, sql: str) -> None:
    with world.store.transaction() as desk:
        desk.sql.run(sql)


def _price(world: World, price: int = 6000) -> None:
    _write(world, f"UPDATE variant SET price = {price} WHERE id = 'v_1'")


def test_a_new_price_is_a_new_version_and_new_stock_is_not(world: World) -> None:
    version = "SELECT version FROM variant WHERE id = 'v_1'"
    _write(world, "UPDATE variant SET stock = 3 WHERE id = 'v_1'")
    assert world.rows(version) == [(1,)]
    _price(world)
    assert world.rows(version) == [(2,)]


def test_a_line_set_at_a_price_that_is_gone_is_refused(world: World) -> None:
    lines = [{"variant_id": "v_1", "quantity": 2, "version": 1}]
    _price(world)
    assert _codes(world.call("edit_cart", cart_id="cart_1", lines=lines)) == ["price_changed"]
    lines[0]["version"] = 2
    assert world.call("edit_cart", cart_id="cart_1", lines=lines).status == "completed"


def test_a_cart_whose_price_has_changed_is_set_again_before_it_gets_a_discount(world: World) -> None:
    _price(world)
    assert _codes(world.call("apply_discount", cart_id="cart_1", offer_code="TEN")) == ["price_changed"]
    world.call("edit_cart", cart_id="cart_1", lines=[{"variant_id": "v_1", "quantity": 1}])
    assert world.call("apply_discount", cart_id="cart_1", offer_code="TEN").status == "completed"


def test_an_offer_that_has_changed_since_it_was_told_is_refused(world: World) -> None:
    _write(world, "UPDATE offer SET value = 500 WHERE id = 'TEN'")
    told = world.call("apply_discount", cart_id="cart_1", offer_code="TEN", version=1)
    assert _codes(told) == ["offer_changed"]
    assert world.call("apply_discount", cart_id="cart_1", offer_code="TEN", version=2).status == "completed"


@pytest.mark.parametrize("sql", ["UPDATE offer SET value = 5000 WHERE id = 'TEN'"])
def test_a_yes_to_an_offer_is_no_yes_to_what_it_became(world: World, sql: str) -> None:
    world = world.under(ASKS)
    asked = world.call("apply_discount", cart_id="cart_1", offer_code="TEN")
    assert asked.confirmation is not None
    token = asked.confirmation.token
    _write(world, sql)
    answered = world.call("apply_discount", cart_id="cart_1", offer_code="TEN", confirmation_token=token)
    assert answered.executed is False
    assert world.rows("SELECT count(*) FROM cart_offer") == [(0,)]


def test_the_answer_names_the_row_its_version_and_when_it_held(world: World) -> None:
    views = """
context:
  search_products: {anonymous: [as_of, "products[].variants[].id", "products[].variants[].version"]}
  get_cart: {anonymous: ["lines[].version", "lines[].price_changed"]}
"""
    text = 'policy: p\nversion: 1\ncurrency: USD\nrules:\n  - {id: all, tools: "*", permit: true}\n' + views
    world.gate = type(world.gate)(world.gate.tools, policy(text), world.store, world.gate.minter)
    found = world.call("search_products").data
    assert found is not None
    assert found["as_of"] == "2026-06-01T12:00:00Z"
    assert found["products"][0]["variants"][0] == {"id": "v_1", "version": 1}
    _price(world)
    cart = world.call("get_cart", cart_id="cart_1").data
    assert cart is not None
    assert cart["lines"] == [{"version": 2, "price_changed": True}]
