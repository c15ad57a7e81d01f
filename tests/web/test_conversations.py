"""Which conversation a call is in: the token's, the client's own, an older client's session, else the running one."""

import pytest
from e2e.world import OPEN, JsonObject, World
from web.house import ASKABLE, META, START, Web, records, serving

ORDER = {"order_id": "ord_a1"}


def names(web: Web) -> list[str]:
    return [record["conversation"] for record in records(web.world) if "conversation" in record]


@pytest.mark.parametrize("meta", [META, ASKABLE], ids=["plain", "askable"])
def test_the_token_says_it_before_the_client_does(web: Web, meta: JsonObject) -> None:
    named = {**meta, "tillgate/conversation": "mine"}
    web.call("get_order", ORDER, web.token(sid="theirs"), named)
    web.call("get_order", ORDER, web.token(), named)
    web.call("get_order", ORDER, web.token(), {**meta, "tillgate/conversation": "not\nplain"})
    assert names(web)[-3:-1] == ["theirs", "mine"]
    assert names(web)[-1] not in ("theirs", "mine", "not\nplain")


def test_a_caller_who_names_none_goes_on_in_the_running_one_until_half_an_hour_of_silence(world: World) -> None:
    def after(minutes: int, *, customer: str = "cus_ana") -> str:
        at = f"2026-03-01T{12 + minutes // 60:02}:{minutes % 60:02}:00Z"
        with serving(world, now=at) as web:
            # the process is another one each time: what is running is in the store
            assert web.call("get_order", ORDER, web.token(customer, exp=START + 86_400)).status == 200
            return names(web)[-1]

    first = after(0)
    assert after(29) == first
    assert after(29, customer="cus_ben") != first
    assert after(58) == first
    second = after(88)
    assert second != first
    assert after(89) == second


def test_a_call_that_is_sent_again_without_a_key_is_answered_again_and_acts_once(world: World) -> None:
    arguments = {"order_id": "ord_a2", "reason": "other"}
    with serving(world, policy=OPEN) as web:
        first = web.call("cancel_order", arguments).answer
        assert (first.status, first.envelope["replayed"]) == ("completed", False)
    with serving(world, policy=OPEN) as web:
        again = web.call("cancel_order", arguments).answer
    assert (again.status, again.envelope["replayed"], again.envelope["call_id"]) == (
        "completed", True, first.envelope["call_id"]
    )  # fmt: skip


def test_the_same_call_through_another_agent_is_a_call_of_its_own(world: World) -> None:
    refund = {"order_id": "ord_a9", "amount": "1.00", "reason": "late"}
    with serving(world, policy=OPEN) as web:
        told = [web.call("issue_refund", refund, web.token(client_id=agent)).answer for agent in ("one", "one", "two")]
    assert [answer.status for answer in told] == ["completed"] * 3
    assert [answer.envelope["replayed"] for answer in told] == [False, True, False]
