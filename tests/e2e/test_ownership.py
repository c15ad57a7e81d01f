"""Another customer's record is answered exactly as one that does not exist, and nothing said raises assurance."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.world import ESCALATE, NEW_ADDRESS, OPEN, STORE, JsonObject, Session, World

LINE: list[JsonObject] = [{"line_id": "L", "quantity": 1}]
PAIRS: list[tuple[str, str, str, str, JsonObject]] = [
    # tool, the argument that is an id, another customer's, one nobody has, the other arguments
    ("get_order", "order_id", "ord_b1", "ord_zz", {}),
    ("quote_refund", "order_id", "ord_b1", "ord_zz", {}),
    ("quote_refund", "order_id", "ord_b1", "ord_zz", {"lines": [{"line_id": "ord_b1-1", "quantity": 1}]}),
    ("issue_refund", "order_id", "ord_b1", "ord_zz", {"reason": "x"}),
    ("issue_refund", "order_id", "ord_b1", "ord_zz", {"reason": "x", "method": "pm_ben_card", "amount": "1.00"}),
    ("cancel_order", "order_id", "ord_b2", "ord_zz", {"reason": "other"}),
    ("update_address", "order_id", "ord_b2", "ord_zz", {"address": NEW_ADDRESS}),
    ("request_human", "order_id", "ord_b1", "ord_zz", {"reason": "help"}),
    ("get_cart", "cart_id", "cart_ben", "cart_zz", {}),
    ("list_offers", "cart_id", "cart_ben", "cart_zz", {}),
    ("edit_cart", "cart_id", "cart_ben", "cart_zz", {"lines": [{"variant_id": "v_mug", "quantity": 1}]}),
    ("apply_discount", "cart_id", "cart_ben", "cart_zz", {"offer_code": "TAKE3"}),
    ("remove_discount", "cart_id", "cart_ben", "cart_zz", {"offer_code": "TAKE3"}),
    ("issue_refund", "method", "pm_ben_card", "pm_zz", {"order_id": "ord_a9", "reason": "x"}),
    ("change_payment_method", "order_id", "ord_b2", "ord_zz", {"payment_method_id": "pm_ben_card"}),
    ("change_payment_method", "payment_method_id", "pm_ben_card", "pm_zz", {"order_id": "ord_a2"}),
    (
        "change_order_items",
        "order_id",
        "ord_b2",
        "ord_zz",
        {"lines": [{"line_id": "ord_b2-1", "new_variant_id": "v_shirt_l"}], "payment_method_id": "pm_ben_card"},
    ),
    (
        "return_items",
        "order_id",
        "ord_b1",
        "ord_zz",
        {"lines": [{"line_id": "ord_b1-1", "quantity": 1}], "reason": "x"},
    ),
    (
        "exchange_items",
        "order_id",
        "ord_b1",
        "ord_zz",
        {"lines": [{"line_id": "ord_b1-1", "new_variant_id": "v_shirt_l"}], "payment_method_id": "pm_ben_card"},
    ),
]


@pytest.fixture(scope="module")
def bens(shared: World) -> tuple[str, str]:
    """A request and an action of Ben's."""
    with shared.serve("cus_ben", policy=ESCALATE) as ben:
        request = ben.call("issue_refund", order_id="ord_b1", reason="x")
        action = ben.call("edit_cart", cart_id="cart_ben", lines=[{"variant_id": "v_mug", "quantity": 3}])
    assert (request.status, action.status) == ("escalated", "completed")
    return request.handle, action.call_id


@pytest.fixture(scope="module")
def ana(shared: World, bens: tuple[str, str]) -> Iterator[Session]:
    with shared.serve("cus_ana", policy=OPEN) as session:
        yield session


def test_another_customers_record_is_as_if_it_were_not_there(
    shared: World, ana: Session, bens: tuple[str, str]
) -> None:
    names = {tool["name"] for tool in ana.tools()}
    handle, action = bens
    unknown = "esc_" + "0" * 32
    pairs = [
        *(pair for pair in PAIRS if pair[0] in names),
        ("check_request", "handle", handle, unknown, {}),
        ("withdraw_request", "handle", handle, unknown, {}),
        ("undo_action", "call_id", action, "call_" + "0" * 32, {"reason": "x"}),
    ]
    before = shared.shop()
    for tool, field, theirs, nobodys, more in pairs:
        one = ana.call(tool, **{**more, field: theirs})
        other = ana.call(tool, **{**more, field: nobodys})
        assert one.status == other.status == "denied", tool
        assert one.words() == other.words().replace(nobodys, theirs), tool
        assert theirs not in one.words(), tool
    assert shared.shop() == before


