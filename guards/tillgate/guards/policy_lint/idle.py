"""Rules that can be taken out without changing any answer, and tools whose every call is denied.

The rule it keeps: a rule is told as idle only when every call it applies to ends the same without it, whatever else of
what is told is taken out with it.
"""

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tillgate.guards.policy.regions import meets
from tillgate.guards.policy.rules import as_strict
from tillgate.guards.policy.types import Policy, Rule
from tillgate.guards.policy_lint.seeing import Regions, Seen, Sight

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
        if not permits or any(each.here is None for each in permits):
            continue
        here = tuple(region for each in permits for region in each.here or ())
        denials = list(sight.counting("deny"))
        if here and meets([here, *_outsides(denials)]) is False:
            yield sight, permits[0].rule, _names(here, denials)


def _why(seen: Seen, sight: Sight, gone: Set[str]) -> Idle | None:
    """Why a rule is idle for one tool, without the rules that are told as idle already; None where it matters."""
    rule, here = seen.rule, seen.here
    if here is None or not here or rule.mode == "shadow":
        return Idle(rule, "never") if here == () else None
    same = [
        each
        for each in sight.counting(rule.kind)
        if each.rule is not rule and each.rule.id not in gone and as_strict(each.rule.requirement, rule.requirement)
    ]
    denials = [each for each in sight.counting("deny") if each.rule.id not in gone] if rule.kind != "deny" else []
    asks = [_permitted(sight), (seen.unmet,)] if rule.requirement is not None else []
    if meets([here, *asks, *_outsides(denials), *_outsides(same)]) is not False:
        return None
    return _reason(rule, here, denials, same, asks)


def _reason(
    rule: Rule, here: Regions, denials: Sequence[Seen], same: Sequence[Seen], asks: Sequence[Regions | None]
) -> Idle:
    """Of the reasons that suffice, the first."""
    if denials and meets([here, *_outsides(denials)]) is False:
        return Idle(rule, "denied", _names(here, denials))
    if same and meets([here, *_outsides(same)]) is False:
        return Idle(rule, "said", _names(here, same))
    if asks and meets([here, asks[0], *_outsides(denials)]) is False:
        return Idle(rule, "unpermitted")
    if asks and meets([here, *asks, *_outsides(denials)]) is False:
        return Idle(rule, "met")
    return Idle(rule, "said", _names(here, same, [*asks, *_outsides(denials)]))


def _permitted(sight: Sight) -> Regions | None:
    permits = list(sight.counting("permit"))
    if any(each.here is None for each in permits):
        return None
    return tuple(region for each in permits for region in each.here or ())


def _outsides(rules: Iterable[Seen]) -> Iterator[Regions | None]:
    return (each.outside for each in rules)


def _names(here: Regions, rules: Sequence[Seen], besides: Sequence[Regions | None] = ()) -> tuple[str, ...]:
    """As few of the rules as leave nothing of the regions."""
    for each in rules:
        if meets([here, *besides, each.outside]) is False:
            return (each.rule.id,)
    needed = list(rules)
    for each in rules:
        fewer = [other for other in needed if other is not each]
        if meets([here, *besides, *_outsides(fewer)]) is False:
            needed = fewer
    return tuple(each.rule.id for each in needed)
