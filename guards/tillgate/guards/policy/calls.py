"""The functions and macros of the policy language: each says what it takes, what it yields and what it proves."""

import re
from datetime import datetime
from typing import Literal, Protocol, cast

from tillgate.guards.facts import CATALOGUE, MAX_ITEMS, FactType, Kind, integer
from tillgate.guards.policy.diagnostics import did_you_mean
from tillgate.guards.policy.expression import (
    Const,
    Expr,
    Has,
    Load,
    Quantifier,
    Quantify,
    Size,
    Span,
    TextIs,
    TextTest,
)
from tillgate.guards.policy.scope import LISTS, Judged, Known, Problem, Resolved, Scope, resolve, unguarded
from tillgate.guards.policy.syntax import QUANTIFIERS, Call, Literal_, Name, Select, Syntax, path_of
from tillgate.guards.policy.terms import LEVELS


class Checker(Protocol):
    """What the functions need of the checker that calls them."""

    scope: Scope
    variables: dict[str, FactType]

    def report(self, problem: Problem) -> None:
        """Record a finding and go on."""
        ...

    def error(self, code: str, message: str, span: Span, hint: str | None = None) -> Judged:
        """Record an error."""
        ...

    def truth(self, node: Syntax, known: Known) -> Judged:
        """A part that must be true or false."""
        ...

    def value(self, node: Syntax, known: Known) -> Expr | None:
        """A part of any type."""
        ...


MAX_QUANTIFIERS = 2
"""Quantifiers inside quantifiers; with `MAX_ITEMS` this bounds what one condition can cost."""

