"""Cases are decided as calls are: risk, budgets and rules, and every expectation that does not hold is told."""

from typing import Any

import pytest

BASE = 'facts: {order: {status: delivered, delivered_days: 5}, impact: {amount: "10.00"}}'


def one(results: Any, expect: str, facts: str = BASE, tool: str = "issue_refund") -> tuple[str, ...]:
    """The failures of one case."""
    [result] = results(f"tests:\n  - name: n\n    tool: {tool}\n    {facts}\n    expect: {expect}\n")
    return tuple(result.failures)


def facts(**groups: str) -> str:
    given = {"order": "{status: delivered, delivered_days: 5}", **groups}
    return "facts: {" + ", ".join(f"{name}: {value}" for name, value in given.items()) + "}"


def test_as_expected(results: Any) -> None:
    assert one(results, "{outcome: completed, rules: [refunds], not: [proof], tier: LOW, score: 0}") == ()


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("denied", "expected denied, got completed"),
        ("{outcome: completed, rules: [refunds, proof]}", "rule proof did not fire"),
        ("{outcome: completed, not: [refunds]}", "rule refunds fired"),
        ("{outcome: completed, tier: HIGH}", "expected tier HIGH, got LOW"),
        ("{outcome: completed, score: 20}", "expected a score of 20, got 0"),
        ("{outcome: completed, shadow: denied}", "expected denied if all counted, got completed"),
    ],
)
def test_each_expectation_can_fail(expect: str, told: str, results: Any) -> None:
    assert one(results, expect) == (told,)


def test_a_code_a_queue_and_a_time_can_fail(results: Any) -> None:
    denied = facts(order="{disputed: true}")
    assert one(results, "{outcome: denied, code: in_dispute}", denied) == ()
    assert one(results, "{outcome: denied, code: no_permit}", denied) == (
        "expected the code no_permit, got in_dispute",
    )
    risky = facts(impact='{amount: "60.00"}', customer="{age_days: 1}", subject="{assurance: STEPPED_UP}")
    assert one(results, "{outcome: escalated, queue: refunds, expires: 4h, score: 60, tier: HIGH}", risky) == ()
    assert one(results, "{outcome: escalated, queue: other}", risky) == ("expected to wait in other, got refunds",)
    expected = "expected to wait for 3600 seconds, got 14400"
    assert one(results, "{outcome: escalated, expires: 1h}", risky) == (expected,)
    assert one(results, "{outcome: escalated, queue: refunds}") == (
        "expected escalated, got completed", "expected to wait in refunds, got no queue",
    )  # fmt: skip


def test_an_approval_is_one_more_fact(results: Any) -> None:
    groups = {"impact": '{amount: "60.00"}', "customer": "{age_days: 1}", "subject": "{assurance: STEPPED_UP}"}
    assert one(results, "completed", facts(**groups, approval="{granted: true}")) == ()


def test_budgets_hold_the_use_so_far_and_this_call(results: Any) -> None:
    text = """
        tests:
          - name: n
            tool: issue_refund
            facts: {order: {delivered_days: 1}, impact: {amount: "10.00"}}
            table:
              - [usage.monthly.amount, usage.monthly.count, acts, expect]
              - ["90.00", 0, null, completed]
              - ["90.01", 0, null, escalated]
              - ["0.00", 1, null, completed]
              - ["0.00", 2, null, escalated]
              - ["100.01", 3, false, completed]
        """
    ran = results(text)
    assert [result.failures for result in ran] == [()] * 5
    assert ran[0].facts["usage"]["monthly"] == {"amount": 10000, "count": 1, "left": 0}
    assert ran[4].facts["usage"]["monthly"] == {"amount": 10001, "count": 3, "left": 0}
    assert [bool(result.exceeded) for result in ran] == [False, True, False, True, False]


WATCHING = """
policy: p
version: 1
currency: EUR
rules:
  - {id: all, tools: [edit_cart], permit: true}
  - {id: watched, tools: [edit_cart], when: "conversation.denied > 0", deny: no, mode: shadow}
"""


def test_what_only_watches_can_be_expected(results: Any) -> None:
    text = """
        tests:
          - name: n
            tool: edit_cart
            expect: completed
            table:
              - [conversation.denied, shadow, rules]
              - [0, completed, all]
              - [1, denied, watched]
        """
    assert [result.failures for result in results(text, WATCHING)] == [(), ()]
    whole = WATCHING.replace("currency", "mode: shadow\ncurrency").replace(", mode: shadow}", "}")
    assert [result.failures for result in results(text, whole)] == [(), ()]


def test_a_rule_with_an_end_is_tested_by_the_time(results: Any) -> None:
    policy = WATCHING.replace('when: "conversation.denied > 0", deny: no, mode: shadow', "until: 2026-03-31, deny: no")
    text = """
        tests:
          - name: n
            tool: edit_cart
            table:
              - [now, expect]
              - [2026-03-31T23:59:59Z, denied]
              - [2026-04-01T00:00:00Z, completed]
        """
    assert [result.failures for result in results(text, policy)] == [(), ()]
