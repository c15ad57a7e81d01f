"""Rules, risk factors and tiers that make no difference to any call, as far as a solver can see.

The rule it keeps: a rule is told only where the solver found no call that it changes, beside those that are not told.
"""

from collections.abc import Iterator, Sequence, Set

from tillgate.guards.model import Requirement, Tier
from tillgate.guards.policy.rules import as_strict
from tillgate.guards.policy.types import RiskFactor, Rule
from tillgate.guards.policy_lint.upkeep import named_tiers
from tillgate.guards.proof import Look, Proof
from tillgate.guards.solver import Truth, any_of, compared, negated


def needless(found: Sequence[Look]) -> Iterator[Proof]:
    """One refuted claim for each that makes no difference; nothing where all of them do, or the file only watches."""
    if found and found[0].policy.mode == "shadow":
        return
    yield from _rules(found)
    for factor in found[0].policy.factors if found else ():
        tools = [look for look in found if look.tool.name in factor.tools]
        if tools and not any(_applies(look, factor) for look in tools):
            yield Proof(f"factor {factor.id} can apply", _names(tools), "refuted", note="its condition cannot be true")
    yield from _tiers(found)


def _rules(found: Sequence[Look]) -> Iterator[Proof]:
    seen: dict[str, list[tuple[Look, Rule, Truth]]] = {}
    for look in found:
        for rule, term in look.ends.rules:
            seen.setdefault(rule.id, []).append((look, rule, term))
    gone: set[str] = set()
    for name in sorted(seen, reverse=True):
        if not any(_matters(look, rule, term, gone) for look, rule, term in seen[name]):
            why, tools = _why(*seen[name][0], gone), _names([look for look, _, _ in seen[name]])
            gone.add(name)
            yield Proof(f"rule {name} makes a difference", tools, "refuted", note=why)


def _matters(look: Look, rule: Rule, term: Truth, gone: Set[str]) -> bool:
    """Whether some call ends otherwise without the rule; a denial counts also where nothing else would permit."""
    undenied = negated(any_of(_others(look, rule, "deny", gone)))
    same = negated(any_of(_others(look, rule, rule.kind, gone)))
    if rule.kind in ("deny", "permit"):
        return look.can(term, undenied, same)
    permitted = any_of(each for other, each in look.ends.rules if other.kind == "permit")
    return look.can(_open(look, rule.requirement), undenied, permitted, same)


def _why(look: Look, rule: Rule, term: Truth, gone: Set[str]) -> str:
    denials = _others(look, rule, "deny", gone)
    permitted = any_of(each for other, each in look.ends.rules if other.kind == "permit")
    if not look.can(term):
        return "it never applies: its condition cannot be true"
    if not look.can(term, negated(any_of(denials))):
        return "other denials apply wherever it does"
    if rule.requirement is not None and not look.can(term, negated(any_of(denials)), permitted):
        return "nothing permits what it applies to"
    if rule.requirement is not None and not look.can(_open(look, rule.requirement), permitted):
        return "every permitted call it applies to shows already what it asks for"
    return "other rules say as much wherever it counts"


def _others(look: Look, rule: Rule, kind: str, gone: Set[str]) -> list[Truth]:
    """When other rules of a kind apply; of the rule's own kind, those that ask for as much."""
    return [
        term
        for other, term in look.ends.rules
        if other.kind == kind
        and other is not rule
        and other.id not in gone
        and (kind != rule.kind or as_strict(other.requirement, rule.requirement))
    ]


def _open(look: Look, demand: Requirement | None) -> Truth:
    return next((term for each, term in look.ends.open if each is demand), False)


def _applies(look: Look, factor: RiskFactor) -> bool:
    term, _ = look.ends.encoder.condition(factor.when.by_tool[look.tool.name], look.tool)
    return look.can(term)


def _tiers(found: Sequence[Look]) -> Iterator[Proof]:
    if not found or found[0].policy.tiers is None or not found[0].policy.factors:
        return
    tier = found[0].ends.encoder.unknowns.facts["risk.tier"].term
    for each in sorted({Tier.MEDIUM, *named_tiers(found[0].policy.rules)}):
        if not any(look.can(compared(">=", tier, each)) for look in found):
            note = "no factors that apply together add up to it"
            yield Proof(f"some call is {each.name}", _names(found), "refuted", note=note)


def _names(found: Sequence[Look]) -> str:
    return ", ".join(look.tool.name for look in found)
