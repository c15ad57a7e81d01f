"""Refunds and cancellations: what goes back, to which method, and everything the shop itself refuses."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tools.calls import call, done, planned, refused
from tools.world import NOW, World, customer, method, order, pending

from tillgate.guards.model import Change, Json, Plan, Reason
from tillgate.tools.commerce.model import Order, Payment, Refund

LINES: list[Json] = [{"line_id": "ord_1-1", "quantity": 1}]


def _with(world: World, *placed: Order) -> World:
    return replace(world, placed=placed)


def _refund(amount: int, payment: str = "pay_1", number: int = 1, **lines: int) -> Refund:
    named = {key.replace("_", "-").replace("ord-", "ord_"): quantity for key, quantity in lines.items()}
    return Refund(f"ord_1-r{number}", payment, "pm_1", amount, None, named, "refund", NOW, NOW)


def _split() -> Order:
    """60.00 by card, 5.50 by gift card and 40.00 by a card that is on file no more."""
    payments = (
        Payment("pay_1", "pm_1", "card", "4242", 6000),
        Payment("pay_2", "pm_gift", "gift_card", None, 550),
        Payment("pay_3", "pm_old", "card", "1111", 4000),
    )
    return order("ord_1", payments=payments)


def _created(plan: Plan) -> dict[str, dict[str, Json]]:
    rows: dict[str, dict[str, Json]] = {}
    for change in plan.changes:
        if change.entity.startswith("transfer:refund/"):
            assert change.before is None
            rows.setdefault(change.entity.removeprefix("transfer:refund/"), {})[change.field] = change.after
    return rows


def test_without_lines_or_amount_everything_refundable_goes_back_to_the_original_method(world: World) -> None:
    plan = planned(world, "issue_refund", order_id="ord_1", reason="never arrived")
    assert plan.summary == "Refund 105.50 USD of order ord_1 to the original card"
    assert (plan.impact.amount, plan.impact.kind, plan.impact.reversible) == (10550, "refund", False)
    assert plan.undo.why_not
    assert plan.basis == (("order:ord_1", 5),)
    assert (plan.method["kind"], plan.method["original"]) == ("card", True)
    assert _created(plan) == {
        "ord_1-r1": {
            "id": "refund/ord_1-r1", "kind": "refund", "order_id": "ord_1", "payment_id": "payment/pay_1",
            "method_id": "pm_1", "amount": 10550, "cause": "refund",
            "reason": "never arrived", "lines": {}, "created_at": "2026-06-01T12:00:00Z",
            "settles_at": "2026-06-01T12:00:00Z",
        }
    }  # fmt: skip
    assert {change.field for change in plan.changes if change.stamp} == {"created_at", "settles_at"}
    assert plan.result["amount"] == "105.50"
    assert plan.result["refundable"] == "0.00"


def test_the_amount_defaults_to_the_lines_and_can_only_be_lowered(world: World) -> None:
    assert planned(world, "issue_refund", order_id="ord_1", reason="r", lines=LINES).impact.amount == 4800
    less = planned(world, "issue_refund", order_id="ord_1", reason="r", lines=LINES, amount="18.00")
    assert less.summary.startswith("Refund 18.00 USD")
    assert _created(less)["ord_1-r1"]["lines"] == {"ord_1-1": 1}
    assert (
        refused(world, "issue_refund", order_id="ord_1", reason="r", lines=LINES, amount="48.01")
        == "amount_exceeds_lines"
    )


def test_an_amount_alone_goes_up_to_what_is_refundable(world: World) -> None:
    assert planned(world, "issue_refund", order_id="ord_1", reason="r", amount="105.50").impact.amount == 10550
    reason = call(world, "issue_refund", order_id="ord_1", reason="r", amount="105.51")
    assert isinstance(reason, Reason)
    assert reason.code == "amount_exceeds_refundable"
    assert "105.50 USD" in reason.message


def test_lines_worth_more_than_is_left_are_refused_with_what_is_left(world: World) -> None:
    spent = _with(world, order("ord_1", refunds=(_refund(8000),)))
    reason = call(spent, "issue_refund", order_id="ord_1", reason="r", lines=LINES)
    assert isinstance(reason, Reason)
    assert (reason.code, "25.50 USD" in reason.message) == ("amount_exceeds_refundable", True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"lines": [{"line_id": "nope", "quantity": 1}]}, "unknown_line"),
        ({"lines": [{"line_id": "ord_1-1", "quantity": 3}]}, "quantity_exceeds"),
        ({"method": "pm_9"}, "unknown_method"),
        ({"method": "pm_nope"}, "unknown_method"),
    ],
)
def test_what_the_record_does_not_hold_is_refused(world: World, arguments: dict[str, Json], code: str) -> None:
    assert refused(world, "issue_refund", order_id="ord_1", reason="r", **arguments) == code


def test_a_line_cannot_be_refunded_more_often_than_it_was_bought(world: World) -> None:
    once = done(world, planned(world, "issue_refund", order_id="ord_1", reason="r", lines=LINES))
    twice = done(once, planned(once, "issue_refund", order_id="ord_1", reason="r", lines=LINES))
    assert [refund.id for refund in twice.placed[0].refunds] == ["ord_1-r1", "ord_1-r2"]
    assert refused(twice, "issue_refund", order_id="ord_1", reason="r", lines=LINES) == "quantity_exceeds"


def test_there_is_nothing_to_refund_of_an_order_refunded_whole_or_of_free_lines(world: World) -> None:
    spent = _with(world, order("ord_1", refunds=(_refund(10550),)))
    assert refused(spent, "issue_refund", order_id="ord_1", reason="r") == "nothing_to_refund"
    assert refused(spent, "issue_refund", order_id="ord_1", reason="r", amount="1.00") == "nothing_to_refund"
    free = order("ord_1")
    free = replace(free, lines=tuple(replace(line, unit_price=0) for line in free.lines))
    assert refused(_with(world, free), "issue_refund", order_id="ord_1", reason="r", lines=LINES) == "nothing_to_refund"


def test_a_cancelled_order_is_not_refunded_again(world: World) -> None:
    cancelled = _with(world, pending("ord_1", status="cancelled"))
    assert refused(cancelled, "issue_refund", order_id="ord_1", reason="r") == "order_cancelled"
    assert planned(cancelled, "quote_refund", order_id="ord_1").result["refundable"] == "0.00"


def test_a_disputed_order_is_left_to_policy(world: World) -> None:
    disputed = _with(world, order("ord_1", disputed=True))
    assert planned(disputed, "issue_refund", order_id="ord_1", reason="r").impact.amount == 10550


def test_an_order_of_somebody_else_is_answered_like_one_that_does_not_exist(world: World) -> None:
    for name, extra in (
        ("issue_refund", {"reason": "r"}),
        ("cancel_order", {"reason": "other"}),
        ("quote_refund", {}),
        ("get_order", {}),
    ):
        assert call(world, name, order_id="ord_9", **extra) == call(world, name, order_id="ord_404", **extra)
        assert refused(world, name, order_id="ord_9", **extra) == "not_found"


def test_a_refund_over_several_payments_is_split_in_their_order_each_up_to_its_own_part(world: World) -> None:
    split = _with(world, _split())
    plan = planned(split, "issue_refund", order_id="ord_1", reason="r", amount="70.00")
    parts = [
        (row["payment_id"].removeprefix("payment/"), row["method_id"], row["amount"]) for row in _created(plan).values()
    ]
    assert parts == [("pay_1", "pm_1", 6000), ("pay_2", "pm_gift", 550), ("pay_3", "pm_old", 450)]
    assert plan.summary == "Refund 70.00 USD of order ord_1 to the original card and the gift card"
    assert done(world, plan).customers[0].payment_methods[1].balance == 1050
    assert plan.basis == (("order:ord_1", 5),)


def test_the_lines_of_a_split_refund_are_counted_once(world: World) -> None:
    split = _with(world, _split())
    lines: list[Json] = [{"line_id": "ord_1-1", "quantity": 2}]
    after = done(split, planned(split, "issue_refund", order_id="ord_1", reason="r", lines=lines))
    assert [dict(refund.lines) for refund in after.placed[0].refunds] == [{"ord_1-1": 2}, {}, {}]


def test_a_payment_that_was_refunded_gets_no_more_than_the_rest_of_its_own_part(world: World) -> None:
    placed = replace(_split(), refunds=(_refund(5900),))
    plan = planned(_with(world, placed), "issue_refund", order_id="ord_1", reason="r", amount="3.00")
    assert [row["amount"] for row in _created(plan).values()] == [100, 200]


def test_a_refund_that_names_no_payment_of_the_order_still_lowers_what_is_left(world: World) -> None:
    placed = order("ord_1", refunds=(_refund(10000, payment="pay_0"),))
    assert planned(_with(world, placed), "issue_refund", order_id="ord_1", reason="r").impact.amount == 550


def test_store_credit_goes_up_at_once_and_is_not_the_original_method(world: World) -> None:
    plan = planned(world, "issue_refund", order_id="ord_1", reason="r", amount="10.00", method="store_credit")
    assert (plan.method["kind"], plan.method["original"], plan.method["balance"]) == ("store_credit", False, 0)
    assert plan.summary.endswith("to the store credit")
    assert done(world, plan).customers[0].payment_methods[2].balance == 1000


def test_without_a_store_credit_account_one_is_opened_for_the_refund(world: World) -> None:
    bare = replace(world, customers=(customer("cus_1", method("pm_1")),))
    plan = planned(bare, "issue_refund", order_id="ord_1", reason="r", amount="10.00", method="store_credit")
    opened = done(bare, plan).customers[0].payment_methods[1]
    assert (opened.id, opened.kind, opened.balance) == ("cus_1-credit", "store_credit", 1000)


def test_a_method_that_paid_a_part_is_original_only_up_to_that_part(world: World) -> None:
    split = _with(world, _split())
    own = planned(split, "issue_refund", order_id="ord_1", reason="r", amount="5.50", method="pm_gift")
    assert own.method["original"] is True
    assert [row["payment_id"].removeprefix("payment/") for row in _created(own).values()] == ["pay_2"]
    more = planned(split, "issue_refund", order_id="ord_1", reason="r", amount="5.51", method="pm_gift")
    assert more.method["original"] is False
    assert [row["payment_id"].removeprefix("payment/") for row in _created(more).values()] == ["pay_2", "pay_1"]
    assert [row["amount"] for row in _created(more).values()] == [550, 1]


def test_a_gift_card_taken_off_file_cannot_be_paid_back_by_mistake(world: World) -> None:
    lost = (Payment("pay_1", "pm_lost", "gift_card", None, 10550),)
    gone = _with(world, order("ord_1", payments=lost), pending("ord_2", payments=lost))
    assert refused(gone, "issue_refund", order_id="ord_1", reason="r") == "unknown_method"
    assert refused(gone, "cancel_order", order_id="ord_2", reason="other") == "unknown_method"
    assert planned(gone, "issue_refund", order_id="ord_1", reason="r", method="store_credit")


def test_refund_numbers_fill_the_first_gap(world: World) -> None:
    placed = order("ord_1", refunds=(_refund(100, number=1), _refund(100, number=3)))
    plan = planned(_with(world, placed), "issue_refund", order_id="ord_1", reason="r", amount="1.00")
    assert list(_created(plan)) == ["ord_1-r2"]


def test_a_plan_is_the_same_when_it_is_made_again(world: World) -> None:
    one = planned(world, "issue_refund", order_id="ord_1", reason="r")
    assert one == planned(world, "issue_refund", order_id="ord_1", reason="r")


def test_a_quote_says_what_a_refund_would_do_and_changes_nothing(world: World) -> None:
    placed = order("ord_1", refunds=(_refund(4800, ord_1_1=1),))
    plan = planned(_with(world, placed), "quote_refund", order_id="ord_1")
    assert plan.changes == ()
    assert plan.impact.amount == 0
    assert (plan.result["captured"], plan.result["refunded"], plan.result["refundable"]) == ("105.50", "48.00", "57.50")
    assert plan.result["delivered_at"] == "2026-05-29T12:00:00Z"
    assert [(row["line_id"], row["quantity"], row["amount"]) for row in plan.result["lines"]] == [
        ("ord_1-1", 1, "48.00"), ("ord_1-2", 1, "9.50"),
    ]  # fmt: skip
    assert [(row["method"], row["original"], row["refundable"]) for row in plan.result["methods"]] == [
        ("pm_1", True, "57.50"), ("pm_gift", False, "57.50"), ("pm_credit", False, "57.50"),
    ]  # fmt: skip


def test_a_quote_of_lines_agrees_with_the_refund_of_the_same_lines(world: World) -> None:
    quote = planned(world, "quote_refund", order_id="ord_1", lines=LINES)
    assert quote.result["amount"] == "48.00"
    assert refused(world, "quote_refund", order_id="ord_1", lines=[{"line_id": "x", "quantity": 1}]) == "unknown_line"


def test_cancelling_gives_back_what_was_captured_once_and_can_be_taken_back_for_an_hour(world: World) -> None:
    plan = planned(world, "cancel_order", order_id="ord_2", reason="no_longer_needed")
    assert plan.summary == "Cancel order ord_2 and refund 105.50 USD to the original card"
    assert plan.changes[0] == Change("order:ord_2", "status", "pending", "cancelled")
    assert (plan.impact.amount, plan.impact.kind, plan.impact.reversible) == (10550, "refund", True)
    assert plan.undo.until == NOW + timedelta(minutes=60)
    assert _created(plan)["ord_2-r1"]["settles_at"] == "2026-06-01T13:00:00Z"
    after = done(world, plan)
    assert refused(after, "cancel_order", order_id="ord_2", reason="other") == "already_cancelled"
    assert after.placed[1].refundable == 0


def test_cancelling_refunds_only_what_is_left_to_each_payments_own_method(world: World) -> None:
    gift = Payment("pay_2", "pm_gift", "gift_card", None, 4550)
    payments = (Payment("pay_1", "pm_1", "card", "4242", 6000), gift)
    placed = pending("ord_2", payments=payments, refunds=(replace(_refund(6000), id="ord_2-r1"),))
    plan = planned(_with(world, placed), "cancel_order", order_id="ord_2", reason="other")
    assert [(row["id"], row["method_id"], row["amount"]) for row in _created(plan).values()] == [
        ("refund/ord_2-r2", "pm_gift", 4550)
    ]
    assert plan.impact.amount == 4550


def test_an_order_nothing_was_captured_for_is_cancelled_without_a_refund(world: World) -> None:
    plan = planned(_with(world, pending("ord_2", payments=())), "cancel_order", order_id="ord_2", reason="other")
    assert plan.summary == "Cancel order ord_2"
    assert not [change for change in plan.changes if change.entity.startswith("transfer:")]
    assert plan.impact.amount == 0


@pytest.mark.parametrize("status", ["shipped", "delivered"])
def test_an_order_that_was_sent_is_not_cancelled(world: World, status: str) -> None:
    sent = _with(world, pending("ord_2", status=status))
    assert refused(sent, "cancel_order", order_id="ord_2", reason="other") == "already_dispatched"
    assert (
        refused(_with(world, order("ord_1", status="processed")), "cancel_order", order_id="ord_1", reason="other")
        == "already_dispatched"
    )
