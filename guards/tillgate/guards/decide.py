"""Decides one evaluation: pure, total and the same every time, with the reason for whatever stands in the way.

The rule it keeps (CONTRACT §5, Combining): default deny; any matched deny wins; otherwise a permit must match and
every matched demand must be met. Order in the file means nothing, and an error never opens anything.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from tillgate.guards.model import (
    Assurance,
    Confirm,
    Consent,
    Decision,
    Facts,
    Reason,
    Requirement,
    RuleHit,
    Verdict,
    Verify,
)
from tillgate.guards.policy.expression import Expr, conjuncts
from tillgate.guards.policy.fallback import attempt, second_opinion
from tillgate.guards.policy.rules import strictness
from tillgate.guards.policy.types import Budget, Policy, ToolRules
from tillgate.guards.policy.validate import as_object, invalid_facts

NO_PERMIT = Reason("no_permit", "This isn't something I can do here.")
FACTS_INVALID = Reason("facts_invalid", "I can't check this right now, so I can't do it.")

Ruling: TypeAlias = tuple[Verdict, tuple[Reason, ...], tuple[Requirement, ...]]
"""A verdict, its reasons, and the requirements still open."""

_RANKS: dict[str, int] = {level.name: level.value for level in Assurance}
_STRENGTHS: dict[str, int] = {strength.name: strength.value for strength in Consent}
_PERMITTED: Ruling = (Verdict.PERMIT, (), ())
_REFUSED: Ruling = (Verdict.DENY, (NO_PERMIT,), ())
_INVALID: Ruling = (Verdict.DENY, (FACTS_INVALID,), ())


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
    found = policy.by_tool.get(tool)
    if found is None:
        return _conclude(policy, _REFUSED, _REFUSED, (), facts, requires)
    indices = found.program.match(facts)
    hits: tuple[RuleHit, ...]
    if indices is None:
        indices, errored = second_opinion(found.program, facts, found.restricts)
        if indices is None:
            return _conclude(policy, _INVALID, _INVALID, (), facts, requires)
        hits = tuple([replace(found.hits[index], errored=index in errored) for index in indices])
    else:
        hits = tuple(map(found.hits.__getitem__, indices))
    if found.watched and not found.watched.isdisjoint(indices):
        counted = [index for index in indices if index not in found.watched]
        ruling = _rule(found, counted, facts, exceeded, requires)
        return _conclude(policy, ruling, _rule(found, indices, facts, exceeded, requires), hits, facts, requires)
    ruling = _rule(found, indices, facts, exceeded, requires)
    if policy.mode == "enforce":
        return Decision(ruling[0], ruling[1], ruling[2], hits, policy.digest)
    return _conclude(policy, ruling, ruling, hits, facts, requires)


def _conclude(
    policy: Policy,
    ruling: Ruling,
    shadow: Ruling,
    hits: tuple[RuleHit, ...],
    facts: Facts,
    requires: Sequence[Requirement],
) -> Decision:
    """The decision where the file or a rule only watches: what would have been stands beside what is."""
    if policy.mode == "shadow":
        # The tool's own demands are not the watched policy's: they still stand.
        verdict, reasons, unmet = _open(sorted(requires, key=strictness), facts)
        return Decision(verdict, reasons, unmet, hits, policy.digest, ruling[0])
    return Decision(*ruling, hits, policy.digest, None if shadow is ruling else shadow[0])


def _rule(
    found: ToolRules,
    indices: list[int],
    facts: Facts,
    exceeded: Sequence[Budget],
    requires: Sequence[Requirement],
) -> Ruling:
    """Rules are laid out denies, permits, demands, so the ends of the sorted indices say most of it."""
    first_permit, first_demand = found.first_permit, found.first_demand
    if exceeded or (indices and indices[0] < first_permit):
        denies = [found.rules[index].reason for index in indices if index < first_permit]
        denies += [budget.reason for budget in exceeded if budget.exceeded == "deny"]
        if denies:
            return Verdict.DENY, tuple(denies), ()
    if not indices or indices[0] >= first_demand:
        return _REFUSED
    demands = [found.demands[index - first_demand] for index in indices if index >= first_demand]
    if exceeded or requires:
        demands += [budget.exceeded for budget in exceeded if budget.exceeded != "deny"]
        demands += requires
        demands.sort(key=strictness)
    return _open(demands, facts) if demands else _PERMITTED


def _open(demands: Sequence[Requirement], facts: Facts) -> Ruling:
    """The verdict of the first demand that is not met, with all such; a permit when every one is met."""
    unmet = tuple([demand for demand in demands if not is_met(demand, facts)])
    if not unmet:
        return _PERMITTED
    return _verdict(unmet[0]), tuple([demand.reason for demand in unmet]), unmet


def _verdict(demand: Requirement) -> Verdict:
    if isinstance(demand, Verify):
        return Verdict.VERIFY
    return Verdict.CONFIRM if isinstance(demand, Confirm) else Verdict.ESCALATE


def is_met(demand: Requirement, facts: Facts) -> bool:
    """Whether the facts show a demand as met; anything missing or malformed shows nothing."""
    if isinstance(demand, Verify):
        return _rank(facts, "subject", "assurance", _RANKS) >= demand.level
    if isinstance(demand, Confirm):
        return _rank(facts, "consent", "strength", _STRENGTHS) >= demand.strength
    approval = as_object(facts.get("approval"))
    if approval is None or approval.get("granted") is not True:
        return False
    count = approval.get("count")
    return type(count) is int and count >= demand.approvals


def _rank(facts: Facts, group: str, fact: str, ranks: dict[str, int]) -> int:
    inside = as_object(facts.get(group))
    name = inside.get(fact) if inside is not None else None
    return ranks.get(name, -1) if type(name) is str else -1


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
