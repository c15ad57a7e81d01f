"""The nouns of a call can be written down and read back."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from tillgate.guards.audit.canonical import canonical
from tillgate.guards.audit.record import as_json, plan_digest, plan_from_json, requirements_from_json, rfc3339
from tillgate.guards.model import (
    Assurance,
    Change,
    Confirm,
    Consent,
    Contribution,
    Decision,
    Escalate,
    Impact,
    Plan,
    Reason,
    RiskAssessment,
    RuleHit,
    Tier,
    Undo,
    Verdict,
    Verify,
)

WHY = Reason("ask", "Please say yes.", "refund-ask")
REQUIRES = (
    Verify(Assurance.STEPPED_UP, WHY),
    Confirm(Consent.CUSTOMER, WHY),
    Escalate("refunds", 2, 86_400, Reason("human", "A colleague will look.")),
)
PLAN = Plan(
    tool="issue_refund",
    summary="Refund 48.00",
    changes=(
        Change("refund:ref_1", "id", None, "ref_1"),
        Change("refund:ref_1", "at", None, "2026-01-01T00:00:00Z", stamp=True),
    ),
    impact=Impact(4800, "refund", reversible=False),
    basis=(("order:ord_1", 3), ("customer:cus_1", 1)),
    undo=Undo(until=datetime(2026, 1, 2, tzinfo=UTC)),
    requires=REQUIRES,
    method={"kind": "card"},
    result={"amount": "48.00"},
    denies=Reason("no", "No."),
    next_step="Say so.",
    request="esc_1",
    undoes="call_0",
)


def test_a_plan_comes_back_as_it_was() -> None:
    written = as_json(PLAN)
    canonical(written)
    assert plan_from_json(written) == PLAN
    assert plan_from_json(as_json(Plan("get_order", "Read"))) == Plan("get_order", "Read")


def test_requirements_come_back_as_they_were() -> None:
    written = [as_json(requirement) for requirement in REQUIRES]
    assert written[0] == {"kind": "verify", "level": "STEPPED_UP", "reason": written[1]["reason"]}
    assert requirements_from_json(written) == REQUIRES


@pytest.mark.parametrize("item", [{}, {"kind": "bribe", "reason": {}}, {"kind": "verify", "level": "TOTAL"}, "x"])
def test_what_was_never_written_is_refused(item: object) -> None:
    with pytest.raises(ValueError, match="not a recorded requirement"):
        requirements_from_json([item])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="not a recorded plan"):
        plan_from_json(item)  # type: ignore[arg-type]


def test_a_decision_is_written_with_every_reason() -> None:
    decision = Decision(Verdict.VERIFY, (WHY,), REQUIRES[:1], (RuleHit("r", "verify"),), "sha256:00", Verdict.DENY)
    assert as_json(decision) == {
        "verdict": "verify",
        "reasons": [{"code": "ask", "message": "Please say yes.", "rule": "refund-ask"}],
        "unmet": [as_json(REQUIRES[0])],
        "hits": [{"rule": "r", "kind": "verify", "errored": False}],
        "shadow": "deny",
    }
    canonical(as_json(decision))


def test_a_risk_is_written_with_every_point() -> None:
    risk = RiskAssessment(30, Tier.MEDIUM, (Contribution("new", 30, "new here"),))
    assert as_json(risk) == {
        "score": 30,
        "tier": "MEDIUM",
        "contributions": [{"factor": "new", "points": 30, "because": "new here"}],
    }


def test_times_are_utc_and_have_a_zone() -> None:
    assert rfc3339(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01T00:00:00Z"
    with pytest.raises(ValueError, match="zone"):
        rfc3339(datetime(2026, 1, 1))


def test_the_digest_is_what_was_consented_to_and_not_when() -> None:
    later = (PLAN.changes[0], replace(PLAN.changes[1], after="2026-01-01T00:05:00Z"))
    same = replace(PLAN, changes=later, summary="else", basis=PLAN.basis[::-1], next_step=None, result={})
    assert plan_digest(same) == plan_digest(PLAN)


def test_the_digest_changes_with_anything_that_was_consented_to() -> None:
    change = PLAN.changes[0]
    others = [
        replace(PLAN, tool="cancel_order"),
        replace(PLAN, changes=(replace(change, after="ref_2"),)),
        replace(PLAN, changes=(replace(change, before="x"),)),
        replace(PLAN, changes=()),
        replace(PLAN, impact=replace(PLAN.impact, amount=4801)),
        replace(PLAN, basis=(("order:ord_1", 4), ("customer:cus_1", 1))),
    ]
    assert len({plan_digest(plan) for plan in [PLAN, *others]}) == 1 + len(others)
