"""What holds for every sequence of calls: refunds never exceed what was captured, and an inverse restores."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tools.calls import call, done, planned
from tools.world import World, customer, method, offer, pending, variant

from tillgate.guards.model import Json, Plan, inverse
from tillgate.tools.commerce.model import Cart, CartLine, Order, OrderLine, Payment, Product
from tillgate.tools.refunding import refundable

METHODS = (("pm_1", "card"), ("pm_gift", "gift_card"), ("pm_credit", "store_credit"), ("pm_gone", "paypal"))
amounts = st.integers(1, 20_000)


@st.composite
def orders(draw: Callable[..., Any]) -> Order:
    """An order before dispatch with one to three lines, and payments that need not add up to them."""
    lines = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5_000)), min_size=1, max_size=3))
    paid = draw(st.lists(st.tuples(st.sampled_from(METHODS), amounts), min_size=0, max_size=3))
    return pending(
        "ord_2",
        lines=tuple(OrderLine(f"l{n}", "v_s", "p_1", "T-Shirt", {}, q, price, 0) for n, (q, price) in enumerate(lines)),
        payments=tuple(Payment(f"pay_{n}", key, kind, None, amount) for n, ((key, kind), amount) in enumerate(paid)),
    )


some_lines: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["l0", "l1", "l2"]), st.integers(1, 4), min_size=1
).map(lambda wanted: [{"line_id": key, "quantity": count} for key, count in wanted.items()])

refund_calls: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"method": st.sampled_from(["original", "store_credit", "pm_1", "pm_gift", "pm_404"])},
    optional={
        "amount": amounts.map(lambda minor: f"{minor // 100}.{minor % 100:02d}"),
        "lines": some_lines,
    },
)


def _shop(placed: Order) -> World:
    ana = customer(
        "cus_1",
        method("pm_1"),
        method("pm_gift", "gift_card", balance=0),
        method("pm_credit", "store_credit", balance=0),
    )
    shirts = Product("p_1", "T-Shirt", None, (variant("v_s"),))
    return World(customers=(ana,), placed=(placed,), catalogue=(shirts,))


def _check(world: World, start: Order, moved: int) -> None:
    placed = world.placed[0]
    assert placed.refunded == moved <= start.captured
    for payment in placed.payments:
        assert sum(each.amount for each in placed.refunds if each.payment_id == payment.id) <= payment.amount
    for method_id in ("pm_gift", "pm_credit"):
        credited = sum(each.amount for each in placed.refunds if each.method_id == method_id)
        balance = next(each.balance for each in world.customers[0].payment_methods if each.id == method_id)
        assert (balance or 0) == credited
    assert len({each.id for each in placed.refunds}) == len(placed.refunds)
    assert all(each.amount > 0 for each in placed.refunds)


@given(orders(), st.lists(refund_calls, max_size=8), st.integers(0, 8))
@settings(max_examples=150, deadline=None)
def test_over_any_sequence_no_more_goes_back_than_was_captured(
    placed: Order, calls: list[dict[str, Json]], cancel_at: int
) -> None:
    world, moved = _shop(placed), 0
    for number, arguments in enumerate(calls):
        if number == cancel_at:
            plan = call(world, "cancel_order", order_id="ord_2", reason="other")
        else:
            plan = call(world, "issue_refund", order_id="ord_2", reason="r", **arguments)
        if isinstance(plan, Plan):
            moved += plan.impact.amount
            world = world.applied(plan)
        _check(world, placed, moved)


@given(orders(), st.lists(refund_calls, max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_quote_is_what_a_refund_of_everything_gives(placed: Order, calls: list[dict[str, Json]]) -> None:
    world = _shop(placed)
    for arguments in calls:
        plan = call(world, "issue_refund", order_id="ord_2", reason="r", **arguments)
        world = world.applied(plan) if isinstance(plan, Plan) else world
    quote = planned(world, "quote_refund", order_id="ord_2").result["refundable"]
    everything = call(world, "issue_refund", order_id="ord_2", reason="r")
    assert quote == (everything.result["amount"] if isinstance(everything, Plan) else "0.00")
    assert quote == world.currency.format(refundable(world.placed[0]))


edits = st.lists(
    st.fixed_dictionaries({"variant_id": st.sampled_from(["v_a", "v_b", "v_c", "v_d"]), "quantity": st.integers(0, 6)}),
    min_size=1,
    max_size=4,
    unique_by=lambda line: str(line["variant_id"]),
)


def _cart_shop(held: dict[str, int]) -> World:
    sold = {
        key: variant(key, price=price, stock=5)
        for key, price in (("v_a", 100), ("v_b", 999), ("v_c", 4800), ("v_d", 1))
    }
    cart = Cart(
        "cart_1", "cus_1", tuple(CartLine(sold[key], count, sold[key].version) for key, count in held.items()), (), 1
    )
    kinds = [("percent", 3333, 0), ("amount", 500, 1000), ("percent", 10000, 4000), ("free_shipping", 0, 0)]
    offers = tuple(
        offer(f"O{number}", kind=kind, value=value, minimum=minimum, stackable=True)
        for number, (kind, value, minimum) in enumerate(kinds)
    )
    return World(
        customers=(customer("cus_1"),),
        carts=(cart,),
        catalogue=(Product("p", "P", None, tuple(sold.values())),),
        on_offer=offers,
    )


def _rows(world: World) -> dict[str, dict[str, Json]]:
    return {
        key: {name: value for name, value in row.items() if value is not None} for key, row in world.tables().items()
    }


@given(st.dictionaries(st.sampled_from(["v_a", "v_b", "v_c"]), st.integers(1, 5)), edits, st.booleans())
@settings(max_examples=150, deadline=None)
def test_an_edited_cart_is_what_was_announced_and_its_inverse_restores(
    held: dict[str, int], lines: list[Json], fresh: bool
) -> None:
    world = _cart_shop(held)
    plan = call(world, "edit_cart", lines=lines, **({} if fresh else {"cart_id": "cart_1"}))
    if not isinstance(plan, Plan):
        return
    after = done(world, plan)
    shown = planned(after, "get_cart", cart_id=str(plan.result["id"])).result
    assert {key: value for key, value in shown.items() if key != "lines"} == {
        k: v for k, v in plan.result.items() if k != "lines"
    }
    assert _rows(after.applied(replace(plan, changes=inverse(plan.changes), basis=()))) == _rows(world)
    if plan.changes:
        assert _rows(after.applied(planned(after, "undo_action", call_id="call_1", reason="r"))) == _rows(world)


@given(
    st.dictionaries(st.sampled_from(["v_a", "v_b", "v_c"]), st.integers(1, 5)),
    st.permutations(["O0", "O1", "O2", "O3"]),
)
@settings(max_examples=100, deadline=None)
def test_each_offer_takes_off_what_its_plan_says_and_never_more_than_the_cart(
    held: dict[str, int], codes: list[str]
) -> None:
    world = _cart_shop(held)
    for code in codes:
        plan = call(world, "apply_discount", cart_id="cart_1", offer_code=code)
        if isinstance(plan, Plan):
            before = world.carts[0].discount
            world = world.applied(plan)
            assert world.carts[0].discount == before + plan.impact.amount
        assert 0 <= world.carts[0].total <= world.carts[0].subtotal


@given(orders())
@settings(max_examples=60, deadline=None)
def test_a_cancellation_is_taken_back_to_the_last_field(placed: Order) -> None:
    world = _shop(placed)
    plan = planned(world, "cancel_order", order_id="ord_2", reason="other")
    after = done(world, plan)
    assert after.placed[0].refundable == 0 or not placed.payments
    back = after.applied(planned(after, "undo_action", call_id="call_1", reason="r"))
    assert _rows(back) == _rows(world)
    assert back.placed[0] == replace(placed, version=back.placed[0].version)
