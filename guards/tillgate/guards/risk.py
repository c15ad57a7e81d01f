"""Adds up the risk factors that apply to one call: a number, its tier, and the reason for every point.

The rule it keeps: a factor that cannot be evaluated counts as if it applied, because points only ever make a
policy stricter.
"""

from tillgate.guards.model import Facts, RiskAssessment, Tier
from tillgate.guards.policy.fallback import one_by_one
from tillgate.guards.policy.types import Policy

_NONE = RiskAssessment(0, Tier.LOW, ())


def assess(policy: Policy, tool: str, facts: Facts) -> RiskAssessment:
    """The assessment of one call, before `risk`, `usage`, `consent` and `approval` are known. Never raises."""
    found = policy.factors_by_tool.get(tool)
    if found is None or policy.tiers is None:
        return _NONE
    indices = found.program.match(facts)
    if indices is None:
        indices, _ = one_by_one(found.program, facts, _counts)
    if not indices:
        return RiskAssessment(0, policy.tiers.of(0), ())
    contributions = tuple([found.factors[index].contribution for index in sorted(indices)])
    score = sum([contribution.points for contribution in contributions])
    return RiskAssessment(score, policy.tiers.of(score), contributions)


def _counts(_index: int) -> bool:
    return True
