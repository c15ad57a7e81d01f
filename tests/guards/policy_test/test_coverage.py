"""Coverage: rules that never fired, and operands that were only ever one way, where their words stand."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tillgate.guards.policy.files import Files
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy_test.coverage import Coverage, Owner, coverage

ROOT = Path(__file__).parents[3]
HEAD = "policy: p\nversion: 1\ncurrency: EUR\n"
NONE: Mapping[str, str] = MappingProxyType({})
Covered = Callable[..., Coverage]


@pytest.fixture
def covered(load: Callable[[str], Policy], results: Any) -> Covered:
    """The coverage of a policy by the rows of a table for one tool."""

    def _covered(policy: str, rows: list[str], tool: str = "edit_cart", files: Mapping[str, str] = NONE) -> Coverage:
        text = Files(HEAD + policy, files).packed()
        lines = [f"      - {row}\n" for row in rows]
        suite = f"tests:\n  - name: n\n    tool: {tool}\n    table:\n{''.join(lines)}"
        return coverage(load(text), text, results(suite, text))

    return _covered


def told(found: Coverage) -> list[str]:
    return [str(each) for each in found.unseen]


def test_a_place_is_where_the_words_are(load: Callable[[str], Policy]) -> None:
    for file in (ROOT / "policy.yaml", ROOT / "examples/eu_shop/policy.yaml"):
        text = file.read_text("utf-8")
        lines = text.splitlines()
        unseen = [each for each in coverage(load(text), text, []).unseen if each.value is not None]
        assert len(unseen) > 50
        for each in unseen:
            here = lines[each.spot.line - 1][each.spot.column - 1 :]
            # The `!( )` of an `unless` is not written.
            assert here.startswith((each.spot.words, each.spot.words.removeprefix("!(").removesuffix(")"))), str(each)


RULES = """rules:
  - {id: all, tools: [edit_cart], permit: true}
  - {id: two, tools: [edit_cart], when: "conversation.denied > 2 && (customer.present || cart.present)", deny: no}
"""


def test_rules_and_operands_that_were_never_seen(covered: Covered) -> None:
    found = covered(RULES, ["[conversation.denied, expect]", "[0, completed]"])
    assert told(found) == [
        "policy.yaml:6:10  rule two never fired",
        "policy.yaml:6:42  rule two: `conversation.denied > 2` was never true",
        "policy.yaml:6:70  rule two: `customer.present` was never true",
        "policy.yaml:6:70  rule two: `customer.present` was never false",
        "policy.yaml:6:90  rule two: `cart.present` was never true",
        "policy.yaml:6:90  rule two: `cart.present` was never false",
    ]
    assert (found.percent, found.of("rule"), found.branches, found.branches_seen) == (50.0, (1, 2), 6, 1)


def test_what_is_passed_over_was_not_seen(covered: Covered) -> None:
    rows = ["[conversation.denied, customer, expect]", "[3, {}, denied]", "[0, null, completed]"]
    assert told(covered(RULES, rows)) == [
        "policy.yaml:6:70  rule two: `customer.present` was never false",
        "policy.yaml:6:90  rule two: `cart.present` was never true",
        "policy.yaml:6:90  rule two: `cart.present` was never false",
    ]


def test_everything_seen(covered: Covered) -> None:
    rows = ["[conversation.denied, customer, cart, expect]", "[0, null, null, completed]", "[3, {}, null, denied]",
            "[3, null, {}, denied]", "[3, null, null, completed]"]  # fmt: skip
    found = covered(RULES, rows)
    assert (told(found), found.percent, found.branches_seen) == ([], 100.0, 6)


def test_operands_are_found_under_not_choices_and_quantifiers(covered: Covered) -> None:
    policy = """rules:
  - {id: all, tools: [edit_cart], permit: true}
  - {id: a, tools: [edit_cart], when: "!(customer.present && customer.orders > 3)", confirm: agent}
  - {id: b, tools: [edit_cart], when: "customer.present ? customer.orders > 3 : !cart.present", confirm: agent}
  - {id: c, tools: [edit_cart], when: "cart.present && cart.offers.exists(o, o == 'X' || o == 'Y')", confirm: agent}
"""
    rows = ["[customer, cart, expect]", "[{orders: 4}, {offers: [X]}, confirmation_required]"]
    assert told(covered(policy, rows)) == [
        "policy.yaml:6:10  rule a never fired",
        "policy.yaml:6:42  rule a: `customer.present` was never false",
        "policy.yaml:6:62  rule a: `customer.orders > 3` was never false",
        "policy.yaml:7:40  rule b: `customer.present` was never false",
        "policy.yaml:7:59  rule b: `customer.orders > 3` was never false",
        "policy.yaml:7:81  rule b: `!cart.present` was never true",
        "policy.yaml:7:81  rule b: `!cart.present` was never false",
        "policy.yaml:8:40  rule c: `cart.present` was never false",
        "policy.yaml:8:56  rule c: `cart.offers.exists(o, o == 'X' || o == 'Y')` was never false",
        "policy.yaml:8:78  rule c: `o == 'X'` was never false",
        "policy.yaml:8:90  rule c: `o == 'Y'` was never true",
        "policy.yaml:8:90  rule c: `o == 'Y'` was never false",
    ]


def test_the_side_of_a_choice_that_was_taken_is_seen(covered: Covered) -> None:
    policy = """rules:
  - {id: b, tools: [edit_cart], when: "customer.present ? customer.orders > 3 : !cart.present", permit: true}
