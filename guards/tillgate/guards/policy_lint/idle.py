"""Rules that can be taken out without changing any answer, and tools whose every call is denied.

The rule it keeps: a rule is told as idle only when every call it applies to ends the same without it, whatever else of
what is told is taken out with it.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tillgate.guards.policy.regions import common
from tillgate.guards.policy.rules import as_strict
from tillgate.guards.policy.types import Policy, Rule
from tillgate.guards.policy_lint.seeing import Regions, Seen, Sight, without

Why: TypeAlias = Literal["never", "denied", "said", "unpermitted", "met"]
_FIRST: tuple[Why, ...] = ("met", "unpermitted", "said", "denied", "never")
"""Which reason is told where tools differ."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A rule that makes no difference, why, and the rules that make it so."""

    rule: Rule
    why: Why
    by: tuple[str, ...] = ()


def idle(policy: Policy, sights: Sequence[Sight]) -> tuple[Idle, ...]:
    """The idle rules; of two that say the same, the later name is the one too many."""
    found: dict[str, Idle] = {}
    seen: dict[str, list[tuple[Seen, Sight]]] = {}
    for sight in sights:
        for each in sight.rules:
            seen.setdefault(each.rule.id, []).append((each, sight))
    for rule in sorted(policy.rules, key=lambda rule: rule.id, reverse=True):
        whys: list[Idle] = []
        for each, sight in seen.get(rule.id, ()):
            why = _why(each, sight, found.keys())
            if why is None:
                break
            whys.append(why)
        else:
            found[rule.id] = _of_all(rule, whys)
    return tuple(found.values())


def _of_all(rule: Rule, whys: Sequence[Idle]) -> Idle:
    first = min(whys, key=lambda each: _FIRST.index(each.why), default=Idle(rule, "never"))
    return Idle(
        rule, first.why, tuple(dict.fromkeys(name for each in whys if each.why == first.why for name in each.by))
    )


def closed(sights: Sequence[Sight]) -> Iterator[tuple[Sight, Rule, tuple[str, ...]]]:
    """Tools that rules permit and whose every call is denied, with the first such permit and what denies it."""
    for sight in sights:
        permits = list(sight.counting("permit"))
        denied = [_denied(each.here, sight, frozenset()) for each in permits if each.here is not None]
        if permits and len(denied) == len(permits) and not any(left for left, _ in denied):
            yield sight, permits[0].rule, tuple(dict.fromkeys(name for _, by in denied for name in by))


def _why(seen: Seen, sight: Sight, gone: Set[str]) -> Idle | None:
    """Why a rule is idle for one tool, without the rules that are told as idle already; None where it matters."""
    rule, here = seen.rule, seen.here
    if here is None:
        return None
    if not here:
        return Idle(rule, "never")
    if rule.mode == "shadow":
        return None
    if rule.kind == "deny":
        return _said(seen, here, sight, gone)
    left, by = _denied(here, sight, gone)
    if not left:
        return Idle(rule, "denied", by)
    if rule.requirement is None:
        return _said(seen, here, sight, gone) or _said(seen, left, sight, gone)
    return _asks(seen, left, sight, gone)


def _asks(seen: Seen, left: Regions, sight: Sight, gone: Set[str]) -> Idle | None:
    """Why a demand is never asked for where it applies and nothing denies."""
    said = _said(seen, seen.here or (), sight, gone)
    if said is not None:
        return said
    permitted: Regions = ()
    for each in sight.counting("permit"):
        if each.here is None:
            return None
        permitted += each.here
    reached = common(left, permitted)
    if reached is None:
        return None
    if not reached:
        return Idle(seen.rule, "unpermitted")
    open_ = common(reached, (seen.unmet,))
    if open_ is None:
        return None
    return _said(seen, open_, sight, gone) if open_ else Idle(seen.rule, "met")


def _denied(here: Regions, sight: Sight, gone: Set[str]) -> tuple[Regions, tuple[str, ...]]:
    return _less(here, [each for each in sight.counting("deny") if each.rule.id not in gone])


def _said(seen: Seen, left: Regions, sight: Sight, gone: Set[str]) -> Idle | None:
    """Where other rules say as much wherever this one counts."""
    mine = seen.rule
    others = [
        each
        for each in sight.counting(mine.kind)
        if each.rule is not mine and each.rule.id not in gone and as_strict(each.rule.requirement, mine.requirement)
    ]
    left, by = _less(left, others)
    return None if left else Idle(mine, "said", by)


def _less(here: Regions, others: Sequence[Seen]) -> tuple[Regions, tuple[str, ...]]:
    """What the other rules leave of regions, and their names; one that covers all of it by itself comes first."""
    touching = [other for other in others if other.here is None or common(here, other.here) != ()]
    for other in touching:
        if not without(here, other.outside):
            return (), (other.rule.id,)
    left, by = here, list[str]()
    for other in touching:
        less = without(left, other.outside)
        if less != left:
            left, by = less, [*by, other.rule.id]
        if not left:
            break
    return left, tuple(by)
