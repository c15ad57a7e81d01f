"""The format of a suite: what it can say, and that nothing misspelt or impossible passes."""

from typing import Any

import pytest

from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy_test.suite import open_suite

FULL = """
fixtures:
  customers: {new: {age_days: 3}}
  order:
    delivered: {status: delivered, total: "120.00", delivered_days: 5}
    late: {delivered_days: 40}
tests:
  - name: one
    tool: issue_refund
    facts:
      order: [delivered, late, {disputed: true}]
      customer: new
      subject: {assurance: STEPPED_UP}
      now: 2026-03-01T00:00:00+01:00
      args: {reason: broken, amount: "1.50"}
      method: {balance: "3.00"}
      conversation: {denied: 4}
    expect: {outcome: denied, rules: [disputed], not: refunds, tier: MEDIUM, score: 20, code: in_dispute}
  - name: many
    tool: edit_cart
    facts: {customer: new, cart: {items: 3, margin: "-2.00", margin_percent: 10}}
    expect: completed
    table:
      - [customer, cart.items, cart.margin_percent, args.cart_id, rules, not]
      - [new, 9, null, crt_1, carts, many]
      - [null, 9, 3, null, [carts], []]
      - [{orders: 1}, 9, 4, null, null, null]
"""


def test_facts_are_read_as_their_types(read: Any) -> None:
    case, *_ = read(FULL).cases
    facts = case.facts
    assert (facts["order"]["total"], facts["order"]["delivered_days"], facts["order"]["disputed"]) == (12000, 40, True)
    assert facts["order"]["status"] == "delivered"
    assert (facts["customer"]["age_days"], facts["subject"]["assurance"]) == (3, "STEPPED_UP")
    assert (facts["now"], facts["args"]["amount"], facts["method"]["balance"]) == (1772319600, 150, 300)
    assert (case.place, case.tool, case.acts) == ("suite.yaml:8:5", "issue_refund", True)
    assert (case.expected.rules, case.expected.not_rules, case.expected.score) == (("disputed",), ("refunds",), 20)


def test_a_row_stands_over_the_test(read: Any) -> None:
    _, first, second, third = read(FULL).cases
    assert [case.facts["customer"].get("age_days") for case in (first, second, third)] == [3, None, 365]
    assert [case.facts["cart"].get("margin_percent") for case in (first, second, third)] == [None, 3, 4]
    assert [case.facts["cart"]["items"] for case in (first, second, third)] == [9, 9, 9]
    assert [case.facts["cart"]["margin"] for case in (first, second, third)] == [-200, -200, -200]
    assert [case.facts["args"].get("cart_id") for case in (first, second)] == ["crt_1", None]
    assert [case.expected.outcome for case in (first, second, third)] == ["completed"] * 3
    assert first.name == "many [new, 9, null, crt_1]"
    assert third.name == "many [{orders: 1}, 9, 4, null]"
    assert (first.expected.not_rules, third.expected.rules, first.line) == (("many",), (), 25)


def test_a_row_can_have_a_name_and_a_tool_of_its_own(read: Any) -> None:
    cases = read("""
        tests:
          - name: n
            expect: completed
            table:
              - [name, tool, acts]
              - [first, edit_cart, false]
              - [second, get_order, null]
        """).cases
    assert [(case.name, case.tool, case.acts) for case in cases] == [
        ("n: first", "edit_cart", False), ("n: second", "get_order", False),
    ]  # fmt: skip


def test_a_group_a_tool_may_lack_is_there_only_when_stated(read: Any) -> None:
    cases = read("""
        tests:
          - name: n
            tool: edit_cart
            expect: completed
            table:
              - [cart, cart.present]
              - [null, null]
              - [{}, null]
              - [{items: 3}, false]
              - [{items: 3}, true]
        """).cases
    assert [case.facts["cart"]["present"] for case in cases] == [False, True, False, True]
    assert cases[2].facts["cart"] == {"present": False}


