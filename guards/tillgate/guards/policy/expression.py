"""A condition after checking: every node has a type, every name is a known fact, and nothing is left to resolve.

Ordered constants are ranks, money is minor units, times are seconds. The compiler and the interpreter both read this
and nothing else, so neither can be handed a name or a value the checker has not seen.
"""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from tillgate.guards.facts import FactType, boolean

Path: TypeAlias = tuple[str, ...]
"""Group and members (`("order", "total")`, `("now",)`), or a bound variable and members."""

BOOL = boolean()


class Span(Struct, frozen=True):
    """A stretch of the condition's text: from `start` up to but not including `end`."""

    start: int
    end: int


class _Node(Struct, frozen=True, eq=False):
    """What is said is compared, and not where it is written."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Node) and type(self) is type(other) and self._said() == other._said()

    def __hash__(self) -> int:
        return hash((type(self), self._said()))

    def _said(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name != "span")


class Const(_Node, frozen=True):
    """A value written in the policy, already in the form facts are compared in."""

    value: int | str | bool
    type: FactType
    span: Span


class Load(_Node, frozen=True):
    """The value of a fact; `bound` when the path starts at a quantifier's variable."""

    path: Path
    type: FactType
    bound: bool
    span: Span


class Has(_Node, frozen=True):
    """Whether a fact is known."""

    path: Path
    bound: bool
    span: Span
    type: FactType = BOOL


class Present(_Node, frozen=True):
    """Whether a group the tool may lack is there."""

    group: str
    span: Span
    type: FactType = BOOL


class Not(_Node, frozen=True):
    """`!item`."""

    item: "Expr"
    span: Span
    type: FactType = BOOL


class And(_Node, frozen=True):
    """All of `items`, left to right."""

    items: tuple["Expr", ...]
    span: Span
    type: FactType = BOOL


class Or(_Node, frozen=True):
    """Any of `items`, left to right."""

    items: tuple["Expr", ...]
    span: Span
    type: FactType = BOOL


class Choose(_Node, frozen=True):
    """`test ? then : other`; only the chosen side is evaluated."""

    test: "Expr"
    then: "Expr"
    other: "Expr"
    type: FactType
    span: Span


Comparison: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]


class Compare(_Node, frozen=True):
    """Two values of one type compared."""

    op: Comparison
    left: "Expr"
    right: "Expr"
    span: Span
    type: FactType = BOOL


Arithmetic: TypeAlias = Literal["+", "-", "*", "/", "%"]


class Arith(_Node, frozen=True):
    """Whole-number arithmetic that cannot overflow; the type's range is the range of the result."""

    op: Arithmetic
    left: "Expr"
    right: "Expr"
    type: FactType
    span: Span


class OneOf(_Node, frozen=True):
    """`item in [a, b]`."""

    item: "Expr"
    items: tuple["Expr", ...]
    span: Span
    type: FactType = BOOL


class Within(_Node, frozen=True):
    """`item in list`, where the list is a fact."""

    item: "Expr"
    over: Load
    span: Span
    type: FactType = BOOL


TextTest: TypeAlias = Literal["startsWith", "endsWith", "contains"]


class TextIs(_Node, frozen=True):
    """`text.startsWith(part)` and its kin."""

    op: TextTest
    text: "Expr"
    part: "Expr"
    span: Span
    type: FactType = BOOL


class Size(_Node, frozen=True):
    """How many items a list has, or characters a text."""

    item: "Expr"
    type: FactType
    span: Span


Quantifier: TypeAlias = Literal["exists", "all", "exists_one"]


class Quantify(_Node, frozen=True):
    """`over.exists(variable, body)` and its kin."""

    kind: Quantifier
    variable: str
    over: Load
    body: "Expr"
    span: Span
    type: FactType = BOOL


Expr: TypeAlias = (
    Const | Load | Has | Present | Not | And | Or | Choose | Compare | Arith | OneOf | Within | TextIs | Size | Quantify
)


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The expressions inside an expression, left to right."""
    match expr:
        case Const() | Load() | Has() | Present():
            return ()
        case Not(item=item) | Size(item=item):
            return (item,)
        case And(items=items) | Or(items=items):
            return items
        case Choose(test=test, then=then, other=other):
            return (test, then, other)
        case Compare(left=left, right=right) | Arith(left=left, right=right):
            return (left, right)
        case OneOf(item=item, items=items):
            return (item, *items)
        case Within(item=item, over=over):
            return (item, over)
        case TextIs(text=text, part=part):
            return (text, part)
        case Quantify(over=over, body=body):
            return (over, body)


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    """The conditions joined by `&&` at the top."""
    return expr.items if isinstance(expr, And) else (expr,)


def spelled(expr: Expr) -> str:
    """One spelling for conditions that mean the same, wherever they are written."""
    own = [getattr(expr, name) for name in ("op", "kind", "variable", "path", "group", "value") if hasattr(expr, name)]
    return f"{type(expr).__name__}({', '.join([*map(repr, own), *map(spelled, parts(expr))])})"


def read_by(expr: Expr) -> frozenset[Path]:
    """The facts a condition reads or asks for with `has()`, and the groups whose presence it asks for."""
    match expr:
        case Load(path=path, bound=False) | Has(path=path, bound=False):
            return frozenset({path})
        case Present(group=group):
            return frozenset({(group,)})
        case _:
            return frozenset[Path]().union(*map(read_by, parts(expr)))


def compared_with(expr: Expr, path: Path) -> Iterator[int | str | bool]:
    """The constants a fact is compared with anywhere in a condition."""
    if isinstance(expr, Compare):
        for one, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if isinstance(one, Load) and one.path == path and isinstance(other, Const):
                yield other.value
    for part in parts(expr):
        yield from compared_with(part, path)
