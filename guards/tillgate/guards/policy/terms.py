"""The small terms of checking: literals, the ordered constants of the catalogue, and the words for types."""

from collections.abc import Mapping
from dataclasses import replace

from tillgate.guards.facts import CATALOGUE, FactType, Kind
from tillgate.guards.policy.expression import BOOL, Const, Expr
from tillgate.guards.policy.syntax import Literal_, Name, Syntax, Ternary


def _levels() -> Mapping[str, tuple[FactType, ...]]:
    found: dict[str, tuple[FactType, ...]] = {}
    for group in CATALOGUE.values():
        for fact in group.facts.values():
            for name in fact.values if fact.kind is Kind.ORDERED else ():
                found[name] = (*found.get(name, ()), replace(fact, optional=False))
    return found


LEVELS = _levels()
"""Ordered constants (`IDENTIFIED`, `HIGH`) with the types they are levels of; `NONE` may come to belong to several."""

ANY = FactType(Kind.RECORD)
"""Stands for the type of an operand that already has a finding, so that a level beside it is not reported too."""


def literal(node: Literal_) -> Const:
    """A value written in the policy, with its own value as its range."""
    if isinstance(node.value, bool):
        return Const(node.value, BOOL, node.span)
    if isinstance(node.value, int):
        return Const(node.value, FactType(Kind.INT, lo=node.value, hi=node.value), node.span)
    return Const(node.value, FactType(Kind.STRING), node.span)


def ranked(name: Name, domain: FactType) -> Const:
    """A level as its rank within its domain."""
    rank = domain.values.index(name.name)
    # Its own range is the one rank; the names stay, so that only values of one domain are compared.
    return Const(rank, replace(domain, lo=rank, hi=rank, optional=False), name.span)


def may_be_level(node: Syntax, variables: Mapping[str, FactType]) -> bool:
    """Whether a part can only be understood in the light of what it is compared with."""
    if isinstance(node, Ternary):
        return may_be_level(node.then, variables)
    return isinstance(node, Name) and node.name not in variables and node.name not in CATALOGUE and node.name != "now"


def joined(a: FactType, b: FactType) -> FactType:
    """One type for both sides of a choice."""
    if a.kind is Kind.ENUM and b.kind is Kind.ENUM:
        return replace(a, values=tuple(dict.fromkeys((*a.values, *b.values))))
    if a.kind is Kind.ENUM or b.kind is Kind.ENUM:
        return FactType(Kind.STRING)
    if a.kind in (Kind.STRING, Kind.BOOL):
        return a
    (low, high), (low_b, high_b) = a.bounds, b.bounds
    return replace(a, lo=min(low, low_b), hi=max(high, high_b))


def range_of(left: Expr, right: Expr) -> str:
    """The range of the side that is not a constant, in words."""
    varying = right.type if isinstance(left, Const) else left.type
    if varying.kind is Kind.ORDERED:
        return f"{varying.values[0]} to {varying.values[-1]}"
    low, high = varying.bounds
    return f"{low} to {high}"


def with_article(kind: Kind) -> str:
    """How a sentence names a kind."""
    names: dict[Kind, str] = {
        Kind.INT: "a number",
        Kind.STRING: "text",
        Kind.ENUM: "text",
        Kind.MONEY: "money",
    }
    return names.get(kind, "a truth value" if kind is Kind.BOOL else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}")


def as_truth(kind: Kind) -> str | None:
    """A mend for a value where a condition should stand."""
    return "compare it with something" if kind not in (Kind.LIST, Kind.RECORD) else None
