"""Reads what a test expects, and finds what could never come true before it is run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from tillgate.guards.decide import NO_PERMIT
from tillgate.guards.model import Escalate, Requirement, Tier
from tillgate.guards.policy.diagnostics import did_you_mean
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.yaml import Mapping as MappingNode
from tillgate.guards.policy.yaml import Node, Scalar, Sequence
from tillgate.guards.policy_test.types import OUTCOMES, Expected, Outcome
from tillgate.guards.policy_test.values import is_nothing

ASKED = ("outcome", "rules", "not", "queue", "expires", "tier", "score", "code", "shadow")
"""What can be expected; in a table `outcome` is the column `expect`."""

_TIERS = tuple(tier.name for tier in Tier)
_MOST = 1_000_000


@dataclass(slots=True)
class Expectations:
    """Reads expectations of calls under one policy; findings go to `shape`."""

    shape: Shape
    policy: Policy
    codes: tuple[str, ...] = field(init=False)
    queues: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        reasons = [rule.reason for rule in self.policy.rules if rule.restricts]
        reasons += [budget.reason for budget in self.policy.budgets]
        self.codes = tuple(dict.fromkeys(reason.code for reason in (*reasons, NO_PERMIT)))
        demands: list[Requirement | str | None] = [rule.requirement for rule in self.policy.rules]
        demands += [budget.exceeded for budget in self.policy.budgets]
        named = [demand.queue for demand in demands if isinstance(demand, Escalate)]
        self.queues = tuple(dict.fromkeys([*self.policy.queues, *named]))

    def asked(self, node: Node) -> Mapping[str, Node]:
        """`expect:` by what is asked: an outcome alone, or a mapping."""
        if isinstance(node, MappingNode):
            fields = self.shape.mapping(node, "expect", (), ASKED)
            return {name: inner for name, inner in fields.items() if not is_nothing(inner)}
        return {} if is_nothing(node) else {"outcome": node}

    def read(self, asked: Mapping[str, Node], tool: str) -> Expected | None:
        """What a case expects, or None after a finding."""
        outcome = self._outcome(asked["outcome"], "an outcome") if "outcome" in asked else None
        shadow = self._outcome(asked["shadow"], "an outcome") if "shadow" in asked else None
        tier = self._word(asked, "tier", _TIERS, "a tier")
        found = Expected(
            outcome or "completed",
            rules=self._rules(asked, "rules", tool),
            not_rules=self._rules(asked, "not", tool),
            queue=self._word(asked, "queue", self.queues, "a queue of this policy"),
            expires=self.shape.duration(asked["expires"], "expires") if "expires" in asked else None,
            tier=Tier[tier] if tier else None,
            score=self.shape.integer(asked["score"], "score", 0, _MOST) if "score" in asked else None,
            code=self._word(asked, "code", self.codes, "a reason's code in this policy"),
            shadow=shadow,
        )
        if outcome is not None:
            self._contradictions(asked, found)
        return found if outcome is not None else None

    def _contradictions(self, asked: Mapping[str, Node], found: Expected) -> None:
        for name in ("queue", "expires"):
            if name in asked and found.outcome != "escalated":
                hint = "only what is `escalated` waits"
                message = f"a call that is `{found.outcome}` waits in no queue"
                self.shape.error("P011", message, asked[name].place, hint)
        if found.code is not None and found.outcome == "completed":
            self.shape.error("P011", "a call that is `completed` has no reason against it", asked["code"].place)
        for name in sorted(set(found.rules) & set(found.not_rules)):
            self.shape.error("P011", f"rule `{name}` cannot fire and not fire", asked["not"].place)

    def _outcome(self, node: Node, what: str) -> Outcome | None:
        if isinstance(node, Scalar) and node.text == "failed":
            hint = "a policy decides whether a call is carried out, not whether that fails"
            self.shape.error("P011", "`failed` cannot be expected", node.place, hint)
            return None
        return cast("Outcome | None", self.shape.choice(node, what, OUTCOMES.values()))

    def _word(self, asked: Mapping[str, Node], name: str, known: Iterable[str], what: str) -> str | None:
        return self.shape.choice(asked[name], what, known) if name in asked else None

    def _rules(self, asked: Mapping[str, Node], name: str, tool: str) -> tuple[str, ...]:
        node = asked.get(name)
        if node is None:
            return ()
        nodes = node.items if isinstance(node, Sequence) else (node,)
        found = [self._rule(each, tool) for each in nodes]
        return tuple(dict.fromkeys(each for each in found if each is not None))

    def _rule(self, node: Node, tool: str) -> str | None:
        name = self.shape.text(node, "a rule's id")
        if name is None:
            return None
        tools = next((rule.tools for rule in self.policy.rules if rule.id == name), None)
        if tools is None:
            hint = did_you_mean(name, [rule.id for rule in self.policy.rules if tool in rule.tools])
            self.shape.error("P011", f"this policy has no rule `{name}`", node.place, hint)
        elif tool not in tools:
            applies = f"it applies to {', '.join(sorted(tools))}"
            self.shape.error("P011", f"rule `{name}` never applies to `{tool}`", node.place, applies)
        return name if tools is not None and tool in tools else None
