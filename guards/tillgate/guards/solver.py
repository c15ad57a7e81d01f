"""The one narrow door to the solver: a few functions that make terms, and a search for values that make them true.

The rule it keeps: what the solver could not decide within its effort is said so (`Undecided`), never taken for an
answer. Nothing else imports z3; it comes with the extra `prove` and is loaded when the first term is made.
"""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, NewType, TypeAlias

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.policy.expression import Comparison

Term = NewType("Term", object)
"""A term of the solver. What is known already stays a plain `bool` or `int`, so that it costs nothing."""

Truth: TypeAlias = "bool | Term"
Number: TypeAlias = "int | Term"

EFFORT = 20_000_000
"""How much one search may cost, in the solver's own units: the same on every machine, seconds at the worst."""


class Undecided(Exception):
    """The solver gave up within its effort."""


@cache
def _z3() -> Any:
    try:
        return import_module("z3")
    except ImportError as error:
        raise ConfigurationError("proofs need the z3 solver: install tillgate[prove]") from error


def truth(name: str) -> Term:
    """An unknown that is true or false."""
    return Term(_z3().Bool(name))


def number(name: str) -> Term:
    """An unknown whole number."""
    return Term(_z3().Int(name))


def negated(item: Truth) -> Truth:
    """Not this."""
    if isinstance(item, bool):
        return not item
    term: Any = item
    return Term(_z3().BoolRef(_z3().Z3_mk_not(term.ctx_ref(), term.as_ast()), term.ctx))


def all_of(items: Iterable[Truth]) -> Truth:
    """Every one of these; true of none."""
    return _joined(items, neutral=True)


def any_of(items: Iterable[Truth]) -> Truth:
    """At least one of these; false of none."""
    return _joined(items, neutral=False)


def _joined(items: Iterable[Truth], *, neutral: bool) -> Truth:
    open_: list[Any] = []
    for item in items:
        if isinstance(item, bool):
            if item is not neutral:
                return item
        else:
            open_.append(item)
    if len(open_) < 2:
        return open_[0] if open_ else neutral
    # Made without the checks of the Python layer: they cost more than the search does.
    z3, first = _z3(), open_[0]
    items_ = (z3.Ast * len(open_))(*(each.as_ast() for each in open_))
    make = z3.Z3_mk_and if neutral else z3.Z3_mk_or
    return Term(z3.BoolRef(make(first.ctx_ref(), len(open_), items_), first.ctx))


def equivalent(left: Truth, right: Truth) -> Truth:
    """Both or neither."""
    if isinstance(left, bool):
        return right if left else negated(right)
    if isinstance(right, bool):
        return left if right else negated(left)
    a: Any = left
    return Term(a == right)


def chosen(test: Truth, then: Number, other: Number) -> Number:
    """One number or the other."""
    if isinstance(test, bool):
        return then if test else other
    if isinstance(then, int) and isinstance(other, int) and then == other:
        return then
    return Term(_z3().If(test, then, other))


def compared(op: Comparison, left: Number, right: Number) -> Truth:
    """Two numbers compared."""
    a: Any = left
    b: Any = right
    match op:
        case "==":
            found = a == b
        case "!=":
            found = a != b
        case "<":
            found = a < b
        case "<=":
            found = a <= b
        case ">":
            found = a > b
        case ">=":
            found = a >= b
    return found if isinstance(found, bool) else Term(found)


def added(left: Number, right: Number, times: int = 1) -> Number:
    """`left + right * times`."""
    a: Any = left
    b: Any = right
    if isinstance(right, int) and right * times == 0:
        return left
    if isinstance(left, int) and left == 0 and times == 1:
        return right
    found = a + (b if times == 1 else b * times)
    return found if isinstance(found, int) else Term(found)


def divided(item: Number, by: int) -> Number:
    """The quotient towards zero, as conditions mean it."""
    a: Any = item
    size = abs(by)
    if isinstance(item, int):
        quotient = abs(item) // size
        return quotient if (item < 0) == (by < 0) else -quotient
    # The solver's own division by a positive number rounds down.
    found = _z3().If(a >= 0, a / size, -((-a) / size))
    return Term(found if by > 0 else -found)


def weighed(items: Iterable[tuple[Truth, int]]) -> Number:
    """The sum of the weights of those that are true."""
    known = 0
    open_: list[Any] = []
    for item, weight in items:
        if isinstance(item, bool):
            known += weight if item else 0
        else:
            open_.append(_z3().If(item, weight, 0))
    return Term(_z3().Sum([*open_, known])) if open_ else known


class Answer:
    """Values that make everything required true; what they leave open, any value does."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._known: dict[int, Any] = {unknown().get_id(): model[unknown] for unknown in model.decls()}

    def truth(self, unknown: Truth) -> bool | None:
        """The value of an unknown that is true or false, None where any does."""
        if isinstance(unknown, bool):
            return unknown
        found = self._value(unknown)
        return None if found is None else _TRUTHS.get(_told(found))

    def number(self, unknown: Number) -> int | None:
        """The value of an unknown number, None where any does."""
        if isinstance(unknown, int):
            return unknown
        found = self._value(unknown)
        return None if found is None else int(found.as_long())

    def holds(self, item: Truth) -> bool:
        """Whether something is true; what the answer leaves open is taken as false or 0."""
        return item if isinstance(item, bool) else _TRUTHS.get(_told(self._model.eval(item, True))) is True

    def _value(self, unknown: Term) -> Any:
        term: Any = unknown
        return self._known.get(term.get_id())


def _told(found: Any) -> int:
    return int(_z3().Z3_get_bool_value(found.ctx_ref(), found.as_ast()))


_TRUTHS = {1: True, -1: False}
"""How the solver spells a known truth."""


class Search:
    """A growing set of requirements, and answers to them."""

    def __init__(self) -> None:
        self._solver: Any = _z3().SimpleSolver()
        self._solver.set("rlimit", EFFORT)

    def require(self, *items: Truth) -> None:
        """Nothing is an answer any more in which one of these is false."""
        self._solver.add(*items)

    @contextmanager
    def aside(self) -> Generator[None]:
        """What is required inside does not count afterwards."""
        self._solver.push()
        try:
            yield
        finally:
            self._solver.pop()

    def find(self, *items: Truth) -> Answer | None:
        """An answer in which these are true as well; None when there is certainly none. Raises Undecided."""
        with self.aside():
            return Answer(self._solver.model()) if self._satisfied(items) else None

    def possible(self, *items: Truth) -> bool:
        """Whether there is such an answer, without it. Raises Undecided."""
        with self.aside():
            return self._satisfied(items)

    def _satisfied(self, items: Iterable[Truth]) -> bool:
        known = [item for item in items if item is not True]
        if any(item is False for item in known):
            return False
        self.require(*known)
        found = self._solver.check()
        if found == _z3().unknown:
            raise Undecided(str(self._solver.reason_unknown()))
        return bool(found == _z3().sat)
