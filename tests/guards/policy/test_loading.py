"""What a good policy says is what is loaded, and what is odd but harmless is a warning."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tillgate.guards.decide import decide
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Assurance, Escalate, Tier, Verdict
from tillgate.guards.money import currencies, currency
from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.load import load_policy, load_policy_file
from tillgate.guards.policy.types import Policy
from tillgate.guards.risk import assess

Load = Callable[[str], Policy]
FactsMaker = Callable[..., dict[str, Any]]

EXAMPLE = (Path(__file__).parent / "storefront.yaml").read_text()


def test_the_example_of_the_contract_loads_without_a_finding(surfaces: tuple[ToolSurface, ...]) -> None:
    policy = load_policy(EXAMPLE, "storefront.yaml", surfaces)
    assert (policy.name, policy.version, policy.currency, policy.mode) == ("storefront", 7, "USD", "enforce")
    assert policy.digest == "sha256:" + hashlib.sha256(EXAMPLE.encode()).hexdigest()
    assert [str(warning) for warning in policy.warnings] == []
    assert [rule.id for rule in policy.rules][-1] == "refund-large"
    assert len(policy.invariants) == 1


def test_the_example_decides_as_it_reads(surfaces: tuple[ToolSurface, ...], facts: FactsMaker) -> None:
    policy = load_policy(EXAMPLE, "storefront.yaml", surfaces)
    assert decide(policy, "search_products", facts(customer={"present": False})).verdict is Verdict.PERMIT
    assert decide(policy, "issue_refund", facts()).verdict is Verdict.CONFIRM
    assert decide(policy, "issue_refund", facts(consent={"strength": "CUSTOMER"})).verdict is Verdict.PERMIT
    assert decide(policy, "issue_refund", facts(impact={"amount": 2501})).verdict is Verdict.VERIFY
    assert decide(policy, "issue_refund", facts(order={"delivered_days": 31})).verdict is Verdict.DENY
    assert decide(policy, "issue_refund", facts(order={"delivered_days": ...})).verdict is Verdict.DENY
    disputed = decide(policy, "issue_refund", facts(order={"disputed": True}))
    assert disputed.reasons[0].code == "in_dispute"


def test_views_budgets_queues_and_masks_are_read(surfaces: tuple[ToolSurface, ...]) -> None:
    policy = load_policy(EXAMPLE, "storefront.yaml", surfaces)
    views = policy.views_for("get_order")
    base = ("id", "status", "placed_at", "lines[].title", "lines[].quantity")
    assert views[Assurance.IDENTIFIED] == base
    assert views[Assurance.AUTHENTICATED] == (*base, "total", "shipping_address.city", "payments[].last4")
    assert policy.views_for("list_orders") == {}
    assert policy.masks == (("*.email", "email"), ("*.phone", "last4"))
    (budget,) = policy.budgets_for("cancel_order")
    assert (budget.per, budget.window_seconds, budget.limit_amount) == (("customer.id",), 30 * 86_400, 20_000)
    assert isinstance(budget.exceeded, Escalate)
    assert (budget.exceeded.queue, budget.exceeded.approvals, budget.exceeded.expires_seconds) == ("refunds", 1, 86_400)
    assert policy.budgets_for("get_order") == ()
    queue = policy.queue("refunds")
    assert (queue.reviewers, queue.four_eyes_over, queue.declared) == (("refund-desk",), 50_000, True)
    assert queue.admits("refund-desk")
    assert not queue.admits("somebody")


def test_a_file_and_its_text_have_one_digest(tmp_path: Path, surfaces: tuple[ToolSurface, ...]) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(EXAMPLE.replace("\n", "\r\n").encode())
    policy = load_policy_file(path, surfaces)
    assert policy.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_star_means_every_tool_that_can_have_the_facts(load: Load, surfaces: tuple[ToolSurface, ...]) -> None:
    policy = load("""\
        rules:
          - {id: all, tools: "*", permit: true}
          - {id: orders, tools: "*", when: "order.present && order.disputed", deny: in_dispute}
        """)
    every, orders = policy.rules
    assert every.tools == {surface.name for surface in surfaces}
    assert orders.tools == {"get_order", "issue_refund", "cancel_order", "return_items", "update_address"}
    assert policy.warnings == ()


def test_a_permission_leaves_out_a_named_tool_that_cannot_have_the_facts(load: Load) -> None:
    policy = load("rules:\n  - {id: a, tools: [list_orders, get_order], when: order.disputed, permit: true}\n")
    (warning,) = policy.warnings
    assert (warning.code, warning.line, warning.column, warning.severity) == ("P101", 5, 21, "warning")
    assert policy.rules[0].tools == {"get_order"}


@pytest.mark.parametrize("does", ["deny: x", "verify: stepped_up", "confirm: agent", "escalate: desk"])
def test_no_named_tool_goes_free_of_what_restricts_it(load: Load, does: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load(f"rules:\n  - {{id: a, tools: [list_orders, get_order], when: order.disputed, {does}}}\n")
    (error,) = refused.value.diagnostics
    assert (error.code, error.line, error.column) == ("P025", 5, 21)


def test_a_named_tool_cannot_be_without_a_risk_factor_it_should_have(load: Load) -> None:
    factor = "{id: f, tools: [list_orders, get_order], when: order.disputed, points: 5, because: x}"
    with pytest.raises(PolicyError, match="P025"):
        load(f"risk: {{factors: [{factor}], tiers: {{medium: 1, high: 2, critical: 3}}}}\n")


RISK = "risk: {factors: [], tiers: {medium: 1, high: 2, critical: 3}}\n"


@pytest.mark.parametrize("when", ["risk.score > 80", "risk.tier >= HIGH", "order.disputed && risk.tier == CRITICAL"])
def test_a_restriction_does_not_wait_for_a_risk_that_nothing_scores(load: Load, when: str) -> None:
    rule = f"rules:\n  - {{id: a, tools: [issue_refund], when: '{when}', deny: x}}\n"
    with pytest.raises(PolicyError, match="P026"):
        load(rule)
    load(RISK + rule)
    load(rule.replace("deny: x", "permit: true"))
    load(rule.replace(when, f'impact.amount > money("9.00") || {when}'))


def test_usage_is_known_to_the_tools_of_its_budget_only(load: Load, facts: FactsMaker) -> None:
    policy = load("""\
        budgets:
          - {id: weekly, tools: [issue_refund], per: customer.id, window: 7d, limit: {count: 3}}
        rules:
          - {id: a, tools: "*", permit: true}
          - {id: b, tools: "*", when: "usage.weekly.left < 1 || usage.weekly.amount > money('9.00')", deny: x}
        """)
    assert policy.rules[1].tools == {"issue_refund"}
    spent = {"weekly": {"amount": 0, "count": 3, "left": 0}}
    assert decide(policy, "issue_refund", facts(usage=spent)).verdict is Verdict.DENY
    spent["weekly"]["left"] = 1
    assert decide(policy, "issue_refund", facts(usage=spent)).verdict is Verdict.PERMIT


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("customer.returns_percent <= 100", "always true"),
        ("customer.orders >= 0", "always true"),
        ("risk.tier >= LOW", "always true"),
        ("args.lines.exists(l, l.quantity <= 99)", "always true"),
    ],
)
def test_a_comparison_that_is_always_true_is_a_warning(load: Load, condition: str, words: str) -> None:
    policy = load(f'rules:\n  - {{id: a, tools: [issue_refund], when: "{condition}", deny: x}}\n')
    assert [warning.code for warning in policy.warnings] == ["P102"]
    assert words in policy.warnings[0].message


def test_an_unknown_view_path_is_only_a_warning(load: Load) -> None:
    policy = load("context: {get_order: {identified: [id, statu, lines, shipping_address]}}\n")
    assert [(warning.code, warning.column) for warning in policy.warnings] == [("P103", 40)]
    assert policy.views_for("get_order")[Assurance.IDENTIFIED] == ("id", "statu", "lines", "shipping_address")


def test_without_queues_any_queue_may_be_named_and_admits_every_reviewer(load: Load) -> None:
    policy = load("rules:\n  - {id: a, tools: [get_order], escalate: anywhere}\n")
    assert policy.queue("anywhere").admits("anyone")


def test_plain_words_of_other_yaml_versions_stay_text(load: Load) -> None:
    policy = load("rules:\n  - {id: on, tools: [get_order], deny: yes, message: No}\n")
    assert (policy.rules[0].id, policy.rules[0].reason.code, policy.rules[0].reason.message) == ("on", "yes", "No")


def test_risk_adds_up_the_factors_that_apply(surfaces: tuple[ToolSurface, ...], facts: FactsMaker) -> None:
    policy = load_policy(EXAMPLE, "storefront.yaml", surfaces)
    before = {name: value for name, value in facts().items() if name not in ("risk", "usage", "consent", "approval")}
    assert assess(policy, "issue_refund", before).score == 0
    risky = {
        **before,
        "customer": {**before["customer"], "age_days": 3},
        "impact": {**before["impact"], "amount": 10_001},
    }
    found = assess(policy, "issue_refund", risky)
    assert (found.score, found.tier) == (50, Tier.MEDIUM)
    assert [c.factor for c in found.contributions] == ["new_customer", "high_value"]
    nobody = assess(policy, "search_products", {**before, "customer": {"present": False}})
    assert nobody.contributions == ()


def test_a_risk_factor_that_cannot_be_evaluated_counts(surfaces: tuple[ToolSurface, ...], facts: FactsMaker) -> None:
    policy = load_policy(EXAMPLE, "storefront.yaml", surfaces)
    broken = facts(customer={"age_days": "young"})
    assert [c.factor for c in assess(policy, "issue_refund", broken).contributions] == ["new_customer"]
    assert len(assess(policy, "issue_refund", {}).contributions) == 3


@pytest.mark.parametrize(
    "tier", [("", 29, Tier.LOW), ("", 30, Tier.MEDIUM), ("", 60, Tier.HIGH), ("", 85, Tier.CRITICAL)]
)
def test_a_tier_begins_at_its_threshold(load: Load, facts: FactsMaker, tier: tuple[str, int, Tier]) -> None:
    policy = load(
        f"risk:\n  factors: [{{id: f, when: 'true', points: {tier[1]}, because: x}}]\n"
        "  tiers: {medium: 30, high: 60, critical: 85}\n"
    )
    assert assess(policy, "issue_refund", facts()).tier is tier[2]


def test_without_a_risk_section_nothing_is_risky(load: Load, facts: FactsMaker) -> None:
    assert assess(load(""), "issue_refund", facts()).tier is Tier.LOW


def test_amounts_are_read_exactly_or_not_at_all() -> None:
    usd, jpy, kwd = currency("USD"), currency("JPY"), currency("KWD")
    assert [usd.parse(text) for text in ("0", "0.5", "48.00", "9999999999.99")] == [0, 50, 4800, 999_999_999_999]
    assert (jpy.parse("1250"), kwd.parse("1.001")) == (1250, 1001)
    for text in (
        "",
        "-1",
        "+1",
        "01",
        "1.",
        ".5",
        "1.234",
        "1,00",
        " 1",
        "1\n",
        "1e3",
        "٣",
        "1_0",
        "12345678901",
        "NaN",
    ):
        with pytest.raises(ValueError, match="not an amount of USD"):
            usd.parse(text)


def test_an_amount_has_no_more_digits_than_its_currency_and_the_currency_is_a_current_one() -> None:
    with pytest.raises(ValueError, match="not an amount of JPY"):
        currency("JPY").parse("1.0")
    for code in ("XXX", "XTS", "XAU", "usd", "", "US"):
        with pytest.raises(ValueError, match="ISO 4217"):
            currency(code)


@pytest.mark.parametrize("code", currencies())
def test_every_currency_reads_what_it_writes(code: str) -> None:
    unit = currency(code)
    for minor in (0, 1, 10, 99, 100, 12_345):
        assert unit.parse(unit.format(minor)) == minor
    assert unit.format(-1).startswith("-")