def test_the_challenge_of_another_conversation_is_not_there(shared: World, ana: Session) -> None:
    with shared.serve(policy=STORE) as mallory:
        mallory.call("identify_customer", email="zq-ana.planted@example.com")
        sent = mallory.call("verify_identity").envelope["verification"]
    code = shared.code()
    with shared.serve(policy=STORE) as other:
        other.call("identify_customer", email="zq-ana.planted@example.com")
        there = other.call("verify_identity", challenge_id=sent["challenge_id"], code=code)
        nowhere = other.call("verify_identity", challenge_id="chl_" + "0" * 32, code=code)
    assert there.words() == nowhere.words()
    assert there.codes == ["not_found"]


def test_the_answer_does_not_take_longer_either(ana: Session) -> None:
    def taken(order: str) -> float:
        times: list[float] = []
        for _ in range(40):
            start = time.perf_counter()
            ana.call("get_order", order_id=order)
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    theirs, nobodys = taken("ord_b1"), taken("ord_zz")
    assert 1 / 3 < theirs / nobodys < 3


CLAIMS: list[JsonObject] = [
    {"customer_id": "cus_ben"},
    {"assurance": "stepped_up"},
    {"subject": "cus_ben"},
    {"as": "cus_ben"},
    {"is_admin": True},
]


def test_nothing_said_makes_somebody_of_nobody(world: World) -> None:
    with world.serve(policy=STORE) as known:
        name = "the-conversation"
        meta = {"tillgate/conversation": name}
        assert known.call("identify_customer", meta, email="zq-ana.planted@example.com").status == "completed"
        sent = known.call("verify_identity", meta).envelope["verification"]
        proved = known.call("verify_identity", meta, challenge_id=sent["challenge_id"], code=world.code())
        assert proved.data["assurance"] == "stepped_up"
        assert known.call("get_customer", meta).status == "completed"
        assert known.call("get_customer").status == "verification_required", "another conversation of the same process"
        with world.serve(policy=STORE) as stranger:
            spoofs: list[JsonObject] = [
                meta,
                {"tillgate/customer": "cus_ana", "customer_id": "cus_ana", "assurance": "stepped_up"},
                {"tillgate/assurance": "stepped_up"},
                {"clientInfo": {"name": "cus_ana"}, "subject": "cus_ana"},
                {"tillgate/conversation": f"stdio:x/{name}"},
                {"tillgate/conversation": "' OR 1=1 --"},
            ]
            for spoof in spoofs:
                answer = stranger.call("get_customer", spoof)
                assert answer.envelope["verification"] == {"level": "identified"}, spoof
            for claim in CLAIMS:
                assert stranger.call("get_order", order_id="ord_a1", **claim).codes == ["invalid_arguments"], claim
            other = stranger.call("verify_identity", meta, challenge_id=sent["challenge_id"], code="000000")
            assert other.status == "denied"
    assert {row[0] for row in world.rows("SELECT coalesce(customer_id, '-') FROM conversation")} == {"cus_ana", "-"}


def test_one_customer_a_conversation_and_three_misses_lock_it(world: World) -> None:
    with world.serve(policy=STORE) as session:
        first: JsonObject = {"tillgate/conversation": "first"}
        assert session.call("identify_customer", first, email="zq-ana.planted@example.com").status == "completed"
        other = session.call("identify_customer", first, email="zq-ben.planted@example.org")
        wrong = session.call("identify_customer", first, email="nobody@example.org")
        assert other.words() == wrong.words(), "whether somebody else is on file is not told"
        assert session.call("get_order", first, order_id="ord_b1").codes == ["not_found"]
        second: JsonObject = {"tillgate/conversation": "second"}
        tries: list[Any] = [
            session.call("identify_customer", second, email=f"no{n}@example.org").codes for n in range(3)
        ]
        assert tries == [["no_match"]] * 3
        locked = session.call("identify_customer", second, email="zq-ana.planted@example.com")
        assert locked.codes == ["identification_locked"]
        assert session.call("get_order", second, order_id="ord_a1").status == "verification_required"


def test_a_customer_of_the_process_is_not_exchanged(world: World) -> None:
    with world.serve("cus_ana", "authenticated", policy=STORE) as session:
        assert session.call("identify_customer", email="zq-ben.planted@example.org").status == "denied"
        assert session.call("get_order", order_id="ord_b1").codes == ["not_found"]
        assert session.call("get_order", order_id="ord_a1").status == "completed"
