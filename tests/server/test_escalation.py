"""A call that waits for a person is executed once, by the same rules, or not at all."""

import threading

import pytest
from worlds import OPEN, World, customer

from tillgate.guards import review
from tillgate.guards.model import Assurance
from tillgate.guards.outcome import Outcome
from tillgate.guards.review import Ruling

pytestmark = pytest.mark.every_store


RULES = """
  - {id: all, tools: "*", permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: {queue: refunds, expires: 24h}}
"""
REFUND = {"order_id": "ord_1", "amount": "40.00", "reason": "broken", "customer_request": "Mine came in pieces"}


def _asked(world: World, **more: str) -> tuple[Outcome, str]:
    outcome = world.call("issue_refund", **REFUND | more)
    assert outcome.status == "escalated"
    assert outcome.escalation is not None
    return outcome, outcome.escalation.handle


def _approve(world: World, handle: str, name: str = "rosa", amount: str | None = None) -> Ruling:
    with world.store.transaction() as desk:
        return review.approve(world.gate, desk, handle, name, amount)


def _state(world: World, handle: str) -> str:
    read = world.call("check_request", handle=handle)
    assert read.data is not None
    return str(read.data["status"])


def _refunds(world: World) -> list[tuple[int, ...]]:
    return world.rows("SELECT count(*), coalesce(sum(amount), 0) FROM transfer WHERE kind = 'refund'")


def test_an_approved_call_is_executed_and_its_result_is_read_by_handle(world: World) -> None:
    world = world.under(RULES)
    outcome, handle = _asked(world)
    assert _refunds(world) == [(0, 0)]
    assert world.call("check_request", handle=handle).data == {"status": "pending", "message": None, "result": None}
    ruling = _approve(world, handle)
    assert (ruling.done, ruling.status) == (True, "executed")
    assert _refunds(world) == [(1, 4000)]
    read = world.call("check_request", handle=handle)
    assert read.data == {
        "status": "executed", "message": None, "result": {"order_id": "ord_1", "amount": "40.00", "refundable": "60.00"}
    }  # fmt: skip
    kinds = [record["kind"] for record in world.records() if record.get("call_id") == outcome.call_id]
    assert kinds == ["call", "approval", "execution"]


def test_a_result_is_read_by_the_view_of_its_tool_at_the_level_there_is_now(world: World) -> None:
    views = OPEN.replace("issue_refund: {identified: [", "issue_refund: {identified: [order_id], stepped_up: [")
    world = world.under(RULES, views)
    _, handle = _asked(world)
    _approve(world, handle)
    world.clock.advance(minutes=10)
    read = world.call("check_request", handle=handle).data
    assert read is not None
    assert read["result"] == {"order_id": "ord_1"}


