"""Tells a condition that rests on a risk score where nothing scores: such a restriction could never apply."""

from collections.abc import Collection

from tillgate.guards.facts import CATALOGUE
from tillgate.guards.policy.expression import And, Compare, Const, Expr, Load, Span
from tillgate.guards.policy.regions import regions

_NOWHERE = Span(0, 0)


def rests_on_risk(conditions: Collection[Expr]) -> bool:
    """Whether these can hold, but for no call at the lowest risk there is."""
    calm = tuple(_lowest(fact) for fact in CATALOGUE["risk"].facts)
    at_no_risk = [And((condition, *calm), _NOWHERE) for condition in conditions]
    return _some(conditions) and not _some(at_no_risk)


def _some(conditions: Collection[Expr]) -> bool:
    return any(regions(condition) != () for condition in conditions)


def _lowest(fact: str) -> Expr:
    kind = CATALOGUE["risk"].facts[fact]
    return Compare("==", Load(("risk", fact), kind, bound=False, span=_NOWHERE), Const(0, kind, _NOWHERE), _NOWHERE)
