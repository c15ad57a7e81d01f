"""Writes a checked condition as a term over the unknown facts, each condition once, whoever asks for it.

What the solver cannot be told exactly (a quantifier over records, a test on a text that is not written) becomes an
unknown of its own, true or false as it suits the search. So a proof holds, and what was found has to be tried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from tillgate.guards.facts import CATALOGUE, FactType, Kind, ToolSurface
from tillgate.guards.policy.expression import (
    And,
    Arith,
    Choose,
    Compare,
    Const,
    Expr,
    Has,
    Load,
    Not,
    OneOf,
    Or,
    Path,
    Present,
    Quantify,
    Size,
    TextIs,
    Within,
    read_by,
    spelled,
)
from tillgate.guards.solver import Number, Truth, added, all_of, any_of, chosen, compared, divided, equivalent, negated
from tillgate.guards.unknowns import TEXTS, Fact, Unknown, Unknowns

Some = TypeVar("Some", bound=Unknown)
Used: TypeAlias = frozenset[Unknown]
"""The unknowns a term is made of."""


@dataclass(slots=True)
class Encoder:
    """Conditions as terms for one call under one policy.

    A second call or policy has an encoder of its own: `own` are the facts it does not share with `base`, and only
    conditions that read one of them are written anew, with `tag` on the names.
    """

    unknowns: Unknowns
    tag: str = ""
    own: tuple[Path, ...] = ()
    base: "Encoder | None" = None
    _done: dict[tuple[int, str], tuple[Expr, Truth, Used]] = field(
        default_factory=dict[tuple[int, str], tuple[Expr, Truth, Used]]
    )
    _reads: dict[int, tuple[Expr, frozenset[Path]]] = field(default_factory=dict[int, tuple[Expr, frozenset[Path]]])

    def condition(self, expr: Expr, surface: ToolSurface) -> tuple[Truth, Used]:
        """The term of a condition of this tool, and the unknowns in it."""
        read = self.reads(expr)
        if self.base is not None and not any(map(self.owns, read)):
            return self.base.condition(expr, surface)
        # What is optional among the arguments differs by tool; everything else is in the expression.
        key = id(expr), surface.name if any(path[0] == "args" for path in read) else ""
        if key not in self._done:
            writer = Writer(self, surface)
            # The expression is kept, so that no other can come to have its id.
            self._done[key] = expr, writer.truth(expr), frozenset(writer.used)
        return self._done[key][1:]

    def reads(self, expr: Expr) -> frozenset[Path]:
        """The facts and groups a condition speaks of."""
        if id(expr) not in self._reads:
            self._reads[id(expr)] = expr, read_by(expr)
        return self._reads[id(expr)][1]

    def owns(self, path: Path) -> bool:
        """Whether a fact is this call's alone."""
        return any(path[: len(prefix)] == prefix for prefix in self.own)

    def tag_of(self, path: Path) -> str:
        """What the names of a fact's unknowns end in here."""
        return self.tag if self.base is None or self.owns(path) else self.base.tag_of(path)


