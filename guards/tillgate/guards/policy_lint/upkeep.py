"""What is left over in a policy: rules that are over or only watch, risk nobody asks for, queues nobody waits in, and
budgets nothing draws on.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Escalate, Requirement, Tier
from tillgate.guards.policy.expression import compared_with, read_by
from tillgate.guards.policy.types import Policy, RiskFactor, Rule
from tillgate.guards.policy_lint.seeing import Sight
from tillgate.guards.policy_lint.warnings import Warnings


def upkeep(policy: Policy, tools: Sequence[ToolSurface], found: Sequence[Sight], now: int, warn: Warnings) -> None:
    """Warn of all of it; `now` is in epoch seconds."""
    _over(policy, now, warn)
    _watching(policy, warn)
    _risk(policy, found, warn)
    _queues(policy, tools, warn)
    _budgets(policy, tools, warn)


def _over(policy: Policy, now: int, warn: Warnings) -> None:
    for rule in policy.rules:
        if rule.ends is not None and rule.ends <= now:
            hint = "take it out, or give it a later day"
            warn.rule("P114", rule, f"rule `{rule.id}` is over and applies to nothing any more", hint)


def _watching(policy: Policy, warn: Warnings) -> None:
    if policy.mode == "shadow":
        message = "the whole file only watches: it is recorded what it would do, and nothing is enforced"
        warn.part("P119", "", "mode", message, "`mode: enforce` makes it count")
        return
    for rule in policy.rules:
        if rule.mode == "shadow":
            message = f"rule `{rule.id}` only watches: it changes no answer"
            warn.rule("P119", rule, message, "take `mode: shadow` out to make it count")


def _risk(policy: Policy, found: Sequence[Sight], warn: Warnings) -> None:
    applying = frozenset[str]().union(*(sight.factors for sight in found))
    for factor in policy.factors:
        if factor.id not in applying:
            tools = {sight.tool.name for sight in found} & factor.tools
            why = "its condition cannot be true" if tools else "no rule names a tool it is for"
            warn.part(
                "P120", "factor", factor.id, f"factor `{factor.id}` never applies: {why}", "mend it, or take it out"
            )
        twin = next((each for each in policy.factors if _same(each, factor)), factor)
        if twin is not factor:
            message = f"factor `{factor.id}` asks the same as `{twin.id}`, so that counts twice"
            warn.part("P120", "factor", factor.id, message, "take one out, and give the other the points of both")
    if policy.tiers is None:
        return
    read = {path for rule in policy.rules for when in rule.when.by_tool.values() for path in read_by(when)}
    if not any(path[0] == "risk" for path in read):
        message = "no rule asks for `risk`, so it changes no answer"
        warn.part("P121", "", "risk", message, "reviewers are shown it all the same")
        return
    most = max((sight.most for sight in found), default=0)
    named = {Tier.MEDIUM, *named_tiers(policy.rules)}
    lost = [tier.name for tier in sorted(named) if tier > policy.tiers.of(most)]
    if lost:
        message = f"no call is ever {' or '.join(lost)}: all factors of a tool add up to {most} at most"
        warn.part("P121", "", "risk", message, "lower the tiers, or give the factors more points")


def _same(one: RiskFactor, other: RiskFactor) -> bool:
    return one.when.by_tool == other.when.by_tool


def named_tiers(rules: Iterable[Rule]) -> frozenset[Tier]:
    """The tiers that conditions compare with."""
    found = (compared_with(when, ("risk", "tier")) for rule in rules for when in rule.when.by_tool.values())
    return frozenset(Tier(int(value)) for values in found for value in values)


def _queues(policy: Policy, tools: Sequence[ToolSurface], warn: Warnings) -> None:
    waits = {escalate.queue: None for escalate in _escalations(policy)}
    if waits and not policy.queues:
        names = ", ".join(f"`{name}`" for name in waits)
        message = f"no queue is declared, so every reviewer may decide what waits in {names}"
        warn.part("P122", "", "rules", message, "say under `queues` who reviews")
    for name in policy.queues.keys() - waits.keys() - {tool.queue for tool in tools}:
        warn.part("P107", "queue", name, f"queue `{name}` is never used: nothing is escalated to it", "take it out")


def _escalations(policy: Policy) -> Iterator[Escalate]:
    demands: list[Requirement | str | None] = [rule.requirement for rule in policy.rules]
    demands += [budget.exceeded for budget in policy.budgets]
    yield from (demand for demand in demands if isinstance(demand, Escalate))


def _budgets(policy: Policy, tools: Sequence[ToolSurface], warn: Warnings) -> None:
    writing: Collection[str] = {tool.name for tool in tools if tool.effect == "write"}
    for budget in policy.budgets:
        if not any(tool in writing and policy.may_permit(tool) for tool in budget.tools):
            reads = not budget.tools & set(writing)
            why = "its tools only read" if reads else "nothing permits its tools"
            warn.part(
                "P123",
                "budget",
                budget.id,
                f"nothing ever draws on budget `{budget.id}`: {why}",
                "name the tools it is for",
            )
