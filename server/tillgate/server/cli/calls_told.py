"""Calls that a solver found, as an operator reads them: what is moved, what is not plain about them, how they end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tillgate.guards.difference import ended
from tillgate.guards.explain import Call, Judged
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Json
from tillgate.guards.money import currency
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy_test.types import OUTCOMES
from tillgate.guards.telling import held, unusual


@dataclass(frozen=True, slots=True)
class Teller:
    """Says calls of these tools under a policy."""

    policy: Policy
    tools: Sequence[ToolSurface]

    def lines(self, call: Call, judged: Judged) -> Iterator[str]:
        """The call and how it ends, then what sets it apart from a plain one."""
        money = currency(self.policy.currency)
        of = f"of {money.format(call.amount)} {money.code}" if call.amount else "that moves no money"
        yield f"  a call {of}: {answer(judged)}"
        surface = next(tool for tool in self.tools if tool.name == call.tool)
        yield from (f"    {line}" for line in unusual(surface, call, money))
        yield from (f"    {line}" for line in held(self.policy, call, money))


def answer(judged: Judged) -> str:
    """How a call ends, by which rules, at what risk."""
    rules = ", ".join(hit.rule for hit in judged.decision.hits) or "no rule"
    asked = ended(judged.decision).asks
    words = OUTCOMES[judged.decision.verdict] + (f" ({asked})" if asked else "")
    return f"{words} by {rules}; risk {judged.risk.score} {judged.risk.tier.name}"


def as_json(call: Call | None, judged: Judged | None) -> Json:
    """The facts of a call, what its budgets hold, and how it ends."""
    if call is None or judged is None:
        return None
    return {"facts": dict(call.facts), "usage": {k: dict(v) for k, v in call.usage.items()}, "answer": answer(judged)}