@dataclass(slots=True)
class Writer:
    """Writes terms for one tool and remembers which unknowns they are made of."""

    encoder: Encoder
    surface: ToolSurface
    used: set[Unknown] = field(default_factory=set[Unknown])

    def truth(self, expr: Expr) -> Truth:
        """A condition, or a part of one that is true or false."""
        match expr:
            case Const(value=value):
                return value is True
            case Load(path=path):
                return self._use(self._all.flag(path, self.encoder.tag_of(path))).term
            case Has(path=path):
                return self.known(path)
            case Present(group=group):
                return self.present(group)
            case Not(item=item):
                return negated(self.truth(item))
            case And(items=items):
                return all_of([self.truth(item) for item in items])
            case Or(items=items):
                return any_of([self.truth(item) for item in items])
            case Choose():
                test = self.truth(expr.test)
                return any_of([all_of([test, self.truth(expr.then)]), all_of([negated(test), self.truth(expr.other)])])
            case Compare():
                return self._compare(expr)
            case OneOf(item=item, items=items):
                return any_of([self._equal(item, each) for each in items])
            case Within(item=item, over=over):
                return self._member(over, item.value) if isinstance(item, Const) else self._opaque(expr)
            case TextIs():
                return self._text(expr)
            case Quantify():
                return self._quantify(expr)
            case Arith() | Size():
                raise TypeError("a number is neither true nor false")

    def number(self, expr: Expr) -> Number:
        """A number, or a text by its number."""
        match expr:
            case Const(value=value):
                return self._all.code(value) if isinstance(value, str) else int(value)
            case Load(path=path, type=fact):
                return self.fact(path, fact).term
            case Choose(test=test, then=then, other=other):
                return chosen(self.truth(test), self.number(then), self.number(other))
            case Arith():
                return self._arith(expr)
            case Size(item=item):
                return self._size(item)
            case _:
                raise TypeError("a truth is not a number")

    def fact(self, path: Path, fact: FactType) -> Fact:
        """The unknown of a number or a text."""
        found = self._all.fact(path, fact, self.encoder.tag_of(path))
        self._use(found)
        return found

    def known(self, path: Path) -> Truth:
        """Whether a fact is known: its group is there and, where it is optional, so is it."""
        fact = self._declared(path)
        here = self.present(path[0])
        if fact is not None and not fact.optional:
            return here
        return all_of([here, self._use(self._all.there(path, self.encoder.tag_of(path))).term])

    def present(self, group: str) -> Truth:
        """Whether a group is there."""
        if CATALOGUE[group].availability == "always" or group in self.surface.always:
            return True
        return self._use(self._all.there((group,), self.encoder.tag_of((group,)))).term

    @property
    def _all(self) -> Unknowns:
        return self.encoder.unknowns

    def _use(self, unknown: Some) -> Some:
        self.used.add(unknown)
        return unknown

    def _declared(self, path: Path) -> FactType | None:
        fields: Mapping[str, FactType] = CATALOGUE[path[0]].facts
        if path[0] == "args":
            fields = self.surface.args.fields
        found: FactType | None = None
        for name in path[1:]:
            found = fields.get(name)
            if found is not None:
                fields = found.fields
        return found

    def _compare(self, expr: Compare) -> Truth:
        left, right = expr.left, expr.right
        if expr.op in ("==", "!="):
            equal = self._equal(left, right)
            return equal if expr.op == "==" else negated(equal)
        return compared(expr.op, self.number(left), self.number(right))

    def _equal(self, left: Expr, right: Expr) -> Truth:
        if left.type.kind is Kind.BOOL:
            return equivalent(self.truth(left), self.truth(right))
        if left.type.kind in TEXTS:
            self._note(left, right)
            self._note(right, left)
        return compared("==", self.number(left), self.number(right))

    def _note(self, fact: Expr, text: Expr) -> None:
        """A text that was written for this fact: what conditions ask of the text itself is known for it."""
        if isinstance(fact, Load) and isinstance(text, Const):
            written = str(text.value)
            self.fact(fact.path, fact.type).written[written] = self._all.code(written)

    def _arith(self, expr: Arith) -> Number:
        left = self.number(expr.left)
        if expr.op in ("+", "-"):
            return added(left, self.number(expr.right), 1 if expr.op == "+" else -1)
        if not isinstance(expr.right, Const):
            raise TypeError(f"`{expr.op}` takes a number that is written in the policy")
        by = int(expr.right.value)
        if expr.op == "*":
            return added(0, left, by)
        quotient = divided(left, by)
        return quotient if expr.op == "/" else added(left, quotient, -by)

    def _size(self, item: Expr) -> Number:
        if isinstance(item, Const):
            return len(str(item.value))
        if not isinstance(item, Load):
            return self._all.fact((f"size of {spelled(item)}",), Size(item, item.type, item.span).type).term
        if item.type.element is not None:
            listed = self._all.listed(item.path, item.type.element)
            self._use(listed)
            return self._all.length(listed)
        return self._all.length(self.fact(item.path, item.type))

    def _text(self, expr: TextIs) -> Truth:
        match expr:
            case TextIs(text=Load(path=path, type=fact), part=Const(value=part)):
                return self._all.test(self.fact(path, fact), expr.op, str(part))
            case _:
                return self._opaque(expr)

    def _member(self, over: Load, value: int | str) -> Truth:
        if over.type.element is None:
            raise TypeError("only a list has members")
        listed = self._all.listed(over.path, over.type.element)
        self._use(listed)
        return self._all.member(listed, value)

    def _quantify(self, expr: Quantify) -> Truth:
        match expr:
            case Quantify(
                kind="exists", body=Compare(op="==", left=Load(bound=True, path=(_,)), right=Const(value=value))
            ):
                return self._member(expr.over, value)
            case Quantify(
                kind="all", body=Compare(op="!=", left=Load(bound=True, path=(_,)), right=Const(value=value))
            ):
                return negated(self._member(expr.over, value))
            case _:
                return self._opaque(expr)

    def _opaque(self, expr: Expr) -> Truth:
        tagged = "" if self.encoder.base is None else self.encoder.tag
        found = self._all.opaque(spelled(expr) + tagged)
        self._use(found)
        return found.term
