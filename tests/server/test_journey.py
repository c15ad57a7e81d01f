"""One call from end to end, on a real store: what is done, what is written down, and what happens when it breaks."""

import json

import pytest
from worlds import OPEN, World, customer, stranger

from tillgate.guards.desk import Received
from tillgate.guards.errors import Stale
from tillgate.guards.model import Assurance
from tillgate.server.store.desk import SqlDesk

pytestmark = pytest.mark.every_store


REFUND = {"order_id": "ord_1", "amount": "5.00", "reason": "scratched"}


def test_a_read_is_trimmed_to_its_view_and_recorded(world: World) -> None:
    outcome = world.call("get_order", order_id="ord_1")
    assert outcome.status == "completed"
    assert outcome.data == {
        "id": "ord_1", "status": "delivered", "total": "100.00", "refundable": "100.00",
        "lines": [{"title": "T-Shirt"}], "shipping_address": {"city": "Springfield"},
    }  # fmt: skip
    record = world.records()[-1]
    assert record["call_id"] == outcome.call_id
    assert record["decision"]["verdict"] == "permit"
    assert record["facts"]["order"]["refundable"] == 10_000


def test_a_tool_without_a_view_returns_no_data(world: World) -> None:
    outcome = world.call("list_orders")
    assert (outcome.status, outcome.data) == ("completed", {})


def test_a_policy_without_rules_executes_nothing(world: World) -> None:
    closed = world.under("policy: closed\nversion: 1\ncurrency: USD\n")
    before = world.shop()
    for tool in closed.gate.tools.values():
        outcome = closed.call(tool.surface.name, **_minimal(tool.surface.name))
        assert outcome.status == "denied", tool.surface.name
        assert not outcome.executed
    assert world.shop() == before


def test_change_budget_record_and_answer_stand_or_fall_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.shop()
    kept = SqlDesk.append
    broken = {"left": 1}

    def failing(self: SqlDesk, *args: object) -> None:
        if broken["left"]:
            broken["left"] -= 1
            raise OSError("disk full")
        kept(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlDesk, "append", failing)
    outcome = world.call("issue_refund", **REFUND)
    assert (outcome.status, outcome.executed) == ("failed", False)
    assert "disk full" not in json.dumps(outcome.as_json())
    assert world.shop() == before
    assert world.records()[-1]["kind"] == "failure"
    assert world.rows("SELECT count(*) FROM action") == [(0,)]


def test_a_plan_whose_before_no_longer_holds_is_decided_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = SqlDesk.apply
    stale = {"left": 1}

    def once_stale(self: SqlDesk, plan: object) -> None:
        if stale["left"]:
            stale["left"] -= 1
            raise Stale("changed")
        kept(self, plan)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlDesk, "apply", once_stale)
    assert world.call("issue_refund", **REFUND).status == "completed"
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(1,)]


def test_somebody_elses_order_is_answered_as_an_unknown_one(world: World) -> None:
    foreign = world.call("get_order", order_id="ord_3").as_json() | {"call_id": ""}
    unknown = world.call("get_order", order_id="ord_99").as_json() | {"call_id": ""}
    assert foreign == unknown
    assert foreign["reasons"][0]["code"] == "not_found"


def test_a_refund_sent_again_is_answered_with_its_first_outcome(world: World) -> None:
    first, again = world.call("issue_refund", **REFUND), world.call("issue_refund", **REFUND)
    assert (again.replayed, again.call_id, again.data) == (True, first.call_id, first.data)
    assert world.rows("SELECT sum(amount) FROM transfer WHERE kind = 'refund'") == [(500,)]


def test_a_key_used_for_another_call_is_refused(world: World) -> None:
    world.call("issue_refund", **REFUND, idempotency_key="k1")
    outcome = world.call("issue_refund", **REFUND | {"amount": "6.00"}, idempotency_key="k1")
    assert outcome.reasons[0].code == "idempotency_conflict"
    assert world.rows("SELECT sum(amount) FROM transfer WHERE kind = 'refund'") == [(500,)]


def test_a_key_holds_for_the_same_customer_in_another_process(world: World) -> None:
    world.call("issue_refund", **REFUND, idempotency_key="k1")
    elsewhere = customer(conversation="another")
    assert world.call("issue_refund", elsewhere, **REFUND, idempotency_key="k1").replayed
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(1,)]