_TESTS = ("startsWith", "endsWith", "contains")
_FUNCTIONS = ("has", "size", "money", "timestamp", "duration")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[-+][0-9]{2}:[0-9]{2})")
_DURATION = re.compile(r"(-?)(?=[0-9])(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_MONEY = re.compile(r"([^ ]*)(?: ([A-Z]{3}))?")
_TEN_THOUSAND_YEARS = 315_576_000_000


def check_call(checker: Checker, node: Call, known: Known) -> Judged:
    """The checked form of a call."""
    if node.target is None:
        return _function(checker, node, known)
    if node.name in QUANTIFIERS:
        return _judged(_quantifier(checker, node, known))
    if node.name in _TESTS:
        return _judged(_text_test(checker, node, known))
    if node.name == "size" and not node.arguments:
        return _judged(_size(checker, node, known))
    hint = did_you_mean(node.name, (*_TESTS, *QUANTIFIERS, "size"))
    if node.name == "matches":
        hint = "patterns are left out on purpose: use startsWith, endsWith, contains or `in`"
    return checker.error("P019", f"`.{node.name}()` is not part of the policy language", node.name_span, hint)


def _function(checker: Checker, node: Call, known: Known) -> Judged:
    if node.name not in _FUNCTIONS:
        hint = did_you_mean(node.name, _FUNCTIONS)
        if node.name in (*_TESTS, *QUANTIFIERS):
            hint = f"write it after the value: x.{node.name}(…)"
        return checker.error("P019", f"`{node.name}()` is not part of the policy language", node.name_span, hint)
    if len(node.arguments) != 1:
        return checker.error("P017", f"`{node.name}()` takes one argument", node.span)
    if node.name == "has":
        return _has(checker, node, known)
    return _judged(_size(checker, node, known) if node.name == "size" else _literal(checker, node))


def _judged(expr: Expr | None) -> Judged:
    return Judged(expr)


def _has(checker: Checker, node: Call, known: Known) -> Judged:
    argument = node.arguments[0]
    path = path_of(argument)
    if path is None or not path[1]:
        hint = (
            "a group is guarded by its `present`" if isinstance(argument, Name) and argument.name in CATALOGUE else None
        )
        return checker.error("P017", "`has()` takes a fact, like has(order.delivered_days)", argument.span, hint)
    found = resolve(checker.scope, checker.variables, *path, checker.report)
    if found is None:
        return Judged(None)
    if found.presence:
        hint = f"write {found.path[0]}.present"
        return checker.error("P017", "`present` is always known", argument.span, hint)
    # The group and the fact itself are what is asked; anything optional in between must be known already.
    asked = {found.path, found.path[:1]}
    outer = Resolved(found.path, found.type, found.bound, tuple(d for d in found.doubts if d not in asked))
    problem = unguarded(checker.scope, outer, known, argument.span)
    if problem:
        checker.report(problem)
        return Judged(None)
    return Judged(Has(found.path, found.bound, node.span), yes=frozenset(found.doubts))


def _size(checker: Checker, node: Call, known: Known) -> Expr | None:
    of = node.target or node.arguments[0]
    item = checker.value(of, known)
    if item is None:
        return None
    if item.type.kind not in (Kind.LIST, Kind.STRING, Kind.ENUM):
        checker.error("P017", f"a {item.type.kind} has no size", of.span)
        return None
    return Size(item, integer(lo=0, hi=MAX_ITEMS if item.type.kind is Kind.LIST else None), node.span)


def _text_test(checker: Checker, node: Call, known: Known) -> Expr | None:
    if len(node.arguments) != 1 or node.target is None:
        checker.error("P017", f"`.{node.name}()` takes one argument", node.span)
        return None
    text, part = checker.value(node.target, known), checker.value(node.arguments[0], known)
    if text is None or part is None:
        return None
    for side in (text, part):
        if side.type.kind not in (Kind.STRING, Kind.ENUM):
            hint = "use `x in list`" if side is text and side.type.kind is Kind.LIST else None
            checker.error("P017", f"`.{node.name}()` is for text, not for a {side.type.kind}", side.span, hint)
            return None
    return TextIs(cast(TextTest, node.name), text, part, node.span)


def _quantifier(checker: Checker, node: Call, known: Known) -> Expr | None:
    over = checker.value(cast("Select", node.target), known)
    if len(node.arguments) != 2 or not isinstance(node.arguments[0], Name):
        checker.error("P017", f"write list.{node.name}(x, condition)", node.span)
        return None
    variable, body = node.arguments
    name = cast(Name, variable).name
    if not _free(checker, name, variable.span) or over is None:
        return None
    if not isinstance(over, Load) or over.type.element is None:
        checker.error("P017", f"`.{node.name}()` needs a list, not a {over.type.kind}", over.span)
        return None
    if len(checker.variables) >= MAX_QUANTIFIERS:
        checker.error("P021", f"at most {MAX_QUANTIFIERS} quantifiers inside each other", node.name_span)
        return None
    checker.variables[name] = over.type.element
    inner = checker.truth(body, known).expr
    del checker.variables[name]
    return Quantify(cast(Quantifier, node.name), name, over, inner, node.span) if inner else None


def _free(checker: Checker, name: str, span: Span) -> bool:
    scope = checker.scope
    taken = name in (*checker.variables, *CATALOGUE, *LEVELS, *scope.named, LISTS, "now")
    if taken:
        checker.error("P017", f"`{name}` already means something else", span, "choose another name")
    return not taken


def _literal(checker: Checker, node: Call) -> Expr | None:
    argument = node.arguments[0]
    if not isinstance(argument, Literal_) or not isinstance(argument.value, str):
        examples = {"money": "'25.00'", "timestamp": "'2026-01-31T00:00:00Z'", "duration": "'24h'"}
        message = f"`{node.name}()` takes a text written in the policy"
        checker.error("P023", message, argument.span, f"write {node.name}({examples[node.name]})")
        return None
    try:
        if node.name == "money":
            return _constant(_money(checker, argument.value), Kind.MONEY, node.span)
        if node.name == "timestamp":
            return _constant(_epoch(argument.value), Kind.TIMESTAMP, node.span)
        return _constant(_seconds(argument.value), Kind.DURATION, node.span)
    except ValueError as error:
        checker.error("P023", str(error), argument.span)
        return None


def _constant(value: int, kind: Literal[Kind.MONEY, Kind.TIMESTAMP, Kind.DURATION], span: Span) -> Const:
    return Const(value, FactType(kind, lo=value, hi=value), span)


def _money(checker: Checker, text: str) -> int:
    currency = checker.scope.currency
    match = _MONEY.fullmatch(text)
    if match is None:
        return currency.parse(text)
    if match.group(2) not in (None, currency.code):
        raise ValueError(f"this policy is in {currency.code}, not {match.group(2)}")
    return currency.parse(match.group(1))


def _epoch(text: str) -> int:
    """Epoch seconds of an RFC 3339 time with whole seconds."""
    example = f"{text!r} is not a time; write it like '2026-01-31T00:00:00Z'"
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError(example)
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError as error:
        raise ValueError(example) from error


def _seconds(text: str) -> int:
    """Seconds of a CEL duration; CEL knows no days."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write hours, minutes or seconds, like '24h' or '1h30m'")
    sign, *numbers = match.groups()
    hours, minutes, seconds = (int(number or 0) for number in numbers)
    total = hours * 3600 + minutes * 60 + seconds
    if total > _TEN_THOUSAND_YEARS:
        raise ValueError(f"{text!r} is longer than CEL's longest duration")
    return -total if sign else total
