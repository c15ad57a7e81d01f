"""Which operands an operator takes and what it yields, with ranges exact enough to rule out overflow at load."""

from typing import Literal

from msgspec import Struct

from tillgate.guards.facts import FactType, Kind
from tillgate.guards.money import Currency
from tillgate.guards.policy.diagnostics import did_you_mean
from tillgate.guards.policy.expression import Arith, Compare, Const, Expr, Span
from tillgate.guards.policy.scope import Problem
from tillgate.guards.policy.terms import range_of

_RANGES: dict[Kind, tuple[int, int]] = {
    Kind.INT: (-(2**63), 2**63 - 1),
    Kind.MONEY: (-(2**63), 2**63 - 1),
    Kind.TIMESTAMP: (-62_135_596_800, 253_402_300_799),
    Kind.DURATION: (-315_576_000_000, 315_576_000_000),
}
"""What CEL can hold: 64-bit integers, the years 1 to 9999, ten thousand years."""

NUMERIC = frozenset({Kind.INT, Kind.MONEY, Kind.TIMESTAMP, Kind.DURATION, Kind.ORDERED})
_TEXT = frozenset({Kind.STRING, Kind.ENUM})

_SUMS: dict[tuple[Kind, str, Kind], Kind] = {
    (Kind.INT, "+", Kind.INT): Kind.INT,
    (Kind.INT, "-", Kind.INT): Kind.INT,
    (Kind.MONEY, "+", Kind.MONEY): Kind.MONEY,
    (Kind.MONEY, "-", Kind.MONEY): Kind.MONEY,
    (Kind.TIMESTAMP, "+", Kind.DURATION): Kind.TIMESTAMP,
    (Kind.DURATION, "+", Kind.TIMESTAMP): Kind.TIMESTAMP,
    (Kind.TIMESTAMP, "-", Kind.DURATION): Kind.TIMESTAMP,
    (Kind.TIMESTAMP, "-", Kind.TIMESTAMP): Kind.DURATION,
    (Kind.DURATION, "+", Kind.DURATION): Kind.DURATION,
    (Kind.DURATION, "-", Kind.DURATION): Kind.DURATION,
}


class Mismatch(Struct, frozen=True):
    """Two operands that do not go together; `side` is the one to mend, None for the whole expression."""

    code: str
    message: str
    side: Literal["left", "right"] | None = None
    hint: str | None = None


def mismatch(left: Expr, right: Expr, currency: Currency) -> Mismatch | None:
    """Why two values can never be equal by type, or None when they can be compared with `==`."""
    a, b = left.type, right.type
    if {a.kind, b.kind} == {Kind.MONEY, Kind.INT}:
        side: Literal["left", "right"] = "left" if a.kind is Kind.INT else "right"
        return _plain_number(left if side == "left" else right, side, currency)
    if a.kind in _TEXT and b.kind in _TEXT:
        return _closed(left, right) or _apart(a, b) or _blank(left, right)
    if {a.kind, b.kind} in ({Kind.ORDERED, Kind.STRING}, {Kind.ORDERED, Kind.ENUM}):
        return _quoted(left, right)
    if a.kind is not b.kind or (a.kind is Kind.ORDERED and a.values != b.values):
        return Mismatch("P017", f"cannot compare {_article(a)} with {_article(b)}")
    if a.kind in (Kind.LIST, Kind.RECORD):
        return Mismatch("P017", f"a {a.kind} cannot be compared")
    return None


def _plain_number(number: Expr, side: Literal["left", "right"], currency: Currency) -> Mismatch:
    hint = "money is written money('…')"
    if isinstance(number, Const) and int(number.value) >= 0:
        hint = f"write money('{currency.format(int(number.value) * 10**currency.exponent)}')"
    return Mismatch("P014", "cannot compare money with a number", side, hint)


def _closed(left: Expr, right: Expr) -> Mismatch | None:
    """A literal outside the closed list of the enum it is compared with."""
    for literal, other, side in ((left, right, "left"), (right, left, "right")):
        if isinstance(literal, Const) and other.type.kind is Kind.ENUM:
            problem = never(literal, other)
            if problem:
                return Mismatch("P013", problem[0], "left" if side == "left" else "right", problem[1])
    return None


def never(literal: Const, other: Expr) -> tuple[str, str] | None:
    """Message and hint when a text literal is no value of an enum."""
    text = str(literal.value)
    if text in other.type.values:
        return None
    return f"'{text}' is never a value of {name_of(other)}", did_you_mean(text, other.type.values, show=20) or ""


def _blank(left: Expr, right: Expr) -> Mismatch | None:
    """A literal that its reader takes for another, as nobody sees where it ends."""
    for literal, other, side in ((left, right, "left"), (right, left, "right")):
        text = str(literal.value) if isinstance(literal, Const) and not isinstance(other, Const) else ""
        if text != text.strip():
            message, hint = f"'{text}' begins or ends with a blank", f"write '{text.strip()}'"
            return Mismatch("P027", message, "left" if side == "left" else "right", hint)
    return None


def beyond(left: Expr, right: Expr) -> bool:
    """Whether one side is a number that the other, by its range, never is and never comes near."""
    if isinstance(left, Const) == isinstance(right, Const) or left.type.kind not in (Kind.INT, Kind.MONEY):
        return False
    literal, fact = (left, right) if isinstance(left, Const) else (right, left)
    (low, high), (value, _) = fact.type.bounds, literal.type.bounds
    return not low <= value <= high


