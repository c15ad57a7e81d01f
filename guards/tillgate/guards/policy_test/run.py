"""Decides the cases of a suite as a served call is decided, and says what came otherwise than expected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tillgate.guards.decide import decide
from tillgate.guards.limits import left, over
from tillgate.guards.model import Decision, Escalate, Facts, Json, RiskAssessment
from tillgate.guards.policy.types import Budget, Policy
from tillgate.guards.policy_test.types import OUTCOMES, Case, Outcome, Used
from tillgate.guards.risk import assess


@dataclass(frozen=True, slots=True)
class Result:
    """A case decided: the complete facts, what was made of them, and in words what is not as expected."""

    case: Case
    facts: Facts
    risk: RiskAssessment
    exceeded: tuple[Budget, ...]
    decision: Decision
    failures: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether everything came as expected."""
        return not self.failures

    @property
    def outcome(self) -> Outcome:
        """How the call ends."""
        return OUTCOMES[self.decision.verdict]

    @property
    def fired(self) -> tuple[str, ...]:
        """The rules that matched, as they are asked."""
        return tuple(hit.rule for hit in self.decision.hits)


def run(case: Case, policy: Policy) -> Result:
    """Assess, limit and decide one case. Never raises."""
    risk = assess(policy, case.tool, case.facts)
    usage, exceeded = _limits(case, policy)
    facts = {**case.facts, "risk": {"score": risk.score, "tier": risk.tier.name}, "usage": usage}
    decision = decide(policy, case.tool, facts, exceeded)
    return Result(case, facts, risk, exceeded, decision, tuple(_failures(case, risk, decision)))


def _limits(case: Case, policy: Policy) -> tuple[Mapping[str, Json], tuple[Budget, ...]]:
    """What the budgets hold with this call, and which that exceeds."""
    usage: dict[str, Json] = {}
    exceeded: list[Budget] = []
    for budget in policy.budgets_for(case.tool):
        used = case.used.get(budget.id, Used())
        amount = used.amount + (case.facts["impact"]["amount"] if case.acts else 0)
        count = used.count + (1 if case.acts else 0)
        usage[budget.id] = {"amount": amount, "count": count, "left": left(budget, amount, count)}
        if case.acts and over(budget, amount, count):
            exceeded.append(budget)
    return usage, tuple(exceeded)


def _failures(case: Case, risk: RiskAssessment, decision: Decision) -> Iterator[str]:
    expected, outcome = case.expected, OUTCOMES[decision.verdict]
    if outcome != expected.outcome:
        yield f"expected {expected.outcome}, got {outcome}"
    fired = {hit.rule for hit in decision.hits}
    yield from (f"rule {name} did not fire" for name in expected.rules if name not in fired)
    yield from (f"rule {name} fired" for name in expected.not_rules if name in fired)
    waits = waits_in(decision)
    if expected.queue is not None and expected.queue != (queue := waits.queue if waits else None):
        yield f"expected to wait in {expected.queue}, got {queue or 'no queue'}"
    if expected.expires is not None and expected.expires != (expires := waits.expires_seconds if waits else 0):
        yield f"expected to wait for {expected.expires} seconds, got {expires}"
    if expected.tier is not None and expected.tier is not risk.tier:
        yield f"expected tier {expected.tier.name}, got {risk.tier.name}"
    if expected.score is not None and expected.score != risk.score:
        yield f"expected a score of {expected.score}, got {risk.score}"
    if expected.code is not None and expected.code not in (codes := [reason.code for reason in decision.reasons]):
        yield f"expected the code {expected.code}, got {', '.join(codes) or 'none'}"
    shadow = OUTCOMES[decision.verdict if decision.shadow is None else decision.shadow]
    if expected.shadow is not None and expected.shadow != shadow:
        yield f"expected {expected.shadow} if all counted, got {shadow}"


def waits_in(decision: Decision) -> Escalate | None:
    """The demand for a person the call waits for; None when it waits for nobody."""
    first = decision.unmet[0] if decision.unmet else None
    return first if isinstance(first, Escalate) else None
