"""Cumulative budgets: what an account has used, this call included, and which budgets that would exceed.

The look at the account and the booking of this call happen in one exclusive transaction, so room that is there when
the call is decided cannot be taken by another.
"""

from collections.abc import Mapping
from datetime import timedelta
from json import JSONEncoder

from msgspec import Struct

from tillgate.guards.desk import Desk, Entry
from tillgate.guards.model import Facts, Json, at
from tillgate.guards.policy.types import Budget, Policy


class Limits(Struct, frozen=True):
    """`usage` are the facts, reservations and this call included; `entries` what to book if the call acts or waits."""

    usage: Mapping[str, Mapping[str, Json]]
    exceeded: tuple[Budget, ...]
    entries: tuple[Entry, ...]


_WRITER = JSONEncoder(separators=(",", ":"))
_NONE = Limits({}, (), ())


def limit(desk: Desk, policy: Policy, tool: str, facts: Facts, *, counts: bool, besides: str | None) -> Limits:
    """Judge every budget of the tool. `counts` is False for a plan that changes nothing; `besides` is the request
    whose own reservation must not count against itself.
    """
    budgets = policy.budgets_for(tool)
    if not budgets:
        return _NONE
    usage: dict[str, Mapping[str, Json]] = {}
    exceeded: list[Budget] = []
    entries: list[Entry] = []
    for budget in budgets:
        amount, count = (int(facts["impact"]["amount"]), 1) if counts else (0, 0)
        whose = account(budget, facts)
        since = desk.now - timedelta(seconds=budget.window_seconds)
        spent = desk.spent(budget.id, whose, since, besides=besides)
        total, times = spent.amount + amount, spent.count + count
        usage[budget.id] = {"amount": total, "count": times, "left": left(budget, total, times)}
        if counts and over(budget, total, times):
            exceeded.append(budget)
        entries.append(Entry(budget.id, whose, amount))
    return Limits(usage, tuple(exceeded), tuple(entries) if counts else ())


def over(budget: Budget, amount: int, count: int) -> bool:
    """Whether a use of this size is more than the budget holds."""
    return (budget.limit_amount is not None and amount > budget.limit_amount) or (
        budget.limit_count is not None and count > budget.limit_count
    )


def left(budget: Budget, amount: int, count: int) -> int:
    """Room after this use: minor units, or calls where the budget only counts."""
    if budget.limit_amount is not None:
        return max(0, budget.limit_amount - amount)
    return max(0, (budget.limit_count or 0) - count)


def account(budget: Budget, facts: Facts) -> str:
    """Whose budget this is. Callers without the fact it is kept by share one account: leaving it out frees nothing."""
    return _WRITER.encode([at(facts, path) for path in budget.per])
