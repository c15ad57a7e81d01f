"""A small policy, and readers of suites written against it."""

import textwrap
from collections.abc import Callable

import pytest

from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy_test.run import Result, run
from tillgate.guards.policy_test.suite import open_suite, read_suite
from tillgate.guards.policy_test.types import Suite
from tillgate.server.app import surfaces, tool_map

POLICY = """
policy: small
version: 1
currency: EUR
risk:
  factors:
    - {id: new, when: "customer.present && customer.age_days < 30", points: 20, because: "new"}
    - {id: large, when: "impact.amount > money('50.00')", points: 40, because: "large"}
  tiers: {medium: 20, high: 60, critical: 85}
budgets:
  - id: monthly
    tools: [issue_refund]
    per: customer.id
    window: 30d
    limit: {amount: "100.00", count: 2}
    exceeded: {escalate: refunds}
rules:
  - {id: look, tools: [get_order], when: "subject.assurance >= IDENTIFIED", permit: true}
  - {id: refunds, tools: [issue_refund], when: "has(order.delivered_days) && order.delivered_days <= 30", permit: true}
  - {id: proof, tools: [issue_refund], when: "impact.amount > money('25.00')", verify: stepped_up}
  - {id: person, tools: [issue_refund], when: "risk.tier >= HIGH", escalate: {queue: refunds, expires: 4h}}
  - {id: disputed, tools: [issue_refund], when: "order.disputed", deny: in_dispute}
  - {id: carts, tools: [edit_cart], permit: true}
  - {id: many, tools: [edit_cart], when: "cart.present && cart.items > 9", confirm: agent}
queues:
  refunds: {reviewers: [desk]}
  other: {reviewers: [desk]}
"""

Read = Callable[..., Suite]
Results = Callable[..., list[Result]]
Findings = Callable[..., list[str]]


@pytest.fixture(scope="session")
def load() -> Callable[[str], Policy]:
    return lambda text: load_policy(text, "policy.yaml", surfaces(tool_map()))


@pytest.fixture(scope="session")
def read(load: Callable[[str], Policy]) -> Read:
    """Reads a suite for the small policy, or another."""

    def _read(text: str, policy: str = POLICY) -> Suite:
        return read_suite(open_suite(textwrap.dedent(text), "suite.yaml"), load(policy), surfaces(tool_map()))

    return _read


@pytest.fixture(scope="session")
def results(read: Read) -> Results:
    """Runs a suite."""

    def _results(text: str, policy: str = POLICY) -> list[Result]:
        suite = read(text, policy)
        return [run(case, suite.policy) for case in suite.cases]

    return _results


@pytest.fixture(scope="session")
def findings(read: Read) -> Findings:
    """`line:column code` of every finding of a suite that is refused."""

    def _findings(text: str, policy: str = POLICY) -> list[str]:
        with pytest.raises(PolicyError) as caught:
            read(text, policy)
        return [f"{each.line}:{each.column} {each.code}" for each in caught.value.diagnostics]

    return _findings