TEST = "tests:\n  - name: n\n    tool: issue_refund\n"
WRONG: dict[str, tuple[str, list[str]]] = {
    "a misspelt fact": (TEST + "    facts: {order: {totl: 1}}\n    expect: denied\n", ["4:21 P012"]),
    "a value that never is": (TEST + "    facts: {order: {status: deliverd}}\n    expect: denied\n", ["4:29 P013"]),
    "a level in lower case": (
        TEST + "    facts: {subject: {assurance: identified}}\n    expect: denied\n",
        ["4:34 P013"],
    ),
    "money that is a number": (TEST + "    facts: {order: {total: 5.00}}\n    expect: denied\n", ["4:28 P036"]),
    "money of another currency": (TEST + '    facts: {order: {total: "1.001"}}\n    expect: denied\n', ["4:28 P036"]),
    "a number that is text": (TEST + '    facts: {order: {age_hours: "5"}}\n    expect: denied\n', ["4:32 P010"]),
    "a truth that is text": (TEST + '    facts: {order: {disputed: "true"}}\n    expect: denied\n', ["4:31 P010"]),
    "a number out of range": (TEST + "    facts: {customer: {orders: -1}}\n    expect: denied\n", ["4:32 P011"]),
    "a time without a zone": (TEST + "    facts: {now: 2026-01-01T00:00:00}\n    expect: denied\n", ["4:18 P011"]),
    "a time beyond what facts hold": (
        TEST + "    facts: {now: 3001-01-01T00:00:00Z}\n    expect: denied\n",
        ["4:18 P011"],
    ),
    "a group that is none": (TEST + "    facts: {ordr: {}}\n    expect: denied\n", ["4:13 P012"]),
    "a group the tool never has": (TEST + "    facts: {cart: {}}\n    expect: denied\n", ["4:13 P012"]),
    "a group the tool always has, taken away": (
        TEST + "    facts: {order: {present: false}}\n    expect: denied\n",
        ["4:30 P011"],
    ),
    "an argument that is none": (TEST + "    facts: {args: {resn: x}}\n    expect: denied\n", ["4:20 P012"]),
    "a budget that is none": (TEST + "    facts: {usage: {weekly: {}}}\n    expect: denied\n", ["4:21 P012"]),
    "use of a budget that is none": (
        TEST + "    facts: {usage: {monthly: {left: 1}}}\n    expect: denied\n",
        ["4:31 P008"],
    ),
    "risk, which follows": (TEST + "    facts: {risk: {tier: HIGH}}\n    expect: denied\n", ["4:13 P033"]),
    "a fact of the tool itself": (TEST + "    facts: {call: {effect: read}}\n    expect: denied\n", ["4:20 P033"]),
    "a fixture that is none": (
        "fixtures: {orders: {a: {}}}\n" + TEST + "    facts: {order: b}\n    expect: denied\n",
        ["5:20 P024"],
    ),
    "a fixture nothing uses, with a finding": (
        "fixtures: {orders: {a: {totl: 1}}}\n" + TEST + "    expect: denied\n",
        ["1:25 P012"],
    ),
    "fixtures of risk": ("fixtures: {risk: {a: {}}}\n" + TEST + "    expect: denied\n", ["1:12 P012"]),
    "fixtures of one group, twice": (
        "fixtures: {order: {}, orders: {}}\n" + TEST + "    expect: denied\n",
        ["1:23 P030"],
    ),
    "a tool that is none": ("tests:\n  - {name: n, tool: issue_refnd, expect: denied}\n", ["2:21 P031"]),
    "no tool": ("tests:\n  - {name: n, expect: denied}\n", ["2:5 P009"]),
    "no name": ("tests:\n  - {tool: get_order, expect: denied}\n", ["2:5 P009"]),
    "no expectation": (TEST, ["2:5 P009"]),
    "an outcome that is none": (TEST + "    expect: complete\n", ["4:13 P011"]),
    "an outcome no policy decides": (TEST + "    expect: failed\n", ["4:13 P011"]),
    "a rule that is none": (TEST + "    expect: {outcome: denied, rules: [disputd]}\n", ["4:39 P011"]),
    "a rule of other tools": (TEST + "    expect: {outcome: denied, not: carts}\n", ["4:36 P011"]),
    "a rule that fires and does not": (
        TEST + "    expect: {outcome: denied, rules: disputed, not: disputed}\n",
        ["4:53 P011"],
    ),
    "a queue that is none": (TEST + "    expect: {outcome: escalated, queue: refnds}\n", ["4:41 P011"]),
    "a queue nobody waits in": (TEST + "    expect: {outcome: denied, queue: refunds}\n", ["4:38 P011"]),
    "a tier that is none": (TEST + "    expect: {outcome: denied, tier: high}\n", ["4:37 P011"]),
    "a code that is none": (TEST + "    expect: {outcome: denied, code: disputed}\n", ["4:37 P011"]),
    "a code of what permits": (TEST + "    expect: {outcome: denied, code: permitted}\n", ["4:37 P011"]),
    "a reason for what completes": (TEST + "    expect: {outcome: completed, code: no_permit}\n", ["4:40 P011"]),
    "an unknown key": (TEST + "    expct: denied\n    expect: denied\n", ["4:5 P008"]),
    "a duplicate key": (TEST + "    expect: denied\n    expect: denied\n", ["5:5 P002"]),
    "a second test of one name": (
        "tests:\n  - {name: n, tool: get_order, expect: denied}\n  - {name: n, tool: get_order, expect: denied}\n",
        ["3:12 P030"],
    ),
    "a column that is none": (TEST + "    table:\n      - [totl, expect]\n      - [1, denied]\n", ["5:10 P012"]),
    "a column of a misspelt fact": (
        TEST + "    table:\n      - [order.totl, expect]\n      - [1, denied]\n      - [2, denied]\n",
        ["5:10 P012"],
    ),
    "a column twice": (TEST + "    table:\n      - [expect, expect]\n      - [denied, denied]\n", ["5:18 P030"]),
    "a cell too few": (TEST + "    table:\n      - [now, expect]\n      - [denied]\n", ["6:9 P010"]),
    "a wrong cell": (TEST + '    table:\n      - [order.total, expect]\n      - ["x", denied]\n', ["6:10 P036"]),
    "no row": (TEST + "    table:\n      - [expect]\n", ["5:7 P010"]),
    "a wrong table and a wrong fact": (
        TEST + "    facts: {order: {totl: 1}}\n    table:\n      - [expct]\n      - [denied]\n",
        ["4:21 P012", "6:10 P012"],
    ),
    "no test": ("tests: []\n", ["1:8 P010"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_call_and_no_decision_can_be_is_a_finding(name: str, findings: Any) -> None:
    text, expected = WRONG[name]
    assert findings(text) == expected


def test_every_finding_is_told_at_once_with_a_mend(read: Any) -> None:
    with pytest.raises(PolicyError) as caught:
        read(TEST + "    facts: {order: {totl: 1, status: deliverd}}\n    expect: complete\n")
    assert [each.code for each in caught.value.diagnostics] == ["P012", "P013", "P011"]
    first, second, third = str(caught.value).split("suite.yaml:")[1:]
    assert "did you mean `total`?" in first
    assert first.splitlines()[2].index("^") - first.splitlines()[1].index("totl") == 0
    assert "did you mean `delivered`?" in second
    assert "did you mean `completed`?" in third


def test_a_suite_names_its_policy_or_has_one_beside_it() -> None:
    assert open_suite("tests: []", "s").policy == "policy.yaml"
    assert open_suite("policy: ../other.yaml\ntests: []", "s").policy == "../other.yaml"


@pytest.mark.parametrize("text", ["", "tests", "a: 1", "policy: [x]\ntests: []", "tests: [\n", "&a b: 1"])
def test_what_is_no_suite_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        open_suite(text, "s")
