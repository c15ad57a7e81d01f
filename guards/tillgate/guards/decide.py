"""Decides one evaluation: pure, total and the same every time, with the reason for whatever stands in the way.

The rule it keeps (CONTRACT §5, Combining): default deny; any matched deny wins; otherwise a permit must match and
every matched demand must be met. Order in the file means nothing, and an error never opens anything.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from msgspec.structs import replace

from tillgate.guards.model import (
    Assurance,
    Confirm,
    Consent,
    Decision,
    Facts,
    Json,
    Reason,
    Requirement,
    RuleHit,
    Verdict,
    Verify,
)
from tillgate.guards.policy.expression import Expr, conjuncts
from tillgate.guards.policy.fallback import attempt, second_opinion
from tillgate.guards.policy.rules import strictness
from tillgate.guards.policy.types import Budget, Indices, Policy, Proofs, Settled, ToolRules
from tillgate.guards.policy.validate import invalid_facts

NO_PERMIT = Reason("no_permit", "This isn't something I can do here.")
FACTS_INVALID = Reason("facts_invalid", "I can't check this right now, so I can't do it.")

Ruling: TypeAlias = tuple[Verdict, tuple[Reason, ...], tuple[Requirement, ...]]
"""A verdict, its reasons, and the requirements still open."""

MOST_SETTLED = 1_000
"""How many decisions are remembered of a tool; beyond that they are worked out anew each time."""

_RANKS: Mapping[Json, int] = {level.name: level.value for level in Assurance}
_STRENGTHS: Mapping[Json, int] = {strength.name: strength.value for strength in Consent}
_PERMITTED: Ruling = (Verdict.PERMIT, (), ())
_REFUSED: Ruling = (Verdict.DENY, (NO_PERMIT,), ())
_INVALID: Ruling = (Verdict.DENY, (FACTS_INVALID,), ())
_ABSENT: Mapping[str, Json] = {}
_NOTHING: Proofs = (-1, -1, -1)


def decide(
    policy: Policy,
    tool: str,
    facts: Facts,
    exceeded: Sequence[Budget] = (),
    requires: Sequence[Requirement] = (),
) -> Decision:
    """What the policy says of one call. `exceeded` are budgets without room, `requires` the plan's own demands.

    Never raises: facts that are not valid are a denial, and a tool without rules is denied.
    """
    try:
        found, match, settled = policy.ready[tool]
    except KeyError:
        return _conclude(policy, _REFUSED, _REFUSED, (), _proofs(facts), requires)
    matched = match(facts)
    if matched is None:
        return _in_doubt(policy, found, facts, exceeded, requires)
    if exceeded or requires:
        return _settle(policy, found, sorted(matched), _proofs(facts), exceeded, requires)
    key = tuple(matched)
    return settled.get(key) or _settled(policy, found, key, facts, settled)


def _settled(policy: Policy, found: ToolRules, matched: Indices, facts: Facts, settled: Settled) -> Decision:
    """Proofs have a say only where a demand matched and no deny; denies stand first and demands last."""
    indices = sorted(matched)
    asks = bool(indices) and indices[-1] >= found.first_demand and (indices[0] >= found.first_permit or found.watched)
    proofs = _proofs(facts) if asks else _NOTHING
    key = (matched, proofs) if asks else matched
    decision = settled.get(key)
    if decision is None:
        decision = _settle(policy, found, indices, proofs, (), ())
        if len(settled) < MOST_SETTLED:
            settled[key] = decision
    return decision


def _in_doubt(
    policy: Policy, found: ToolRules, facts: Facts, exceeded: Sequence[Budget], requires: Sequence[Requirement]
) -> Decision:
    indices, errored = second_opinion(found.program, facts, found.restricts)
    proofs = _proofs(facts)
    if indices is None:
        return _conclude(policy, _INVALID, _INVALID, (), proofs, requires)
    decision = _settle(policy, found, indices, proofs, exceeded, requires)
    return replace(decision, hits=tuple([replace(found.hits[index], errored=index in errored) for index in indices]))


def _settle(
    policy: Policy,
    found: ToolRules,
    indices: Sequence[int],
    proofs: Proofs,
    exceeded: Sequence[Budget],
    requires: Sequence[Requirement],
) -> Decision:
    """The decision that follows from the rules that matched and from nothing else in the facts but the proofs."""
    hits = tuple([found.hits[index] for index in indices])
    shadow = ruling = _rule(found, indices, proofs, exceeded, requires)
    if found.watched and not found.watched.isdisjoint(indices):
        counted = [index for index in indices if index not in found.watched]
        ruling = _rule(found, counted, proofs, exceeded, requires)
    return _conclude(policy, ruling, shadow, hits, proofs, requires)


def _conclude(
    policy: Policy,
    ruling: Ruling,
    shadow: Ruling,
    hits: tuple[RuleHit, ...],
    proofs: Proofs,
    requires: Sequence[Requirement],
) -> Decision:
    """The decision where the file or a rule only watches: what would have been stands beside what is."""
    if policy.mode == "shadow":
        # The tool's own demands are not the watched policy's: they still stand.
        return Decision(*_open(requires, proofs), hits, policy.digest, ruling[0])
    return Decision(*ruling, hits, policy.digest, None if shadow is ruling else shadow[0])


def _rule(
    found: ToolRules,
    indices: Sequence[int],
    proofs: Proofs,
    exceeded: Sequence[Budget],
    requires: Sequence[Requirement],
) -> Ruling:
    """Rules are laid out denies, permits, demands, and so are the indices of those that matched."""
    permits, demands = bisect_left(indices, found.first_permit), bisect_left(indices, found.first_demand)
    if permits or exceeded:
        denies = [found.rules[index].reason for index in indices[:permits]]
        denies += [budget.reason for budget in exceeded if budget.exceeded == "deny"]
        if denies:
            return Verdict.DENY, tuple(denies), ()
    if permits == demands:
        return _REFUSED
    asked = [found.demands[index - found.first_demand] for index in indices[demands:]]
    asked += [budget.exceeded for budget in exceeded if budget.exceeded != "deny"]
    return _open([*asked, *requires], proofs)


def _open(demands: Sequence[Requirement], proofs: Proofs) -> Ruling:
    """The verdict of the first demand that is not met, with all such; a permit when every one is met."""
    unmet = [demand for demand in demands if not _is_met(demand, proofs)]
    if not unmet:
        return _PERMITTED
    unmet.sort(key=strictness)
    return _verdict(unmet[0]), tuple([demand.reason for demand in unmet]), tuple(unmet)


def _verdict(demand: Requirement) -> Verdict:
    if isinstance(demand, Verify):
        return Verdict.VERIFY
    return Verdict.CONFIRM if isinstance(demand, Confirm) else Verdict.ESCALATE


def _is_met(demand: Requirement, proofs: Proofs) -> bool:
    level, strength, approvals = proofs
    if isinstance(demand, Verify):
        return level >= demand.level
    return strength >= demand.strength if isinstance(demand, Confirm) else approvals >= demand.approvals


def _proofs(facts: Facts) -> Proofs:
    """What is missing shows nothing, and where something is malformed nothing is shown at all."""
    groups = cast("Mapping[str, Mapping[str, Json]]", facts)
    try:
        level = _RANKS.get(groups.get("subject", _ABSENT).get("assurance"), -1)
        strength = _STRENGTHS.get(groups.get("consent", _ABSENT).get("strength"), -1)
        approval = groups.get("approval", _ABSENT)
        count = approval.get("count") if approval.get("granted") is True else None
    except (AttributeError, TypeError):
        return _NOTHING
    return level, strength, count if type(count) is int else -1


def facts_in_doubt(policy: Policy, tool: str, facts: Facts) -> tuple[str, ...]:
    """The facts behind a `facts_invalid` denial, for operators and reviewers, never for the customer."""
    found = policy.by_tool.get(tool)
    return invalid_facts(found.program.uses, facts) if found else ()


def near_misses(policy: Policy, tool: str, facts: Facts) -> tuple[str, ...]:
    """Ids of restricting rules that did not match because exactly one of their `&&` conditions did not hold.

    A rule of a single condition is never near: it either holds or it does not.
    """
    found = policy.by_tool.get(tool)
    if found is None:
        return ()
    return tuple(rule.id for rule in found.rules if rule.restricts and _misses_by_one(rule.when.by_tool[tool], facts))


def _misses_by_one(condition: Expr, facts: Facts) -> bool:
    held = [attempt(term, facts) is True for term in conjuncts(condition)]
    return len(held) > 1 and held.count(False) == 1