def _apart(a: FactType, b: FactType) -> Mismatch | None:
    if a.kind is Kind.ENUM and b.kind is Kind.ENUM and not set(a.values) & set(b.values):
        return Mismatch("P017", "these two never have a value in common")
    return None


def _quoted(left: Expr, right: Expr) -> Mismatch:
    text, level, side = (left, right, "left") if right.type.kind is Kind.ORDERED else (right, left, "right")
    hint = f"levels are written without quotes: {level.type!s}"
    if isinstance(text, Const) and str(text.value).upper() in level.type.values:
        hint = f"write {str(text.value).upper()} without quotes"
    message = f"cannot compare the levels of {name_of(level)} with text"
    return Mismatch("P017", message, "left" if side == "left" else "right", hint)


def name_of(expr: Expr) -> str:
    """How a diagnostic names an operand."""
    path = getattr(expr, "path", None)
    return f"`{'.'.join(path)}`" if path else "this expression"


def _article(kind: FactType) -> str:
    words = {Kind.INT: "a number", Kind.STRING: "text", Kind.ENUM: "text", Kind.BOOL: "a truth value"}
    return words.get(kind.kind, "money" if kind.kind is Kind.MONEY else f"a {kind.kind}")


def outcome_is_fixed(node: Compare) -> bool | None:
    """True or False when a comparison with a constant always comes out so, None when it depends on the fact."""
    if isinstance(node.left, Const) == isinstance(node.right, Const) or node.left.type.kind not in NUMERIC:
        return None
    (a, b), (c, d) = node.left.type.bounds, node.right.type.bounds
    always = {"<": b < c, "<=": b <= c, ">": a > d, ">=": a >= d, "==": False, "!=": b < c or d < a}
    never_so = {"<": a >= d, "<=": a > d, ">": b <= c, ">=": b < c, "==": b < c or d < a, "!=": False}
    return True if always[node.op] else False if never_so[node.op] else None


def outcome_is_told(node: Compare) -> Problem | None:
    """What to say of a comparison that always comes out the same.

    One that is never true, or that names a number the fact never is, is an error: a restriction would silently be idle.
    """
    fixed = outcome_is_fixed(node)
    if fixed is None:
        return None
    fact = name_of(node.right if isinstance(node.left, Const) else node.left)
    message = f"this is {'always' if fixed else 'never'} true: {fact} is from {range_of(node.left, node.right)}"
    if not fixed or beyond(node.left, node.right):
        return Problem("P013", message, node.span)
    return Problem("P102", message, node.span, severity="warning")


def add(op: Literal["+", "-"], left: Expr, right: Expr, span: Span, currency: Currency) -> Arith | Problem:
    """A sum or a difference, or what is wrong with it."""
    kind = _SUMS.get((left.type.kind, op, right.type.kind))
    if kind is None:
        if {left.type.kind, right.type.kind} == {Kind.MONEY, Kind.INT}:
            number = left if left.type.kind is Kind.INT else right
            found = _plain_number(number, "left", currency)
            return Problem("P014", "money adds to money only", number.span, found.hint)
        verb = "add" if op == "+" else "subtract"
        return Problem("P017", f"cannot {verb} {_article(left.type)} and {_article(right.type)}", span)
    (a, b), (c, d) = left.type.bounds, right.type.bounds
    low, high = (a + c, b + d) if op == "+" else (a - d, b - c)
    return _ranged(op, left, right, kind, low, high, span)


def scale(op: Literal["*", "/", "%"], left: Expr, right: Expr, span: Span) -> Arith | Problem:
    """A product, quotient or remainder with a constant, or what is wrong with it."""
    if op == "*" and isinstance(left, Const) and left.type.kind is Kind.INT and not isinstance(right, Const):
        left, right = right, left  # `2 * order.total` is `order.total * 2`
    if not isinstance(right, Const) or right.type.kind is not Kind.INT:
        return Problem("P019", f"`{op}` needs a whole number written in the policy", span)
    allowed = (Kind.INT,) if op == "%" else (Kind.INT, Kind.MONEY)
    if left.type.kind not in allowed:
        return Problem("P017", f"`{op}` cannot be used on {_article(left.type)}", left.span)
    factor = int(right.value)
    if factor == 0 and op != "*":
        return Problem("P022", "division by zero", right.span)
    low, high = _scaled(op, *left.type.bounds, factor)
    return _ranged(op, left, right, left.type.kind, low, high, span)


def _scaled(op: str, low: int, high: int, factor: int) -> tuple[int, int]:
    if op == "%":
        top = abs(factor) - 1
        return (0 if low >= 0 else -top), (0 if high <= 0 else top)
    ends = [end * factor if op == "*" else divide(end, factor) for end in (low, high)]
    return min(ends), max(ends)


def _ranged(
    op: Literal["+", "-", "*", "/", "%"], left: Expr, right: Expr, kind: Kind, low: int, high: int, span: Span
) -> Arith | Problem:
    floor, ceiling = _RANGES[kind]
    if low < floor or high > ceiling:
        hint = "facts are at most 2^53; use smaller constants"
        return Problem("P022", f"this could overflow: the result may lie outside CEL's {kind}", span, hint)
    return Arith(op, left, right, FactType(kind, lo=low, hi=high), span)


def divide(value: int, by: int) -> int:
    """Division as CEL does it: towards zero."""
    quotient = abs(value) // abs(by)
    return quotient if (value < 0) == (by < 0) else -quotient


def remainder(value: int, by: int) -> int:
    """Remainder as CEL does it: with the sign of the value."""
    return value - by * divide(value, by)
