"""The shape of a condition as written, before anything is known about its types. Positions are character offsets."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from tillgate.guards.policy.expression import Span


class Literal_(Struct, frozen=True):
    """A whole number, text or truth value."""

    value: int | str | bool
    span: Span


class Name(Struct, frozen=True):
    """A bare name: a group, a bound variable, or an ordered constant."""

    name: str
    span: Span


class Select(Struct, frozen=True):
    """`operand.member`."""

    operand: "Syntax"
    member: str
    member_span: Span
    span: Span


class Call(Struct, frozen=True):
    """`name(arguments)`, or `target.name(arguments)`."""

    name: str
    name_span: Span
    target: "Syntax | None"
    arguments: tuple["Syntax", ...]
    span: Span


class ListOf(Struct, frozen=True):
    """`[a, b]`."""

    items: tuple["Syntax", ...]
    span: Span


class Negation(Struct, frozen=True):
    """`!operand`."""

    operand: "Syntax"
    span: Span


class Binary(Struct, frozen=True):
    """An operator between two operands: arithmetic, a comparison or `in`."""

    op: str
    left: "Syntax"
    right: "Syntax"
    span: Span


class Logic(Struct, frozen=True):
    """`a && b && c` or `a || b || c`, flat: a long chain is not deep."""

    op: Literal["&&", "||"]
    items: tuple["Syntax", ...]
    span: Span


class Ternary(Struct, frozen=True):
    """`test ? then : other`."""

    test: "Syntax"
    then: "Syntax"
    other: "Syntax"
    span: Span


Syntax: TypeAlias = Literal_ | Name | Select | Call | ListOf | Negation | Binary | Logic | Ternary


def names_in(node: Syntax) -> frozenset[tuple[str, ...]]:
    """Every access path of a condition, up to two members deep: `("order",)`, `("usage", "weekly")`."""
    found: set[tuple[str, ...]] = set()
    _collect(node, frozenset(), found)
    return frozenset(found)


def children(node: Syntax) -> tuple[Syntax, ...]:
    """The parts of a node, left to right."""
    match node:
        case Select(operand=operand) | Negation(operand=operand):
            return (operand,)
        case Call(target=target, arguments=arguments):
            return arguments if target is None else (target, *arguments)
        case ListOf(items=items) | Logic(items=items):
            return items
        case Binary(left=left, right=right):
            return (left, right)
        case Ternary(test=test, then=then, other=other):
            return (test, then, other)
        case Literal_() | Name():
            return ()


def with_parts(node: Syntax, change: Callable[[Syntax], Syntax]) -> Syntax:
    """The same node with each of its parts changed."""
    match node:
        case Select(operand=operand) | Negation(operand=operand):
            return replace(node, operand=change(operand))
        case Call(target=target, arguments=arguments):
            return replace(node, target=change(target) if target else None, arguments=tuple(map(change, arguments)))
        case ListOf(items=items) | Logic(items=items):
            return replace(node, items=tuple(map(change, items)))
        case Binary(left=left, right=right):
            return replace(node, left=change(left), right=change(right))
        case Ternary(test=test, then=then, other=other):
            return replace(node, test=change(test), then=change(then), other=change(other))
        case Literal_() | Name():
            return node


def path_of(node: Syntax) -> tuple[Name, tuple[Select, ...]] | None:
    """The root name and the members of `a.b.c`, or None when the node is not a plain path."""
    members: list[Select] = []
    while isinstance(node, Select):
        members.append(node)
        node = node.operand
    return (node, tuple(reversed(members))) if isinstance(node, Name) else None


QUANTIFIERS = ("exists", "all", "exists_one")


def _collect(node: Syntax, bound: frozenset[str], found: set[tuple[str, ...]]) -> None:
    path = path_of(node)
    if path is not None:
        if path[0].name not in bound:
            found.add((path[0].name, *(member.member for member in path[1][:1])))
        return
    if isinstance(node, Call) and node.name in QUANTIFIERS and len(node.arguments) == 2 and node.target:
        variable, body = node.arguments
        _collect(node.target, bound, found)
        inner = bound | {variable.name} if isinstance(variable, Name) else bound
        _collect(body, inner, found)
        return
    for child in children(node):
        _collect(child, bound, found)
