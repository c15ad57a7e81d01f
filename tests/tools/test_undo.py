"""Taking back: exact or not at all, once, in time, and never around a rule of the shop."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tools.calls import call, done, facts_of, planned, refused
from tools.world import NOW, World, offer, pending

from tillgate.guards.model import Json, Reason
from tillgate.tools.commerce.model import CartLine, Payment, Shipment

NEW: dict[str, Json] = {
    "line1": "2 Oak Ave",
    "city": "Boulder",
    "region": "CO",
    "postal_code": "80301",
    "country": "US",
}
ONE_LESS: dict[str, Json] = {"variant_id": "v_s", "quantity": 0}
BACK: dict[str, Json] = {"call_id": "call_1", "reason": "a mistake"}
ACTS: dict[str, tuple[str, dict[str, Json]]] = {
    "cancel": ("cancel_order", {"order_id": "ord_2", "reason": "other"}),
    "order address": ("update_address", {"order_id": "ord_2", "address": NEW}),
    "profile address": ("update_address", {"address": NEW}),
    "new cart": ("edit_cart", {"lines": [{"variant_id": "v_c", "quantity": 2}]}),
    "cart": ("edit_cart", {"cart_id": "cart_1", "lines": [ONE_LESS, {"variant_id": "v_c", "quantity": 2}]}),
    "offer on": ("apply_discount", {"cart_id": "cart_1", "offer_code": "FIVE"}),
    "offer off": ("remove_discount", {"cart_id": "cart_1", "offer_code": "PLUS"}),
}  # fmt: skip
each_act = pytest.mark.parametrize("act", sorted(ACTS))


@pytest.fixture
def shop(world: World) -> World:
    """A cart that carries an offer, and an order paid by card and gift card."""
    payments = (Payment("pay_1", "pm_1", "card", "4242", 10000), Payment("pay_2", "pm_gift", "gift_card", None, 550))
    paid = replace(world, placed=(world.placed[0], pending("ord_2", payments=payments), world.placed[2]))
    return replace(done(paid, planned(paid, "apply_discount", cart_id="cart_1", offer_code="PLUS")), past=())


def _acted(shop: World, act: str) -> World:
    name, arguments = ACTS[act]
    return done(shop, planned(shop, name, **arguments))


def _without_versions(world: World) -> dict[str, dict[str, Json]]:
    return {
        key: {field: value for field, value in row.items() if value is not None} for key, row in world.tables().items()
    }


@each_act
def test_what_is_taken_back_is_exactly_as_before(shop: World, act: str) -> None:
    after = _acted(shop, act)
    assert _without_versions(after) != _without_versions(shop)
    plan = planned(after, "undo_action", **BACK)
    back = after.applied(plan)
    assert _without_versions(back) == _without_versions(shop)
    assert plan.summary == f"Take back: {after.past[0].summary}"
    assert plan.undoes == "call_1"
    assert plan.undo.why_not
    assert plan.result["undone"] is True


@each_act
def test_the_versions_of_what_is_taken_back_are_the_present_ones(shop: World, act: str) -> None:
    after = _acted(shop, act)
    basis = planned(after, "undo_action", **BACK).basis
    assert basis
    assert all(after.version(root) == version for root, version in basis)


def test_taking_back_says_what_kind_of_act_it_is(shop: World) -> None:
    kinds = {act: planned(_acted(shop, act), "undo_action", **BACK).impact for act in ACTS}
    assert {act: impact.kind for act, impact in kinds.items()} == {
        "cancel": "none", "order address": "delivery_change", "profile address": "account_change", "new cart": "none",
        "cart": "none", "offer on": "none", "offer off": "price_reduction",
    }  # fmt: skip
    assert kinds["offer off"].amount == 240
    assert all(impact.amount == 0 for act, impact in kinds.items() if act != "offer off")


def test_the_order_and_the_cart_of_what_is_taken_back_are_facts(shop: World) -> None:
    for act, group, key in (("cancel", "order", "ord_2"), ("offer on", "cart", "cart_1")):
        assert facts_of(_acted(shop, act), "undo_action", **BACK)[group]["id"] == key


def test_an_action_nobody_made_here_is_not_found(shop: World) -> None:
    assert refused(shop, "undo_action", **BACK) == "not_found"


def test_an_action_is_taken_back_once(shop: World) -> None:
    after = _acted(shop, "cancel")
    again = replace(after, past=(replace(after.past[0], undone_by="call_2"),))
    assert refused(again, "undo_action", **BACK) == "already_undone"


def test_a_refund_is_final_in_its_own_words(shop: World) -> None:
    after = done(shop, planned(shop, "issue_refund", order_id="ord_1", reason="r", amount="1.00"))
    reason = call(after, "undo_action", **BACK)
    assert reason == Reason(
        "not_reversible", "The refund has been handed to the payment provider and cannot be called back."
    )


def test_taking_back_is_not_taken_back(shop: World) -> None:
    after = _acted(shop, "cancel")
    twice = done(after, planned(after, "undo_action", **BACK), "call_2")
    assert refused(twice, "undo_action", call_id="call_2", reason="r") == "not_reversible"


def test_a_cancellation_is_taken_back_until_its_refund_leaves(shop: World) -> None:
    after = _acted(shop, "cancel")
    in_time = replace(after, now=NOW + timedelta(minutes=59, seconds=59))
    assert planned(in_time, "undo_action", **BACK)
    assert refused(replace(after, now=NOW + timedelta(minutes=60)), "undo_action", **BACK) == "undo_too_late"


def test_an_action_that_changed_nothing_has_nothing_to_take_back(shop: World) -> None:
    after = done(shop, planned(shop, "edit_cart", cart_id="cart_1", lines=[{"variant_id": "v_s", "quantity": 1}]))
    assert refused(after, "undo_action", **BACK) == "nothing_to_undo"


def _gift_spent(world: World) -> World:
    ana, bo = world.customers
    methods = tuple(replace(each, balance=1) if each.id == "pm_gift" else each for each in ana.payment_methods)
    return replace(world, customers=(replace(ana, payment_methods=methods), bo))


def _cart_edited(world: World) -> World:
    return done(
        world, planned(world, "edit_cart", cart_id="cart_1", lines=[{"variant_id": "v_c", "quantity": 1}]), "call_2"
    )


def _more_in_the_new_cart(world: World) -> World:
    made = world.carts[-1]
    lines = (*made.lines, CartLine(world.variants(["v_s"])["v_s"], 1, 3))
    return replace(world, carts=(*world.carts[:-1], replace(made, lines=lines)))


def _offer_on_the_new_cart(world: World) -> World:
    return replace(world, carts=(*world.carts[:-1], replace(world.carts[-1], offers=(offer("FIVE"),))))


def _cart_gone(world: World) -> World:
    return replace(world, carts=())


def _moved_again(world: World) -> World:
    return done(world, planned(world, "update_address", address={**NEW, "line1": "3 Elm St"}), "call_2")


def _moved_away_and_back(world: World) -> World:
    away = _moved_again(world)
    return done(
        replace(away, now=NOW + timedelta(hours=1)),
        planned(replace(away, now=NOW + timedelta(hours=1)), "update_address", address=NEW),
        "call_3",
    )


@pytest.mark.parametrize(
    ("act", "meanwhile"),
    [("cart", _cart_edited), ("new cart", _more_in_the_new_cart),
     ("new cart", _offer_on_the_new_cart), ("new cart", _cart_gone), ("offer off", _cart_gone),
     ("profile address", _moved_again), ("profile address", _moved_away_and_back)],
)  # fmt: skip
def test_what_has_changed_since_is_not_taken_back(shop: World, act: str, meanwhile: Callable[[World], World]) -> None:
    assert refused(meanwhile(_acted(shop, act)), "undo_action", **BACK) == "changed_since"


def test_money_that_was_spent_since_is_not_taken_back(shop: World) -> None:
    assert refused(_gift_spent(_acted(shop, "cancel")), "undo_action", **BACK) == "balance_spent"


def test_an_address_is_not_put_back_on_a_parcel_that_has_left(shop: World) -> None:
    after = _acted(shop, "order address")
    sent = replace(after.placed[1], shipments=(Shipment("shp_2", None, ()),))
    assert refused(replace(after, placed=(sent,)), "undo_action", **BACK) == "already_dispatched"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"ends_at": NOW}, "offer_not_running"),
        ({"minimum": 99999}, "offer_minimum"),
        ({"max_uses_per_customer": 1}, "offer_used_up"),
    ],
)
def test_taking_back_a_removal_is_no_way_around_the_offers_own_rules(
    shop: World, fields: dict[str, object], code: str
) -> None:
    after = _acted(shop, "offer off")
    offers = tuple(replace(each, **fields) if each.code == "PLUS" else each for each in after.on_offer)
    later = replace(after, on_offer=offers, other_uses={"PLUS": 1})
    assert refused(later, "undo_action", **BACK) == code


def test_what_the_first_act_moved_is_not_moved_again(shop: World) -> None:
    impact = planned(_acted(shop, "cancel"), "undo_action", **BACK).impact
    assert (impact.amount, impact.kind) == (0, "none")