def test_eight_reviewers_at_once_execute_once(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    rulings: list[Ruling] = []
    threads = [
        threading.Thread(target=lambda n=n: rulings.append(_approve(world, handle, f"rev{n}"))) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ruling.status for ruling in rulings) == ["executed"] * 8
    assert [ruling.done for ruling in rulings].count(True) == 1
    assert _refunds(world) == [(1, 4000)]


def test_an_order_that_changed_meanwhile_makes_the_request_stale(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    world.call("issue_refund", order_id="ord_1", amount="1.00", reason="small")
    ruling = _approve(world, handle)
    assert ruling.status == "stale"
    assert _refunds(world) == [(1, 100)]
    assert _state(world, handle) == "stale"
    assert not _approve(world, handle, "other").done


def test_a_deny_that_matches_now_beats_the_approval(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    stricter = world.under(RULES + '  - {id: no, tools: [issue_refund], deny: closed, message: "Closed."}\n')
    ruling = _approve(stricter, handle)
    assert (ruling.status, _refunds(world)) == ("stale", [(0, 0)])
    assert "Closed." in ruling.message


def test_nobody_decides_on_their_own_request(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    for name in ("agent", "cus_1", "", "a\x1b[2J"):
        assert not _approve(world, handle, name).done
    assert _refunds(world) == [(0, 0)]


def test_two_approvals_need_two_people(world: World) -> None:
    world = world.under(RULES.replace("expires: 24h", "expires: 24h, approvals: 2"))
    _, handle = _asked(world)
    assert _approve(world, handle, "rosa").status == "pending"
    assert not _approve(world, handle, "rosa").done
    assert _refunds(world) == [(0, 0)]
    assert _approve(world, handle, "theo").status == "executed"


def test_four_eyes_over_an_amount(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world, amount="80.01")
    assert _approve(world, handle, "rosa").status == "pending"
    assert _approve(world, handle, "theo").status == "executed"


def test_a_smaller_amount_can_be_approved_and_a_larger_one_cannot(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    assert _approve(world, handle, amount="25.00").status == "executed"
    assert _refunds(world) == [(1, 2500)]
    _, second = _asked(world, amount="30.00")
    ruling = _approve(world, second, amount="500.00")
    assert not ruling.done
    assert _refunds(world) == [(1, 2500)]


def test_more_than_was_asked_for_is_never_approved(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    assert not _approve(world, handle, amount="41.00").done
    assert _refunds(world) == [(0, 0)]


def test_a_smaller_amount_is_as_stale_as_the_whole_when_the_order_changed(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    world.call("issue_refund", order_id="ord_1", amount="1.00", reason="small")
    assert _approve(world, handle, amount="25.00").status == "stale"
    assert _refunds(world) == [(1, 100)]


def test_an_unanswered_request_expires(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    world.clock.advance(hours=24)
    assert not _approve(world, handle).done
    assert _state(world, handle) == "expired"


def test_a_denial_reaches_the_customer_in_the_reviewers_words(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    with world.store.transaction() as desk:
        assert review.deny(desk, handle, "rosa", "The photo shows no damage.").done
    data = world.call("check_request", handle=handle).data
    assert data is not None
    assert (data["status"], data["message"]) == ("denied", "The photo shows no damage.")
    assert not _approve(world, handle).done


def test_a_withdrawn_request_cannot_be_approved(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    assert world.call("withdraw_request", handle=handle).status == "completed"
    assert not _approve(world, handle).done


def test_a_request_of_another_customer_is_not_there(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    other = customer(2, Assurance.STEPPED_UP, "b")
    foreign = world.call("check_request", other, handle=handle).as_json() | {"call_id": ""}
    unknown = world.call("check_request", other, handle="esc_nothing").as_json() | {"call_id": ""}
    assert foreign == unknown


def test_a_waiting_call_sent_again_opens_no_second_request(world: World) -> None:
    world = world.under(RULES)
    first, _ = _asked(world)
    again = world.call("issue_refund", **REFUND)
    assert (again.replayed, again.escalation) == (True, first.escalation)
    assert world.rows("SELECT count(*) FROM escalation") == [(1,)]


def test_an_approved_call_sent_again_does_not_act_twice(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    _approve(world, handle)
    again = world.call("issue_refund", **REFUND)
    assert again.replayed
    assert again.escalation is not None
    assert again.escalation.status == "executed"
    assert _refunds(world) == [(1, 4000)]


def test_a_request_that_ended_is_decided_anew(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world)
    world.call("withdraw_request", handle=handle)
    _, second = _asked(world)
    assert second != handle


def test_the_key_of_a_request_that_ended_still_belongs_to_its_call(world: World) -> None:
    world = world.under(RULES)
    _, handle = _asked(world, idempotency_key="k1")
    world.call("withdraw_request", handle=handle)
    other = world.call("issue_refund", **REFUND | {"amount": "30.00"}, idempotency_key="k1")
    assert other.reasons[0].code == "idempotency_conflict"
    _, second = _asked(world, idempotency_key="k1")
    assert second != handle


def test_the_packet_holds_what_a_reviewer_needs(world: World) -> None:
    world = world.under(RULES)
    world.call("get_order", order_id="ord_1")
    _, handle = _asked(world)
    with world.store.reading() as desk:
        request = desk.request(handle)
    assert request is not None
    packet = request.packet
    assert packet["words"] == "Mine came in pieces"
    assert [call["tool"] for call in packet["conversation"]] == ["get_order"]
    assert packet["facts"]["order"]["refundable"] == 10_000
    assert packet["plan"]["impact"]["amount"] == 4000
    assert packet["decision"]["unmet"][0]["queue"] == "refunds"
    assert packet["verification"] == {"assurance": "STEPPED_UP", "consent": "NONE"}


def test_a_person_asked_for_gets_a_handle(world: World) -> None:
    outcome = world.call("request_human", reason="I want to speak to someone")
    assert outcome.status == "escalated"
    assert outcome.escalation is not None
    assert _approve(world, outcome.escalation.handle).status == "executed"


def test_two_processes_on_one_store_approve_once(world: World) -> None:
    first = world.under(RULES)
    _, handle = _asked(first)
    second = first.beside().store
    rulings = [_approve(first, handle, "rosa")]
    with second.transaction() as desk:
        rulings.append(review.approve(first.gate, desk, handle, "theo"))
    assert [ruling.done for ruling in rulings] == [True, False]
    assert _refunds(first) == [(1, 4000)]
    second.close()
