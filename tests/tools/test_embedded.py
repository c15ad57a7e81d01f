"""The tools on the shop that is shipped: what they plan can be applied there, and taken back to the last column."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tools.calls import call, planned
from tools.shop.conftest import NOW, WORLD, database, rows_without_versions

from tillgate.guards.errors import Stale
from tillgate.guards.model import Assurance, Json, Plan
from tillgate.guards.money import currency
from tillgate.tools.commerce.record import Challenge, Conversation, PastCall, RequestView
from tillgate.tools.shops.embedded.apply import apply
from tillgate.tools.shops.embedded.records import SHOP_TABLES
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop import ShopReader
from tillgate.tools.shops.embedded.sql import Sql

NEW: dict[str, Json] = {
    "line1": "2 Oak Ave",
    "city": "Boulder",
    "region": "CO",
    "postal_code": "80301",
    "country": "US",
}
CAP: dict[str, Json] = {"variant_id": "v_3", "quantity": 1}
REVERSIBLE: list[tuple[str, dict[str, Json]]] = [
    ("cancel_order", {"order_id": "ord_2", "reason": "other"}),
    ("update_address", {"order_id": "ord_2", "address": NEW}),
    ("update_address", {"address": NEW}),
    ("edit_cart", {"lines": [CAP]}),
    ("edit_cart", {"cart_id": "cart_1", "lines": [CAP, {"variant_id": "v_1", "quantity": 0}]}),
    ("remove_discount", {"cart_id": "cart_1", "offer_code": "BUNDLE5"}),
]


class Desk(ShopReader):
    """The shipped shop as cus_1 sees it, with the gate's half of the record in memory."""

    conversation = Conversation("talk", "cus_1", True, 0, Assurance.AUTHENTICATED)
    past: PastCall | None = None

    def __init__(self, sql: Sql, customer_id: str | None = "cus_1") -> None:
        super().__init__(sql, customer_id=customer_id, conversation="talk", now=NOW, currency=currency("USD"))
        self.sql = sql

    def new_id(self, kind: str) -> str:
        return f"{kind}_new"

    def challenge(self, challenge_id: str) -> Challenge | None:
        return None

    def request(self, handle: str) -> RequestView | None:
        return None

    def past_call(self, call_id: str) -> PastCall | None:
        return self.past

    def carry_out(self, plan: Plan) -> None:
        apply(self.sql, plan.changes, plan.basis, SHOP_TABLES)
        undo = plan.undo
        self.past = PastCall("call_1", plan.tool, plan.summary, NOW, plan.changes, undo.until, undo.why_not, None)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    sql = database(tmp_path / "shop.db")
    seed(sql, json.dumps(WORLD), now=NOW)
    yield Desk(sql)
    sql.connection.close()


@pytest.mark.parametrize(("name", "arguments"), REVERSIBLE)
def test_a_change_is_applied_and_taken_back_to_the_last_column(
    desk: Desk, name: str, arguments: Mapping[str, Json]
) -> None:
    before = rows_without_versions(desk.sql)
    desk.carry_out(planned(desk, name, **arguments))
    assert rows_without_versions(desk.sql) != before
    desk.carry_out(planned(desk, "undo_action", call_id="call_1", reason="r"))
    assert rows_without_versions(desk.sql) == before


@pytest.mark.parametrize("method", ["original", "pm_1g"])
def test_a_refund_stands_in_the_record_as_planned(desk: Desk, method: str) -> None:
    lines: list[Json] = [{"line_id": "ord_1-1", "quantity": 1}]
    plan = planned(desk, "issue_refund", order_id="ord_1", lines=lines, reason="r", method=method)
    desk.carry_out(plan)
    order: Any = planned(desk, "get_order", order_id="ord_1").result
    assert order["refunds"][-1] == plan.result["refunds"][0]
    assert (order["refunded"], order["refundable"]) == ("58.00", plan.result["refundable"])
    balances = [each["balance"] for each in planned(desk, "get_customer").result["payment_methods"]]
    assert balances == [None, "68.00" if method == "pm_1g" else "20.00"]


@pytest.mark.parametrize(("name", "arguments"), REVERSIBLE)
def test_of_two_plans_made_from_the_same_record_only_one_is_carried_out(
    desk: Desk, name: str, arguments: Mapping[str, Json]
) -> None:
    plan = planned(desk, name, **arguments)
    desk.carry_out(plan)
    after = rows_without_versions(desk.sql)
    with pytest.raises(Stale):
        desk.carry_out(plan)
    assert rows_without_versions(desk.sql) == after


def test_two_refunds_planned_at_once_are_never_both_carried_out(desk: Desk) -> None:
    one = planned(desk, "issue_refund", order_id="ord_1", reason="r", amount="86.00")
    two = planned(desk, "issue_refund", order_id="ord_1", reason="r", amount="85.00")
    desk.carry_out(one)
    with pytest.raises(Stale):
        desk.carry_out(replace(two, changes=tuple(two.changes)))


def test_what_an_edited_cart_will_be_is_what_it_is(desk: Desk) -> None:
    plan = planned(desk, "edit_cart", cart_id="cart_1", lines=[CAP])
    desk.carry_out(plan)
    assert planned(desk, "get_cart", cart_id="cart_1").result == plan.result


def test_an_anonymous_cart_is_found_again_in_its_conversation(desk: Desk) -> None:
    nobody = Desk(desk.sql, None)
    plan = planned(nobody, "edit_cart", lines=[CAP])
    nobody.carry_out(plan)
    assert planned(nobody, "get_cart", cart_id="cart_new").result == plan.result


def test_records_of_somebody_else_are_answered_like_none(desk: Desk) -> None:
    for name, field, other in (("get_order", "order_id", "ord_4"), ("get_cart", "cart_id", "cart_2")):
        assert call(desk, name, **{field: other}) == call(desk, name, **{field: "nope"})


def test_every_read_answers_on_the_shipped_shop(desk: Desk) -> None:
    reads: dict[str, dict[str, Json]] = {
        "search_products": {"query": "shirt", "in_stock": True},
        "get_product": {"product_id": "p_1"},
        "list_offers": {"cart_id": "cart_1"},
        "list_orders": {"status": "pending"},
        "quote_refund": {"order_id": "ord_1"},
    }
    assert all(planned(desk, name, **arguments).result["currency"] == "USD" for name, arguments in reads.items())