def test_a_key_of_another_customer_means_nothing(world: World) -> None:
    world.call("issue_refund", **REFUND, idempotency_key="k1")
    other = world.call(
        "issue_refund", customer(2, conversation="b"), order_id="ord_3", reason="x", idempotency_key="k1"
    )
    assert (other.status, other.replayed) == ("completed", False)


def test_set_one_set_two_set_one_is_three_calls(world: World) -> None:
    def put(quantity: int) -> bool:
        return world.call("edit_cart", cart_id="cart_1", lines=[{"variant_id": "v_1", "quantity": quantity}]).replayed

    assert [put(2), put(3), put(2), put(2)] == [False, False, False, True]
    assert world.rows("SELECT quantity FROM cart_line") == [(2,)]


def test_reads_are_never_replayed(world: World) -> None:
    assert not any(world.call("get_order", order_id="ord_1").replayed for _ in range(2))


def test_nobody_is_asked_to_identify_for_a_tool_without_a_permit(world: World) -> None:
    closed = world.under("  - {id: browse, tools: [search_products], permit: true}\n")
    assert closed.call("get_order", stranger(), order_id="ord_1").status == "denied"
    assert world.call("get_order", stranger(), order_id="ord_1").status == "verification_required"


def test_identification_binds_one_conversation_to_one_customer(world: World) -> None:
    alone = stranger("alone")
    assert world.call("identify_customer", alone, email="PERSON1@example.com ").status in ("completed", "denied")
    world.call("identify_customer", alone, email="person1@example.com")
    assert world.call("get_order", alone, order_id="ord_1").status == "completed"
    assert world.call("identify_customer", alone, email="person2@example.com").reasons[0].code == "no_match"
    assert world.call("get_order", alone, order_id="ord_3").reasons[0].code == "not_found"
    assert world.call("get_order", stranger("other"), order_id="ord_1").status == "verification_required"


def test_three_misses_lock_identification(world: World) -> None:
    for _ in range(3):
        world.call("identify_customer", stranger(), email="nobody@example.com")
    outcome = world.call("identify_customer", stranger(), email="person1@example.com")
    assert outcome.reasons[0].code == "identification_locked"


STEP_UP = """
  - {id: all, tools: "*", permit: true}
  - {id: sure, tools: [issue_refund], verify: stepped_up}
"""


def test_a_one_time_code_steps_up_for_ten_minutes(world: World) -> None:
    asked = world.under(STEP_UP)
    known = customer(assurance=Assurance.AUTHENTICATED)
    needed = asked.call("issue_refund", known, **REFUND)
    assert needed.verification is not None
    assert needed.verification.sent_to == "p***@example.com"
    code = world.mailbox()[-1].split("code is ")[1][:6]
    assert code not in json.dumps(needed.as_json())
    proved = asked.call("verify_identity", known, challenge_id=needed.verification.challenge_id, code=code)
    assert proved.status == "completed"
    again = asked.call("verify_identity", known, challenge_id=needed.verification.challenge_id, code=code)
    assert again.status == "denied"
    assert asked.call("issue_refund", known, **REFUND).status == "completed"
    world.clock.advance(minutes=10)
    assert asked.call("issue_refund", known, **REFUND | {"amount": "6.00"}).status == "verification_required"
    assert all(code not in json.dumps(record) for record in world.records())


def test_guessing_codes_ends(world: World) -> None:
    asked, known = world.under(STEP_UP), customer(assurance=Assurance.AUTHENTICATED)
    needed = asked.call("issue_refund", known, **REFUND)
    assert needed.verification is not None
    right = world.mailbox()[-1].split("code is ")[1][:6]
    wrong = "000000" if right != "000000" else "111111"
    challenge = needed.verification.challenge_id
    for _ in range(5):
        assert asked.call("verify_identity", known, challenge_id=challenge, code=wrong).status == "denied"
    assert asked.call("verify_identity", known, challenge_id=challenge, code=right).status == "denied"
    for _ in range(12):
        asked.call("verify_identity", known)
        for _ in range(5):
            newest = world.rows("SELECT id FROM challenge ORDER BY created_at DESC, id DESC LIMIT 1")[0][0]
            asked.call("verify_identity", known, challenge_id=newest, code=wrong)
    assert len(world.mailbox()) <= 5


