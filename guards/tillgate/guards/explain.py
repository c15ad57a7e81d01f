"""Why a call ends as it does: the rules that fired or nearly did, with the value of every part of their conditions.

The rule it keeps: values are worked out by the interpreter in the order a decision needs them, so what `&&` and `||`
pass over is said to be not evaluated and never guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tillgate.guards.decide import decide, near_misses
from tillgate.guards.facts import FactType
from tillgate.guards.limits import left, over
from tillgate.guards.model import Decision, Facts, Json, Requirement, RiskAssessment
from tillgate.guards.money import Currency, currency
from tillgate.guards.policy.expression import And, Expr, Load, Not, Or, Quantify, parts
from tillgate.guards.policy.interpret import FactError, evaluate
from tillgate.guards.policy.types import Budget, Policy, Rule
from tillgate.guards.policy.wording import shown, words
from tillgate.guards.risk import assess

NOT_EVALUATED = "not evaluated"
State: TypeAlias = Literal["fired", "nearly"]


@dataclass(frozen=True, slots=True)
class Told:
    """A part of a condition in words, its value, the facts it was worked out from, and its own parts."""

    words: str
    value: str
    facts: tuple[str, ...] = ()
    parts: tuple["Told", ...] = ()


@dataclass(frozen=True, slots=True)
class RuleTold:
    """One rule that mattered."""

    rule: Rule
    state: State
    condition: Told


@dataclass(frozen=True, slots=True)
class Call:
    """A call to explain. `usage` holds what its budgets had with this call, as recorded; `counts` whether it draws.

    `amount` is the money it was recorded with: where a changed call moves more or less, its budgets follow.
    """

    tool: str
    facts: Facts
    usage: Mapping[str, Mapping[str, Any]]
    counts: bool
    amount: int
    requires: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A call decided, with what the decision was made from."""

    facts: Facts
    risk: RiskAssessment
    exceeded: tuple[Budget, ...]
    decision: Decision


def judge(policy: Policy, call: Call, facts: Facts | None = None) -> Judged:
    """Assess, limit and decide a call, with other facts where they are given. Never raises."""
    known: dict[str, Json] = dict(call.facts if facts is None else facts)
    risk = assess(policy, call.tool, known)
    more = known.get("impact", {}).get("amount", 0) - call.amount if call.counts else 0
    usage: dict[str, Json] = {}
    exceeded: list[Budget] = []
    for budget in policy.budgets_for(call.tool):
        held = call.usage.get(
            budget.id, {"amount": call.amount if call.counts else 0, "count": 1 if call.counts else 0}
        )
        amount, count = held["amount"] + more, held["count"]
        usage[budget.id] = {"amount": amount, "count": count, "left": left(budget, amount, count)}
        if call.counts and over(budget, amount, count):
            exceeded.append(budget)
    known |= {"risk": {"score": risk.score, "tier": risk.tier.name}, "usage": usage}
    return Judged(known, risk, tuple(exceeded), decide(policy, call.tool, known, exceeded, call.requires))


def rules_told(policy: Policy, call: Call, judged: Judged) -> tuple[RuleTold, ...]:
    """The rules that fired, in the order they are asked, then those that nearly did."""
    laid = policy.by_tool.get(call.tool)
    if laid is None:
        return ()
    fired = {hit.rule for hit in judged.decision.hits}
    near = set(near_misses(policy, call.tool, judged.facts)) - fired
    money = currency(policy.currency)

    def say(names: set[str], state: State) -> Iterator[RuleTold]:
        for rule in laid.rules:
            if rule.id in names:
                yield RuleTold(rule, state, told(rule.when.by_tool[call.tool], judged.facts, money))

    return (*say(fired, "fired"), *say(near, "nearly"))


def told(expr: Expr, facts: Facts, money: Currency) -> Told:
    """A condition with the value of every part, as far as a decision needs it."""
    match expr:
        case And(items=items) | Or(items=items):
            return _logic(expr, items, facts, money)
        case Not(item=And() | Or() | Not() as item):
            inner = told(item, facts, money)
            return Told(words(expr, money), _value(expr, facts, money), (), (inner,))
        case _:
            return Told(words(expr, money), _value(expr, facts, money), tuple(_read(expr, facts, money)))


def _logic(expr: And | Or, items: Sequence[Expr], facts: Facts, money: Currency) -> Told:
    ends = "false" if isinstance(expr, And) else "true"
    inner: list[Told] = []
    for item in items:
        done = bool(inner) and any(part.value == ends for part in inner)
        inner.append(Told(words(item, money), NOT_EVALUATED) if done else told(item, facts, money))
    return Told(words(expr, money), _value(expr, facts, money), (), tuple(inner))


def _value(expr: Expr, facts: Facts, money: Currency) -> str:
    try:
        return shown(evaluate(expr, facts), expr.type, money)
    except FactError as error:
        return f"cannot be evaluated: {error}"


def _read(expr: Expr, facts: Facts, money: Currency) -> Iterator[str]:
    """The facts a part was worked out from, each once; what a quantifier binds is not one."""
    seen: set[str] = set()
    for load in _loads(expr):
        name = ".".join(load.path)
        if name not in seen:
            seen.add(name)
            yield f"{name} = {_fact(load, load.type, facts, money)}"


def _loads(expr: Expr) -> Iterator[Load]:
    if isinstance(expr, Load) and not expr.bound:
        yield expr
    for part in (expr.over,) if isinstance(expr, Quantify) else parts(expr):
        yield from _loads(part)


def _fact(load: Load, fact: FactType, facts: Facts, money: Currency) -> str:
    try:
        return shown(evaluate(load, facts), fact, money)
    except FactError:
        return "missing"
