"""What differs between two policies and no single call need show: risk, who reviews, how long a budget looks back, what
leaves in answers, what customers are told, and what is claimed.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeVar

from tillgate.guards.money import currency
from tillgate.guards.policy.types import Budget, Invariant, Policy, Queue
from tillgate.guards.policy.wording import lasting

Key = TypeVar("Key")
Said: TypeAlias = Mapping[Key, str]
"""By what it is about, what is said."""


def altered(old: Policy, new: Policy) -> tuple[str, ...]:
    """One line for each thing that differs, `is -> becomes`."""
    return tuple(line for of in (_risk, _budgets, _queues, _views, _masks, _words, _claims) for line in of(old, new))


def _turned(what: str, old: str | None, new: str | None) -> Iterator[str]:
    if old != new:
        yield f"{what}: {old or 'not there'} -> {new or 'not there'}"


def _each(what: str, old: Said[str], new: Said[str]) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        yield from _turned(f"{what} {name}", old.get(name), new.get(name))


def _risk(old: Policy, new: Policy) -> Iterator[str]:
    def said(policy: Policy) -> dict[str, str]:
        return {each.id: f"{each.contribution.points} points when {each.when.text}" for each in policy.factors}

    tiers = (f"{p.tiers.medium}, {p.tiers.high}, {p.tiers.critical}" if p.tiers else None for p in (old, new))
    yield from _turned("risk tiers", *tiers)
    yield from _each("factor", said(old), said(new))


def _budgets(old: Policy, new: Policy) -> Iterator[str]:
    def said(budget: Budget) -> str:
        of = ", ".join(sorted(budget.tools))
        return f"per {', '.join(budget.per)} in {lasting(budget.window_seconds)}, of {of}"

    yield from _each("budget", {b.id: said(b) for b in old.budgets}, {b.id: said(b) for b in new.budgets})


def _queues(old: Policy, new: Policy) -> Iterator[str]:
    def said(policy: Policy) -> dict[str, str]:
        return {name: _queue(queue, policy) for name, queue in policy.queues.items()}

    yield from _each("queue", said(old), said(new))


def _queue(queue: Queue, policy: Policy) -> str:
    money = currency(policy.currency)
    over = f", two of them over {money.format(queue.four_eyes_over)}" if queue.four_eyes_over is not None else ""
    return f"reviewed by {', '.join(queue.reviewers)}{over}"


def _views(old: Policy, new: Policy) -> Iterator[str]:
    def said(policy: Policy) -> dict[tuple[str, str], tuple[str, ...]]:
        return {(view.tool, level.name): fields for view in policy.views for level, fields in view.levels.items()}

    before, after = said(old), said(new)
    for tool, level in dict.fromkeys((*before, *after)):
        was, now = before.get((tool, level), ()), after.get((tool, level), ())
        more, less = ([each for each in a if each not in b] for a, b in ((now, was), (was, now)))
        changes = [f"also shows {', '.join(more)}"] * bool(more) + [f"no longer shows {', '.join(less)}"] * bool(less)
        if changes:
            yield f"{tool} at {level} {', and '.join(changes)}"


def _masks(old: Policy, new: Policy) -> Iterator[str]:
    yield from _each("mask", dict(old.masks), dict(new.masks))


def _words(old: Policy, new: Policy) -> Iterator[str]:
    """What customers are told by rules that both have."""

    def said(policy: Policy) -> dict[str, str]:
        return {rule.id: f"{rule.reason.code} '{rule.reason.message}'" for rule in policy.rules}

    before, after = said(old), said(new)
    for name in (name for name in before if name in after):
        yield from _turned(f"what rule {name} says", before[name], after[name])


def _claims(old: Policy, new: Policy) -> Iterator[str]:
    def said(claim: Invariant) -> str:
        return f"{claim.when_outcome} => {claim.then.text} (of {', '.join(sorted(claim.tools))})"

    before, after = (dict.fromkeys(said(each) for each in policy.invariants) for policy in (old, new))
    yield from (f"no longer claimed: {each}" for each in before if each not in after)
    yield from (f"newly claimed: {each}" for each in after if each not in before)
