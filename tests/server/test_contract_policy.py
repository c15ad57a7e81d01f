"""The policy that explains the language is one that can be served, word for word."""

from pathlib import Path

from tillgate.guards.policy.load import load_policy
from tillgate.server.app import surfaces, tool_map

EXAMPLE = Path(__file__).parent / "storefront.yaml"


def test_the_explained_policy_is_served_without_a_finding() -> None:
    policy = load_policy(EXAMPLE.read_text("utf-8"), "policy.yaml", surfaces(tool_map()))
    assert policy.warnings == ()
    assert {budget.id: sorted(budget.tools) for budget in policy.budgets} == {
        "refunds_per_customer": ["cancel_order", "issue_refund", "return_items"]
    }
