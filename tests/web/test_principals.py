"""What one principal was given is worth nothing to another: a question's state, a token, a handle, a conversation."""

from collections.abc import Iterator
from typing import Any

import pytest
from e2e.world import JsonObject, World, policy
from web.house import CAPABILITIES, META, Reply, Web, serving

POLICY = policy(
    "{id: ask, tools: [issue_refund], when: \"impact.amount > money('5.00')\", confirm: client}",
    "{id: relay, tools: [cancel_order], confirm: agent}",
    "{id: large, tools: [issue_refund], when: \"impact.amount > money('40.00')\", escalate: {queue: refunds}}",
)
FORM: JsonObject = {**META, CAPABILITIES: {"elicitation": {"form": {}}}}
REFUND = {"order_id": "ord_a1", "amount": "6.00", "reason": "late"}
YES = {"answer": {"action": "accept", "content": {"agree": True}}}
CANCEL = {"order_id": "ord_a2", "reason": "other"}
TALK = {**META, "tillgate/conversation": "talk"}


@pytest.fixture
def web(world: World) -> Iterator[Web]:
    with serving(world, policy=POLICY) as made:
        yield made


def others(web: Web) -> dict[str, str]:
    """Tokens that differ in who they speak for: another customer, another agent, another subject, nobody."""
    return {
        "customer": web.token("cus_ben"),
        "agent": web.token(client_id="other-agent"),
        "subject": web.token(sub="somebody-else"),
        "nobody": web.token(None),
    }


def asked(web: Web, token: str) -> str:
    """The sealed state of the question that a refund is answered with."""
    result = web.call("issue_refund", REFUND, token, FORM).message["result"]
    assert result["resultType"] == "input_required"
    return str(result["requestState"])


def answered(web: Web, token: str, state: str, responses: JsonObject | None = None, **arguments: Any) -> Reply:
    params = {
        "name": "issue_refund", "arguments": {**REFUND, **arguments}, "_meta": FORM, "requestState": state,
        "inputResponses": responses or YES,
    }  # fmt: skip
    body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    return web.post(body, web.head("issue_refund", token))


def test_a_sealed_yes_is_its_principals_and_works_once(web: Web) -> None:
    state, shop = asked(web, web.token()), web.world.shop()
    for who, token in others(web).items():
        assert answered(web, token, state).error == -32602, who
        assert answered(web, token, state, {"answer": {"action": "decline"}}).error == -32602, who
    assert answered(web, web.token(), state, amount="7.00").error == -32602
    flipped = state[:-1] + ("A" if state[-1] != "A" else "B")
    assert answered(web, web.token(), flipped).error == -32602
    assert web.world.shop() == shop
    assert answered(web, web.token(), state).answer.status == "completed"
    shop = web.world.shop()
    again = answered(web, web.token(), state)
    assert again.answer.envelope.get("replayed") or again.answer.status != "completed"
    assert web.world.shop() == shop


def test_a_sealed_yes_outlives_the_process_that_asked(world: World) -> None:
    with serving(world, policy=POLICY) as web:
        state, url = asked(web, web.token()), web.url
    with serving(world, "--resource-url", url, policy=POLICY) as web:
        assert answered(web, web.token(aud=url), state).answer.status == "completed"


def test_a_confirmation_token_of_anothers_conversation_is_none(web: Web) -> None:
    first = web.call("cancel_order", CANCEL, web.token(), TALK).answer
    assert first.status == "confirmation_required"
    shop = web.world.shop()
    for who, token in others(web).items():
        told = web.call("cancel_order", {**CANCEL, "confirmation_token": first.token}, token, TALK).answer
        assert told.status != "completed", who
    assert web.world.shop() == shop
    done = web.call("cancel_order", {**CANCEL, "confirmation_token": first.token}, web.token(), TALK).answer
    assert done.status == "completed"


def test_a_waiting_request_of_another_customer_is_none(web: Web) -> None:
    waits = web.call("issue_refund", {**REFUND, "amount": "45.00"}, meta=FORM)
    state = waits.message["result"]["requestState"]
    told = answered(web, web.token(), state, amount="45.00").answer
    assert told.status == "escalated"
    for tool in ("check_request", "withdraw_request"):
        for token in (web.token("cus_ben"), web.token(None)):
            there = web.call(tool, {"handle": told.handle}, token).answer
            never = web.call(tool, {"handle": "esc_none"}, token).answer
            assert there.words() == never.words()


def test_naming_anothers_conversation_gives_nothing_of_it(web: Web) -> None:
    """Who was identified in one is nobody in the other of the same name."""
    known = {"email": "zq-ana.planted@example.com"}
    assert web.call("identify_customer", known, web.token(None), TALK).answer.status == "completed"
    assert web.call("get_order", {"order_id": "ord_a1"}, web.token(None), TALK).answer.status == "completed"
    stranger = web.token(None, client_id="other-agent")
    assert web.call("get_order", {"order_id": "ord_a1"}, stranger, TALK).answer.status == "verification_required"
