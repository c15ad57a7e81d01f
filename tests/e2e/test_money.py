"""Money: only what the record says can move, once, and no more than there is."""

from collections.abc import Iterator

import pytest
from e2e.world import OPEN, Session, World


@pytest.fixture(scope="module")
def ana(shared: World) -> Iterator[Session]:
    with shared.serve("cus_ana", policy=OPEN) as session:
        yield session


def line(key: str, quantity: int = 1) -> list[dict[str, object]]:
    return [{"line_id": key, "quantity": quantity}]


def refunds(world: World, order: str) -> list[int]:
    return [row[0] for row in world.rows(f"SELECT amount FROM transfer WHERE kind = 'refund' AND order_id = '{order}'")]


def test_refunds_end_at_what_was_captured(shared: World, ana: Session) -> None:
    assert ana.call("issue_refund", order_id="ord_a1", reason="x", amount="108.51").codes == [
        "amount_exceeds_refundable"
    ]
    assert ana.call("issue_refund", order_id="ord_a1", reason="x", amount="48.01", lines=line("ord_a1-1")).codes == [
        "amount_exceeds_lines"
    ]
    assert ana.call("issue_refund", order_id="ord_a1", reason="x", lines=line("ord_a1-1", 3)).status == "denied"
    assert ana.call("issue_refund", order_id="ord_a1", reason="x", lines=line("ord_a2-1")).status == "denied"
    twice = [*line("ord_a1-1"), *line("ord_a1-1")]
    assert ana.call("issue_refund", order_id="ord_a1", reason="x", lines=twice).codes == ["invalid_arguments"]
    assert refunds(shared, "ord_a1") == []
    assert ana.call("issue_refund", order_id="ord_a1", reason="x", lines=line("ord_a1-1", 2)).data["amount"] == "96.00"
    again = ana.call("issue_refund", order_id="ord_a1", reason="once more", lines=line("ord_a1-1"))
    assert (again.status, refunds(shared, "ord_a1")) == ("denied", [9600])
    rest = [ana.call("issue_refund", order_id="ord_a1", reason=f"part {n}", amount="5.00").status for n in range(4)]
    assert rest == ["completed", "completed", "denied", "denied"]
    assert sum(refunds(shared, "ord_a1")) == 10_600
    assert ana.call("get_order", order_id="ord_a1").data["refundable"] == "2.50"


def test_a_part_of_a_line_is_not_refunded_again_with_the_line(shared: World, ana: Session) -> None:
    """An amount refunded for a line must count against that line when it is named again."""
    first = ana.call("issue_refund", order_id="ord_a4", reason="scratch", amount="10.00", lines=line("ord_a4-1"))
    assert first.data["amount"] == "10.00"
    ana.call("issue_refund", order_id="ord_a4", reason="all of it", lines=line("ord_a4-1"))
    ana.call("issue_refund", order_id="ord_a4", reason="the rest")
    assert sum(refunds(shared, "ord_a4")) <= 90_000


def test_a_cancellation_refunds_once(shared: World, ana: Session) -> None:
    assert ana.call("cancel_order", order_id="ord_a2", reason="other").data["amount"] == "48.00"
    again = ana.call("cancel_order", order_id="ord_a2", reason="no_longer_needed")
    assert again.codes == ["already_cancelled"]
    assert ana.call("issue_refund", order_id="ord_a2", reason="x").status == "denied"
    assert ana.call("cancel_order", order_id="ord_a3", reason="other").codes == ["already_dispatched"]
    assert ana.call("cancel_order", order_id="ord_a8", reason="other").codes == ["already_cancelled"]
    assert refunds(shared, "ord_a2") == [4800]


def test_a_balance_goes_up_by_exactly_what_goes_back(shared: World, ana: Session) -> None:
    done = ana.call("issue_refund", order_id="ord_a6", reason="x", amount="20.00", method="store_credit")
    assert done.status == "completed"
    assert (
        ana.call("issue_refund", order_id="ord_a6", reason="y", amount="1.00", method="pm_ana_gift").status
        == "completed"
    )
    assert dict(
        shared.rows(
            "SELECT method_id, sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END) FROM transfer"
            " WHERE method_id IN ('pm_ana_gift', 'pm_ana_credit') GROUP BY 1"
        )
    ) == {
        "pm_ana_gift": 1100,
        "pm_ana_credit": 2000,
    }
    assert ana.call("issue_refund", order_id="ord_a6", reason="x", method="pm_ben_card").status == "denied"


def test_only_offers_on_file_that_run_and_fit_come_off(shared: World, ana: Session) -> None:
    refused = {
        code: ana.call("apply_discount", cart_id="cart_ana", offer_code=code).codes
        for code in ("NOPE", "OLD10", "SOON10", "welcome10")
    }
    assert all(len(codes) == 1 and codes != ["not_found"] for codes in refused.values()), refused
    assert ana.call("apply_discount", cart_id="cart_ana", offer_code="WELCOME10", percent=50).codes == [
        "invalid_arguments"
    ]
    assert ana.call("apply_discount", cart_id="cart_ana", offer_code="WELCOME10").data["total"] == "43.20"
    assert ana.call("apply_discount", cart_id="cart_ana", offer_code="TAKE3").codes == ["not_stackable"]
    assert ana.call("remove_discount", cart_id="cart_ana", offer_code="WELCOME10").data["total"] == "48.00"
    assert ana.call("apply_discount", cart_id="cart_ana", offer_code="HALF50").data["total"] == "19.20"
    floor = ana.call("apply_discount", cart_id="cart_ana", offer_code="MORE50")
    shown = ana.call("get_cart", cart_id="cart_ana").data
    assert float(shown["total"]) >= 0, floor.words()
    other = ana.call("edit_cart", lines=[{"variant_id": "v_mug", "quantity": 1}])
    used = ana.call("apply_discount", cart_id=other.data["id"], offer_code="HALF50")
    assert used.status == "denied", "one use for each customer"
    assert ana.call("edit_cart", cart_id="cart_ana", lines=[{"variant_id": "v_mug", "quantity": 501}]).codes == [
        "out_of_stock"
    ]
