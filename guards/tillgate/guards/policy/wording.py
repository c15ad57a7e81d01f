"""A checked condition and its values in the words a policy is written in."""

from datetime import UTC, datetime

from tillgate.guards.facts import FactType, Kind
from tillgate.guards.model import Json
from tillgate.guards.money import Currency
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
    Present,
    Quantify,
    Size,
    TextIs,
    Within,
)

_MOST_LISTED = 6


def words(expr: Expr, currency: Currency) -> str:
    """The condition as it could be written; lists that are long are cut."""

    def say(part: Expr) -> str:
        inner = words(part, currency)
        return f"({inner})" if isinstance(part, And | Or | Choose) else inner

    def operand(part: Expr) -> str:
        inner = words(part, currency)
        return inner if isinstance(part, Const | Load | Has | Present | Size | TextIs | Quantify) else f"({inner})"

    match expr:
        case Const(value=value, type=fact):
            return constant(value, fact, currency)
        case Load(path=path):
            return ".".join(path)
        case Has(path=path):
            return f"has({'.'.join(path)})"
        case Present(group=group):
            return f"{group}.present"
        case Not(item=item):
            return f"!{say(item)}" if isinstance(item, Load | Has | Present | Not) else f"!({words(item, currency)})"
        case And(items=items):
            return " && ".join(map(say, items))
        case Or(items=items):
            return " || ".join(map(say, items))
        case Choose(test=test, then=then, other=other):
            return f"{operand(test)} ? {operand(then)} : {operand(other)}"
        case Compare(op=op, left=left, right=right) | Arith(op=op, left=left, right=right):
            return f"{operand(left)} {op} {operand(right)}"
        case OneOf(item=item, items=items):
            more = ", …" if len(items) > _MOST_LISTED else ""
            return f"{operand(item)} in [{', '.join(map(say, items[:_MOST_LISTED]))}{more}]"
        case Within(item=item, over=over):
            return f"{operand(item)} in {say(over)}"
        case TextIs(op=op, text=text, part=part):
            return f"{operand(text)}.{op}({say(part)})"
        case Size(item=item):
            return f"size({say(item)})"
        case Quantify(kind=kind, variable=variable, over=over, body=body):
            return f"{say(over)}.{kind}({variable}, {words(body, currency)})"


def constant(value: int | str | bool, fact: FactType, currency: Currency) -> str:
    """A constant as it is written in a condition."""
    if fact.kind is Kind.MONEY and isinstance(value, int):
        return f"money('{currency.format(value)}')"
    if fact.kind is Kind.ORDERED and isinstance(value, int):
        return fact.values[value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if fact.kind is Kind.DURATION:
        return f"duration('{value}s')"
    if fact.kind is Kind.TIMESTAMP and isinstance(value, int):
        return f"timestamp('{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}')"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
        return f"'{escaped}'"
    return str(value)


def lasting(seconds: int) -> str:
    """A duration in the largest unit it is a whole number of, days from two on."""
    for size, unit, least in ((86_400, "d", 2), (3600, "h", 1), (60, "min", 1)):
        if seconds % size == 0 and seconds >= size * least:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def shown(value: Json, fact: FactType, currency: Currency) -> str:
    """The value of a fact, for people: money with its currency, levels by name."""
    if fact.kind is Kind.MONEY and type(value) is int:
        return f"{currency.format(value)} {currency.code}"
    if fact.kind is Kind.ORDERED and type(value) is int and 0 <= value < len(fact.values):
        return fact.values[value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        items: list[Json] = value  # pyright: ignore[reportUnknownVariableType]
        return f"[{', '.join(map(str, items[:_MOST_LISTED]))}]"
    return str(value)
