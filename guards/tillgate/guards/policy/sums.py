"""A comparison of numbers as one sum against one constant: `a > b`, `b < a` and `a - b > 0` are the same question.

The rule it keeps: whatever is asked of the same facts in the same proportions gets the same key, and only that does.
"""

from math import gcd

from msgspec import Struct

from tillgate.guards.facts import FactType, Kind
from tillgate.guards.policy.expression import Arith, Compare, Comparison, Const, Expr, Load, Span, spelled

_SWAPPED: dict[Comparison, Comparison] = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_NOWHERE = Span(0, 0)


class Asked(Struct, frozen=True):
    """`key op value`, or where there is no fact in it (`key` None), whether it holds."""

    key: Expr | None
    op: Comparison
    value: int
    holds: bool = False


def asked(compare: Compare, op: Comparison) -> Asked:
    """What a comparison of numbers asks, with `op` in the place of its own."""
    left, right = compare.left, compare.right
    if isinstance(left, Load) and isinstance(right, Const):
        return Asked(left, op, int(right.value))
    terms: dict[Expr, int] = {}
    rest = _gather(left, 1, terms) + _gather(right, -1, terms)
    sized = sorted(((each, times) for each, times in terms.items() if times), key=lambda term: spelled(term[0]))
    if not sized:
        return Asked(None, op, 0, _compares(op, rest))
    return _scaled(sized, op, -rest, left.type.kind)


def _gather(expr: Expr, times: int, terms: dict[Expr, int]) -> int:
    """Add `expr * times` to the terms; what is constant in it is returned."""
    match expr:
        case Const(value=value):
            return int(value) * times
        case Arith(op="+" | "-" as op, left=left, right=right):
            return _gather(left, times, terms) + _gather(right, times if op == "+" else -times, terms)
        case Arith(op="*", left=left, right=Const(value=by)):
            return _gather(left, times * int(by), terms)
        case _:
            terms[expr] = terms.get(expr, 0) + times
            return 0


def _scaled(terms: list[tuple[Expr, int]], op: Comparison, value: int, kind: Kind) -> Asked:
    """Divided by what all terms share, the first one positive."""
    shared = gcd(*(times for _, times in terms))
    if terms[0][1] < 0:
        shared, op = -shared, _SWAPPED[op]
    whole, left_over = divmod(value, shared)
    key = _sum([(each, times // shared) for each, times in terms], kind)
    if not left_over:
        return Asked(key, op, whole)
    if op in ("==", "!="):
        return Asked(None, op, 0, op == "!=")
    # Between two whole numbers: more than the lower one, or at most that.
    return Asked(key, ">" if op in (">", ">=") else "<=", whole)


def _sum(terms: list[tuple[Expr, int]], kind: Kind) -> Expr:
    found: Expr | None = None
    for each, times in terms:
        low, high = sorted(bound * times for bound in each.type.bounds)
        size = FactType(kind, lo=low, hi=high)
        part = each if times == 1 else Arith("*", each, Const(times, FactType(Kind.INT), _NOWHERE), size, _NOWHERE)
        if found is None:
            found = part
        else:
            (a, b), (c, d) = found.type.bounds, part.type.bounds
            found = Arith("+", found, part, FactType(kind, lo=a + c, hi=b + d), _NOWHERE)
    if found is None:
        raise ValueError("a sum has terms")
    return found


def _compares(op: Comparison, value: int) -> bool:
    return {"==": value == 0, "!=": value != 0, "<": value < 0, "<=": value <= 0, ">": value > 0, ">=": value >= 0}[op]