"""
    rows = ["[customer, cart, expect]", "[null, null, completed]", "[null, {}, denied]"]
    assert told(covered(policy, rows)) == [
        "policy.yaml:5:40  rule b: `customer.present` was never true",
        "policy.yaml:5:59  rule b: `customer.orders > 3` was never true",
        "policy.yaml:5:59  rule b: `customer.orders > 3` was never false",
    ]


def test_what_cannot_be_otherwise_is_not_asked_for(covered: Covered) -> None:
    policy = """rules:
  - {id: all, tools: [edit_cart, get_cart], when: "cart.present || customer.present", permit: true}
"""
    rows = ["[cart, customer, expect]", "[{}, null, completed]", "[null, {}, completed]", "[null, null, denied]"]
    assert told(covered(policy, rows)) == []
    # For this tool the cart is always there, so it shows nothing of the operand.
    assert told(covered(policy, ["[customer, expect]", "[{}, completed]"], tool="get_cart"))[:2] == [
        "policy.yaml:5:52  rule all: `cart.present` was never true",
        "policy.yaml:5:52  rule all: `cart.present` was never false",
    ]


def test_exceptions_and_ends_stand_under_their_own_keys(covered: Covered) -> None:
    policy = """rules:
  - id: all
    tools: [edit_cart]
    when: "conversation.denied >= 0"
    unless: >-
      conversation.calls > 5
      || cart.present
    until: 2026-06-30
    permit: true
  - {id: b, tools: [edit_cart], unless: "cart.present", permit: true}
"""
    rows = ["[cart, expect]", "[null, completed]"]
    assert told(covered(policy, rows)) == [
        "policy.yaml:7:12  rule all: `conversation.denied >= 0` was never false",
        "policy.yaml:9:7  rule all: `conversation.calls > 5` was never true",
        "policy.yaml:10:10  rule all: `cart.present` was never true",
        "policy.yaml:11:12  rule all: `now < timestamp('2026-07-01T00:00:00Z')` was never false",
        "policy.yaml:13:42  rule b: `!(cart.present)` was never false",
    ]


def test_named_conditions_are_followed_to_where_they_are_written(covered: Covered) -> None:
    policy = """include: [more.yaml]
let:
  busy: "conversation.calls > 5 || idle_cart"
rules:
  - {id: all, tools: [edit_cart], when: "busy && !odd", permit: true}
"""
    more = 'let:\n  idle_cart: "cart.present && cart.items == 0"\n  odd: "agent.id == \'x\'"\n'
    found = covered(policy, ["[cart, expect]", "[{items: 3}, denied]"], files={"more.yaml": more})
    assert told(found) == [
        "more.yaml:2:15  rule all: `cart.present` was never false",
        "more.yaml:2:31  rule all: `cart.items == 0` was never true",
        "policy.yaml:6:10  rule all: `conversation.calls > 5` was never true",
        "policy.yaml:8:10  rule all never fired",
        "policy.yaml:8:50  rule all: `!odd` was never true",
        "policy.yaml:8:50  rule all: `!odd` was never false",
    ]


def test_factors_and_budgets_count_too(covered: Covered) -> None:
    policy = """risk:
  factors:
    - {id: new, tools: [issue_refund], when: "customer.age_days < 30", points: 20, because: "new"}
    - {id: old, tools: [issue_refund], when: "customer.age_days > 900", points: 20, because: "old"}
  tiers: {medium: 20, high: 60, critical: 85}
budgets:
  - {id: daily, tools: [issue_refund], per: customer.id, window: 1d, limit: {count: 1}, exceeded: deny}
rules:
  - {id: all, tools: [issue_refund], permit: true}
"""
    rows = ["[customer.age_days, expect]", "[5, completed]", "[50, completed]"]
    found = covered(policy, rows, tool="issue_refund")
    assert told(found) == [
        "policy.yaml:7:12  factor old never applied",
        "policy.yaml:7:47  factor old: `customer.age_days > 900` was never true",
        "policy.yaml:10:10  budget daily never exceeded",
    ]
    assert (found.of("factor"), found.of("budget"), found.percent) == ((1, 2), (0, 1), 100.0)
    assert found.reached[Owner("rule", "all")] == 2
