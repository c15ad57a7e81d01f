"""A yes is bound to the exact plan, the subject and the conversation, is used once, and has a strength."""

import json

import pytest
from worlds import World, customer

AGENT = """
  - {id: all, tools: "*", permit: true}
  - {id: ask, tools: [issue_refund], confirm: agent}
"""
CUSTOMER = AGENT.replace("confirm: agent", "confirm: customer")
CLIENT = AGENT.replace("confirm: agent", "confirm: client")
REFUND = {"order_id": "ord_1", "amount": "5.00", "reason": "scratched"}


def _token(world: World) -> str:
    asked = world.call("issue_refund", **REFUND)
    assert asked.status == "confirmation_required"
    assert asked.confirmation is not None
    assert asked.confirmation.token is not None
    return asked.confirmation.token


def test_a_relayed_yes_carries_out_exactly_what_was_asked(world: World) -> None:
    asking = world.under(AGENT)
    token = _token(asking)
    done = asking.call("issue_refund", **REFUND, confirmation_token=token)
    assert (done.status, done.data) == ("completed", {"order_id": "ord_1", "amount": "5.00", "refundable": "95.00"})
    assert token not in json.dumps(world.records())
    assert world.rows("SELECT spent FROM confirmation") == [(1,)]


@pytest.mark.parametrize("other", [{"amount": "6.00"}, {"order_id": "ord_4"}, {"method": "gift_1"}])
def test_a_yes_to_one_thing_is_no_yes_to_another_and_is_spent(world: World, other: dict[str, str]) -> None:
    asking = world.under(AGENT)
    token = _token(asking)
    wrong = asking.call("issue_refund", **REFUND | other, confirmation_token=token)
    assert wrong.reasons[0].code == "confirmation_mismatch"
    assert asking.call("issue_refund", **REFUND, confirmation_token=token).reasons[0].code == "confirmation_invalid"
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(0,)]


def test_a_token_is_used_once(world: World) -> None:
    asking = world.under(AGENT)
    token = _token(asking)
    asking.call("issue_refund", **REFUND, confirmation_token=token)
    world.call("update_address", order_id="ord_2", address=_elsewhere())
    second = asking.call("issue_refund", **REFUND | {"amount": "5.01"}, confirmation_token=token)
    assert second.status == "denied"
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(1,)]


def test_a_token_of_another_conversation_or_customer_is_worth_nothing(world: World) -> None:
    asking = world.under(AGENT)
    token = _token(asking)
    for other in (customer(conversation="b"), customer(2)):
        refused = asking.call("issue_refund", other, **REFUND, confirmation_token=token)
        assert refused.status == "denied"
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(0,)]


def test_a_token_expires(world: World) -> None:
    asking = world.under(AGENT)
    token = _token(asking)
    world.clock.advance(minutes=15)
    assert asking.call("issue_refund", **REFUND, confirmation_token=token).reasons[0].code == "confirmation_expired"


def test_a_record_that_changed_voids_the_yes(world: World) -> None:
    asking = world.under(AGENT)
    token = _token(asking)
    world.call("issue_refund", order_id="ord_1", amount="1.00", reason="another")
    assert asking.call("issue_refund", **REFUND, confirmation_token=token).reasons[0].code == "confirmation_mismatch"


def test_the_customers_own_word_never_passes_through_the_answer(world: World) -> None:
    asking = world.under(CUSTOMER)
    asked = asking.call("issue_refund", **REFUND)
    assert asked.confirmation is not None
    assert asked.confirmation.token is None
    code = world.mailbox()[-1].split("this code: ")[1][:6]
    assert code not in json.dumps(asked.as_json())
    assert asking.call("issue_refund", **REFUND).confirmation == asked.confirmation
    assert len(world.mailbox()) == 1
    assert asking.call("issue_refund", **REFUND, confirmation_token=code).status == "completed"


def test_the_customers_code_cannot_be_guessed(world: World) -> None:
    asking = world.under(CUSTOMER)
    asking.call("issue_refund", **REFUND)
    right = world.mailbox()[-1].split("this code: ")[1][:6]
    for guess in ("000001", "000002", "000003"):
        asking.call("issue_refund", **REFUND, confirmation_token=guess)
    assert asking.call("issue_refund", **REFUND, confirmation_token=right).reasons[0].code == "confirmation_invalid"


def test_a_relayed_yes_is_not_the_customers_own(world: World) -> None:
    token = _token(world.under(AGENT))
    stricter = world.under(CUSTOMER)
    assert stricter.call("issue_refund", **REFUND, confirmation_token=token).status == "confirmation_required"
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(0,)]


def test_a_client_that_cannot_ask_is_told_and_offered_the_customers_own_word(world: World) -> None:
    asked = world.under(CLIENT).call("issue_refund", **REFUND)
    assert asked.confirmation is not None
    assert asked.confirmation.token is None
    assert "cannot ask" in (asked.next_step or "")


def _elsewhere() -> dict[str, str]:
    return {"line1": "2 Elm Street", "city": "Denver", "region": "CO", "postal_code": "80203", "country": "US"}
