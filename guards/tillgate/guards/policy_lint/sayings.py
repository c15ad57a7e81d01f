"""Words that say another number than the condition they stand beside: "within 30 days" over `order.age_hours <= 30`.

The rule it keeps: numbers are compared only with numbers of one kind (times, amounts of money, percent), and one that
agrees, or is one step beside, is enough.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tillgate.guards.facts import FactType, Kind
from tillgate.guards.money import Currency
from tillgate.guards.policy.expression import Compare, Const, Expr, Load, OneOf, parts
from tillgate.guards.policy.types import Condition

Sort: TypeAlias = Literal["time", "money", "percent"]

_HOURS: Mapping[str, int] = {"h": 1, "hour": 1, "d": 24, "day": 24, "week": 7 * 24, "month": 30 * 24, "year": 365 * 24}
_TIME = re.compile(r"\b(\d+)[ -]?(h|hours?|d|days?|weeks?|months?|years?)\b", re.IGNORECASE)
_MONEY = re.compile(r"(?<![\w.,])([$€£¥])? ?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(?: ?([A-Z]{3})\b)?(?!\d|[.,]\d)")
_PERCENT = re.compile(r"\b(\d+) ?(?:%|percent\b)", re.IGNORECASE)
_IN_NAME = re.compile(r"_(\d+)d\b")


@dataclass(frozen=True, slots=True)
class Said:
    """A number in hours, minor units or percent, `step` the size of one of its own units, and its words."""

    sort: Sort
    value: int
    step: int
    words: str


def contradicted(text: str, condition: Condition, money: Currency, *, times: bool = True) -> tuple[str, str] | None:
    """What the words say and what the condition does, where no number of a kind agrees; None where nothing is wrong.

    Without `times` only money is looked at: what a message says of hours may be how long an answer takes.
    """
    asked = list(dict.fromkeys(each for expr in condition.by_tool.values() for each in _asked(expr, money)))
    sorts: tuple[Sort, ...] = ("time", "money", "percent") if times else ("money",)
    for sort in sorts:
        said = [each for each in _said(text, money) if each.sort == sort]
        compared = [each for each in asked if each.sort == sort]
        named = {int(days) * 24 for days in _IN_NAME.findall(condition.text)} if sort == "time" else set[int]()
        agree = any(abs(a.value - b.value) <= max(a.step, b.step) for a in said for b in compared)
        if said and compared and not agree and not any(each.value in named for each in said):
            return said[0].words, compared[0].words
    return None


def _said(text: str, money: Currency) -> Iterator[Said]:
    for found in _TIME.finditer(text):
        unit = found[2].lower()
        step = _HOURS[unit if len(unit) == 1 else unit.removesuffix("s")]
        yield Said("time", int(found[1]) * step, step, found[0])
    for found in _MONEY.finditer(text):
        symbol, whole, part, code = found.groups()
        if len(part or "") in (0, money.exponent) and (part or symbol or code == money.code):
            units = whole.replace(",", "") + (part or "0" * money.exponent)
            yield Said("money", int(units), 1, found[0].strip())
    for found in _PERCENT.finditer(text):
        yield Said("percent", int(found[1]), 1, found[0])


def _asked(expr: Expr, money: Currency) -> Iterator[Said]:
    """The constants that facts are compared with."""
    match expr:
        case (
            Compare(left=Load(type=fact), right=Const(value=value))
            | Compare(left=Const(value=value), right=Load(type=fact))
        ):
            yield from _constant(fact, int(value), money) if isinstance(value, int) else ()
        case OneOf():
            return
        case _:
            for part in parts(expr):
                yield from _asked(part, money)


def _constant(fact: FactType, value: int, money: Currency) -> Iterator[Said]:
    if fact.kind is Kind.MONEY:
        yield Said("money", value, 1, money.format(value))
    elif fact.unit in ("hours", "days"):
        step = 24 if fact.unit == "days" else 1
        yield Said("time", value * step, step, f"{value} {fact.unit}")
    elif fact.unit == "percent":
        yield Said("percent", value, 1, f"{value} %")
