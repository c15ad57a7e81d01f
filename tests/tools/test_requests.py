"""Handing over to a person, asking how that stands, and withdrawing it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tools.calls import facts_of, planned, refused
from tools.world import NOW, World

from tillgate.guards.model import Change, Escalate
from tillgate.tools.commerce.record import RequestView


def _waiting(world: World, **fields: object) -> World:
    plain = RequestView("esc_1", "issue_refund", "pending", "refunds", NOW, NOW + timedelta(days=1), None, None)
    return replace(world, requests=(replace(plain, **fields),))


def test_a_person_is_asked_for_on_purpose(world: World) -> None:
    plan = planned(world, "request_human", reason="wants to talk", order_id="ord_1")
    (demand,) = plan.requires
    assert isinstance(demand, Escalate)
    assert (demand.queue, demand.approvals, demand.expires_seconds) == ("support", 1, 86400)
    assert demand.reason.code == "human_requested"
    assert plan.changes == ()
    assert plan.summary == "Hand the conversation over to a colleague about order ord_1"
    assert planned(replace(world, subject=None), "request_human", reason="help").requires
    assert refused(world, "request_human", reason="help", order_id="ord_9") == "not_found"


def test_the_order_a_person_is_asked_about_is_a_fact(world: World) -> None:
    assert facts_of(world, "request_human", reason="help", order_id="ord_1")["order"]["id"] == "ord_1"


def test_a_request_shows_its_state_and_once_executed_its_result(world: World) -> None:
    waiting = planned(_waiting(world), "check_request", handle="esc_1")
    assert (waiting.result["status"], waiting.result["result"], waiting.request) == ("pending", None, "esc_1")
    result = {"amount": "48.00"}
    finished = _waiting(world, status="executed", message="done\u202e", result=result)
    shown = planned(finished, "check_request", handle="esc_1").result
    assert (shown["status"], shown["message"], shown["result"]) == ("executed", "done", result)
    assert refused(world, "check_request", handle="esc_404") == "not_found"


def test_a_request_that_waits_is_withdrawn(world: World) -> None:
    plan = planned(_waiting(world), "withdraw_request", handle="esc_1")
    assert plan.changes == (Change("escalation:esc_1", "status", "pending", "withdrawn"),)
    assert plan.request == "esc_1"
    assert plan.undo.why_not
    assert refused(world, "withdraw_request", handle="esc_404") == "not_found"


@pytest.mark.parametrize("status", ["approved", "executed", "denied", "expired", "withdrawn", "stale"])
def test_a_request_that_was_decided_is_not_withdrawn(world: World, status: str) -> None:
    assert refused(_waiting(world, status=status), "withdraw_request", handle="esc_1") == "not_pending"
