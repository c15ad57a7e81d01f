"""Tools that are named together again and again, and a rule or budget that names all of them but one.

The rule it keeps: one list is no evidence, and a list that is there twice is meant. What is told lacks a single tool of
a family, which is permitted, could have been named, and has nothing of that kind to itself.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tillgate.guards.facts import ToolSurface
from tillgate.guards.policy.expression import Const, Expr, read_by
from tillgate.guards.policy.types import Budget, Policy, Rule

Tools: TypeAlias = frozenset[str]
_SMALLEST = 3
"""Two tools that are named together are no family."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A tool that a rule or budget does not name, beside the others of its family that it does."""

    of: Rule | Budget
    tool: str
    beside: tuple[str, ...]


def missing(policy: Policy, tools: Sequence[ToolSurface]) -> Iterator[Missing]:
    """Each list that lacks one tool of a family."""
    lists = Counter([rule.tools for rule in policy.rules] + [budget.tools for budget in policy.budgets])
    kinds = Counter((rule.tools, rule.kind) for rule in policy.rules)
    known = {tool.name: tool for tool in tools}
    listed: tuple[Rule | Budget, ...] = (*policy.rules, *policy.budgets)
    for each in listed:
        least = 2 if isinstance(each, Budget) else _SMALLEST
        if len(each.tools) >= least and lists[each.tools] > 1:
            continue  # it is a family of its own
        if isinstance(each, Rule) and (not each.restricts or kinds[each.tools, each.kind] > 1):
            continue
        if isinstance(each, Rule) and kinds[each.tools, "permit"] > 0:
            continue
        for tool, family in _lacks(each, policy, lists):
            if policy.may_permit(tool) and not _has_its_own(each, tool, policy, known):
                yield Missing(each, tool, tuple(sorted(family - {tool})))
                break


def _lacks(each: Rule | Budget, policy: Policy, lists: Mapping[Tools, int]) -> Iterator[tuple[str, Tools]]:
    families = [named for named, times in lists.items() if times > 1]
    families += [budget.tools for budget in policy.budgets if budget.limit_amount is not None]
    families += [claim.tools for claim in policy.invariants]
    for family in dict.fromkeys(families):
        rest = family - each.tools
        if len(family) >= _SMALLEST and len(rest) == 1:
            yield next(iter(rest)), family


def _has_its_own(each: Rule | Budget, tool: str, policy: Policy, known: Mapping[str, ToolSurface]) -> bool:
    """Whether the tool has something of that kind to itself, or could not have been named."""
    if isinstance(each, Budget):
        return any(tool in other.tools and _counts_alike(each, other) for other in policy.budgets)
    if not _could_have(each, known[tool]):
        return True
    alike = [rule for rule in policy.rules if tool in rule.tools and rule.kind == each.kind and rule.mode == "enforce"]
    if each.kind == "deny":
        return any(rule.reason.code == each.reason.code for rule in alike)
    return any(not _always(each) or _always(rule) for rule in alike)


def _counts_alike(one: Budget, other: Budget) -> bool:
    return (one.limit_amount is None) == (other.limit_amount is None)


def _could_have(rule: Rule, tool: ToolSurface) -> bool:
    read = {path[0] for expr in rule.when.by_tool.values() for path in read_by(expr)}
    return "args" not in read and "usage" not in read and _groups(rule, read) <= tool.always | tool.maybe


def _groups(rule: Rule, read: set[str]) -> set[str]:
    return read & {"customer", "order", "method", "cart", "offer"}


def _always(rule: Rule) -> bool:
    conditions: list[Expr] = list(rule.when.by_tool.values())
    return all(isinstance(when, Const) for when in conditions)
