"""Evaluates a checked condition by walking it: the slow second implementation, for explaining and for when in doubt.

It trusts no fact: a value of the wrong type raises `FactError` instead of comparing as something it is not.
"""

from collections.abc import Mapping
from typing import TypeAlias, cast

from tillgate.guards.facts import FactType, Kind
from tillgate.guards.model import Facts, Json
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
)
from tillgate.guards.policy.operators import divide, remainder
from tillgate.guards.policy.validate import valid

Bound: TypeAlias = Mapping[str, Json]
"""Values of quantifier variables."""

_NOTHING: Bound = {}


class FactError(Exception):
    """A fact a condition reads is missing or is not what the catalogue says."""


def holds(expr: Expr, facts: Facts) -> bool:
    """Whether a condition holds. Raises FactError."""
    return _truth(expr, facts, _NOTHING)


def evaluate(expr: Expr, facts: Facts, bound: Bound = _NOTHING) -> Json:
    """The value of any checked expression; ordered values are ranks. Raises FactError."""
    match expr:
        case Const(value=value):
            return value
        case Load():
            return _load(expr.path, expr.type, facts, bound if expr.bound else None)
        case Has() | Present() | Not() | And() | Or() | Quantify():
            return _logic(expr, facts, bound)
        case Choose():
            return evaluate(expr.then if _truth(expr.test, facts, bound) else expr.other, facts, bound)
        case Compare():
            return _compare(expr.op, evaluate(expr.left, facts, bound), evaluate(expr.right, facts, bound))
        case Arith():
            return _arith(expr.op, evaluate(expr.left, facts, bound), evaluate(expr.right, facts, bound))
        case OneOf():
            item = evaluate(expr.item, facts, bound)
            return any(item == evaluate(each, facts, bound) for each in expr.items)
        case Within():
            return evaluate(expr.item, facts, bound) in evaluate(expr.over, facts, bound)
        case TextIs():
            return _text(expr.op, evaluate(expr.text, facts, bound), evaluate(expr.part, facts, bound))
        case Size():
            return len(evaluate(expr.item, facts, bound))


def _logic(expr: Has | Present | Not | And | Or | Quantify, facts: Facts, bound: Bound) -> bool:
    match expr:
        case Has():
            return _has(expr, facts, bound)
        case Present():
            return _there(facts, expr.group)
        case Not():
            return not _truth(expr.item, facts, bound)
        case And():
            return all(_truth(item, facts, bound) for item in expr.items)
        case Or():
            return any(_truth(item, facts, bound) for item in expr.items)
        case Quantify():
            return _quantify(expr, facts, bound)


def _truth(expr: Expr, facts: Facts, bound: Bound) -> bool:
    value = evaluate(expr, facts, bound)
    if value is not True and value is not False:
        raise FactError("a condition is neither true nor false")
    return value is True


def _quantify(expr: Quantify, facts: Facts, bound: Bound) -> bool:
    items = evaluate(expr.over, facts, bound)
    outcomes = [_truth(expr.body, facts, {**bound, expr.variable: item}) for item in items]
    if expr.kind == "exists_one":
        return outcomes.count(True) == 1
    return any(outcomes) if expr.kind == "exists" else all(outcomes)


def _there(facts: Facts, group: str) -> bool:
    present = _member(_member(facts, group), "present")
    if present is not True and present is not False:
        raise FactError(f"{group}.present")
    return present is True


def _member(value: Json, name: str) -> Json:
    if not isinstance(value, Mapping) or name not in value:
        raise FactError(name)
    return cast("Mapping[str, Json]", value)[name]


def _absent(group: Json) -> bool:
    """Whether a group says it is not there; then nothing in it counts, whatever it holds."""
    return isinstance(group, Mapping) and cast("Mapping[str, Json]", group).get("present") is False


def _load(path: Path, fact: FactType, facts: Facts, bound: Bound | None) -> Json:
    value: Json = facts if bound is None else bound
    for depth, name in enumerate(path):
        value = _member(value, name)
        if depth == 0 and len(path) > 1 and bound is None and _absent(value):
            raise FactError(f"{name} is absent")
    if not valid(value, fact):
        raise FactError(".".join(path))
    return fact.values.index(value) if fact.kind is Kind.ORDERED else value


def _has(expr: Has, facts: Facts, bound: Bound) -> bool:
    value: Json = bound if expr.bound else facts
    for depth, name in enumerate(expr.path[:-1]):
        value = _member(value, name)
        if depth == 0 and not expr.bound and _absent(value):
            return False
    if not isinstance(value, Mapping):
        raise FactError(".".join(expr.path))
    return expr.path[-1] in value


def _compare(op: str, left: Json, right: Json) -> bool:
    match op:
        case "==":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def _arith(op: str, left: int, right: int) -> int:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return divide(left, right)
        case _:
            return remainder(left, right)


def _text(op: str, text: str, part: str) -> bool:
    if op == "startsWith":
        return text.startswith(part)
    return text.endswith(part) if op == "endsWith" else part in text
