"""The policy in words, for customers and whoever acts for them: which acts there are, and what they may ask for.

No condition, threshold or score is in it, which would tell how to stay below them.
"""

from collections.abc import Mapping

from tillgate.guards.policy.types import Policy
from tillgate.guards.ports import Tool

_ASKS = {
    "verify": "a code sent to the customer",
    "confirm": "the customer's agreement to exactly what would be done",
    "escalate": "a colleague's decision",
}


def policy_in_words(tools: Mapping[str, Tool], policy: Policy) -> str:
    """The policy as a customer may read it: a line an act."""
    lines = [f"# What can be done here\n\nBy the policy {policy.name}, version {policy.version}.\n"]
    for name, tool in tools.items():
        if policy.may_permit(name):
            asks = [words for kind, words in _ASKS.items() if kind in _kinds(policy, name)]
            needs = f" It may need {' and '.join(asks)} first." if asks else ""
            lines.append(f"- `{name}`: {_first_sentence(tool.description)}{needs}")
    lines.append("\nNothing else is done, and whatever is refused is refused with its reason.\n")
    return "\n".join(lines)


def _kinds(policy: Policy, tool: str) -> set[str]:
    asked: set[str] = {rule.kind for rule in policy.rules if tool in rule.tools and rule.mode == "enforce"}
    if any(budget.exceeded != "deny" for budget in policy.budgets_for(tool)):
        asked.add("escalate")
    return asked


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."