def test_a_code_of_another_conversation_proves_nothing(world: World) -> None:
    asked = world.under(STEP_UP)
    mine, theirs = customer(1, Assurance.AUTHENTICATED, "a"), customer(1, Assurance.AUTHENTICATED, "b")
    needed = asked.call("issue_refund", mine, **REFUND)
    assert needed.verification is not None
    code = world.mailbox()[-1].split("code is ")[1][:6]
    other = asked.call("verify_identity", theirs, challenge_id=needed.verification.challenge_id, code=code)
    assert other.reasons[0].code == "not_found"
    own = asked.call("issue_refund", theirs, **REFUND)
    assert own.verification is not None
    assert own.verification.challenge_id != needed.verification.challenge_id


_ADDRESS = {"line1": "1 Main Street", "city": "Springfield", "region": "CO", "postal_code": "80279", "country": "US"}
_ARGUMENTS: dict[str, dict[str, object]] = {
    "get_product": {"product_id": "p_1"},
    "get_cart": {"cart_id": "cart_1"},
    "get_order": {"order_id": "ord_1"},
    "quote_refund": {"order_id": "ord_1"},
    "identify_customer": {"email": "person1@example.com"},
    "edit_cart": {"lines": [{"variant_id": "v_1", "quantity": 1}]},
    "apply_discount": {"cart_id": "cart_1", "offer_code": "TEN"},
    "remove_discount": {"cart_id": "cart_1", "offer_code": "TEN"},
    "update_address": {"address": _ADDRESS},
    "cancel_order": {"order_id": "ord_2", "reason": "other"},
    "issue_refund": dict(REFUND),
    "request_human": {"reason": "help"},
    "check_request": {"handle": "esc_1"},
    "withdraw_request": {"handle": "esc_1"},
    "undo_action": {"call_id": "call_1", "reason": "x"},
}


def _minimal(tool: str) -> dict[str, object]:
    return _ARGUMENTS.get(tool, {})


def test_an_unknown_tool_and_wrong_arguments_are_answers_the_model_can_read(world: World) -> None:
    assert world.call("drop_tables").reasons[0].code == "unknown_tool"
    outcome = world.call("issue_refund", **REFUND, price="1.00")
    assert outcome.reasons[0].code == "invalid_arguments"
    assert "price" in outcome.reasons[0].message
    assert world.records()[-1]["arguments"] is None


def test_a_faulty_message_is_refused_and_audited(world: World) -> None:
    outcome = world.gate.handle(Received("issue_refund", {}, world.caller, fault="The key 'amount' is there twice"))
    assert outcome.reasons[0].code == "invalid_arguments"
    assert world.records()[-1]["refusal"]["code"] == "invalid_arguments"


def test_what_identifies_a_person_lies_beside_the_log_and_not_in_it(world: World) -> None:
    address = _ADDRESS | {"line1": "77 Planted Avenue", "postal_code": "80203"}
    words = "I live at 77 Planted Avenue, call me on +15550101"
    world.call("identify_customer", stranger("a"), email="person1@example.com")
    world.call("update_address", order_id="ord_2", address=address, customer_request=words)
    seen = world.under(OPEN.replace("get_order:", "get_customer: {identified: [email, phone, address]}\n  get_order:"))
    assert "person1@example.com" in json.dumps(seen.call("get_customer").data)
    log = json.dumps(world.records())
    for planted in ("person1@example.com", "+15550101", "77 Planted", "1 Planted Street", "80203"):
        assert planted not in log
    beside = b"".join(row[0] for row in world.rows("SELECT entries FROM personal")).decode()
    assert all(planted in beside for planted in ("person1@example.com", "77 Planted Avenue", words))


def test_a_step_up_the_process_was_started_with_ends_after_ten_minutes_too(world: World) -> None:
    asked, started = world.under(STEP_UP), customer(assurance=Assurance.STEPPED_UP)
    assert asked.call("issue_refund", started, **REFUND).status == "completed"
    world.clock.advance(minutes=10)
    assert asked.call("issue_refund", started, **REFUND | {"amount": "6.00"}).status == "verification_required"


def test_a_first_outcome_is_shown_again_by_the_level_there_is_now(world: World) -> None:
    views = OPEN.replace("issue_refund: {identified: [", "issue_refund: {identified: [order_id], stepped_up: [")
    again = world.under(views)
    shown = again.call("issue_refund", **REFUND).data
    assert shown is not None
    assert "amount" in shown
    world.clock.advance(minutes=10)
    later = again.call("issue_refund", **REFUND)
    assert (later.replayed, later.data) == (True, {"order_id": "ord_1"})
