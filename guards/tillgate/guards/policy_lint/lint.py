"""What is sound and yet surely not meant: rules that never apply or never matter, tools nothing permits, thresholds
that do not meet, words that say another number, and what is left over.

The rule it keeps: a warning is certain. What `regions` cannot decide is not warned of.
"""

from collections.abc import Sequence
from datetime import datetime

from tillgate.guards.facts import ToolSurface
from tillgate.guards.money import currency
from tillgate.guards.policy.diagnostics import Diagnostic, in_order
from tillgate.guards.policy.expression import Const
from tillgate.guards.policy.types import Policy, Rule
from tillgate.guards.policy_lint.bands import Unmet, thresholds
from tillgate.guards.policy_lint.families import missing
from tillgate.guards.policy_lint.idle import Idle, closed, idle
from tillgate.guards.policy_lint.sayings import contradicted
from tillgate.guards.policy_lint.seeing import Sight, sights
from tillgate.guards.policy_lint.upkeep import upkeep
from tillgate.guards.policy_lint.warnings import Warnings


def lint(policy: Policy, text: str, tools: Sequence[ToolSurface], now: datetime) -> tuple[Diagnostic, ...]:
    """Warnings about a policy that loaded from `text`, in order of place; `tools` are those on offer.

    `now` says which end dates are past.
    """
    warn, seen = Warnings(policy, text), sights(policy, tools)
    seconds = int(now.timestamp())
    resting = [each for each in idle(policy, seen) if each.rule.ends is None or each.rule.ends > seconds]
    told = {each.rule.id for each in resting}
    for each in resting:
        _idle(each, warn)
    _tools(policy, tools, seen, told, warn)
    _bands(policy, seen, told, warn)
    _sayings(policy, warn)
    _families(policy, tools, told, warn)
    upkeep(policy, tools, seen, seconds, warn)
    return in_order(warn.found)


def _idle(found: Idle, warn: Warnings) -> None:
    rule, by = found.rule, " and ".join(f"`{name}`" for name in found.by)
    several = len(found.by) > 1
    code, message = {
        "never": ("P110", "never applies: its condition cannot be true"),
        "denied": ("P111", f"never matters: {by} {'deny' if several else 'denies'} whatever it applies to"),
        "said": ("P112", f"is redundant: {by} already {'say' if several else 'says'} so wherever it applies"),
        "unpermitted": ("P118", "never asks for anything: nothing permits what it applies to"),
        "met": ("P118", "never asks for anything: every permitted call it applies to shows it already"),
    }[found.why]
    warn.rule(
        code, rule, f"rule `{rule.id}` {message}", "take it out, or mend its condition or theirs" if by else _MEND
    )


def _tools(policy: Policy, tools: Sequence[ToolSurface], seen: Sequence[Sight], told: set[str], warn: Warnings) -> None:
    """Tools that nothing permits, unless a rule denies them outright and so says that this is meant."""
    meant = {tool for tool, laid in policy.by_tool.items() if any(map(_outright, laid.rules))}
    shut = [tool.name for tool in tools if tool.name not in meant and not policy.may_permit(tool.name)]
    for tool in shut:
        if tool in policy.by_tool:
            rule = policy.by_tool[tool].rules[0]
            warn.rule("P113", rule, f"nothing permits `{tool}`, so every call of it is denied", _PERMIT)
        elif any(view.tool == tool for view in policy.views):
            warn.part(
                "P113", "view", tool, f"nothing permits `{tool}`, which has a view here: every call is denied", _PERMIT
            )
    for sight, rule, by in closed(seen):
        names = " and ".join(f"`{name}`" for name in by)
        if sight.tool.name not in meant and rule.id not in told and by:
            message = f"every call of `{sight.tool.name}` is denied: {names} leave nothing of what is permitted"
            warn.rule("P113", rule, message, _PERMIT)
    viewed = {view.tool for view in policy.views}
    unnamed = [tool for tool in shut if tool not in policy.by_tool and tool not in viewed]
    if unnamed:
        count = f"{len(unnamed)} of {len(tools)} tools"
        message = f"no rule names {count}, so every call of them is denied: {', '.join(unnamed)}"
        warn.part("P117", "", "rules", message, "a rule that denies them outright says that this is meant")


_MEND = "take it out, or mend its condition"
_PERMIT = "permit it, or deny it outright if that is meant"


def _outright(rule: Rule) -> bool:
    always = all(isinstance(when, Const) for when in rule.when.by_tool.values())
    return always and rule.kind == "deny" and rule.mode == "enforce"


def _bands(policy: Policy, seen: Sequence[Sight], told: set[str], warn: Warnings) -> None:
    """Each pair of rules once, for the first tool it is found for."""
    pairs: dict[tuple[str, str, str], Unmet] = {}
    for found in (each for sight in seen for each in thresholds(sight)):
        if not {found.lower.id, found.upper.id} & told:
            pairs.setdefault((found.kind, found.lower.id, found.upper.id), found)
    money = currency(policy.currency)
    for each in pairs.values():
        lower, upper, where = f"`{each.lower.id}`", f"`{each.upper.id}`", each.words(money)
        if each.kind == "hole":
            message = f"for `{each.tool}` neither {lower} nor {upper} applies where {where}"
        else:
            message = f"for `{each.tool}` both {lower} and {upper} apply where {where}"
        hint = f"let the thresholds meet, if no {each.kind} is meant"
        warn.rule("P115" if each.kind == "hole" else "P116", each.upper, message, hint)


def _sayings(policy: Policy, warn: Warnings) -> None:
    """Words that describe a condition: of factors and denials whole, of other rules the money in them."""
    money = currency(policy.currency)
    for factor in policy.factors:
        if found := contradicted(factor.contribution.because, factor.when, money):
            message = f"factor `{factor.id}` says {found[0]}, and its condition {found[1]}"
            warn.part("P124", "factor", factor.id, message, "say the same in both")
    for rule in policy.rules:
        found = contradicted(rule.reason.message, rule.when, money, times=rule.kind == "deny")
        if found:
            message = f"the message of `{rule.id}` says {found[0]}, and its condition {found[1]}"
            warn.rule("P124", rule, message, "say the same in both")


def _families(policy: Policy, tools: Sequence[ToolSurface], told: set[str], warn: Warnings) -> None:
    for each in (found for found in missing(policy, tools) if found.of.id not in told):
        others = ", ".join(f"`{name}`" for name in each.beside)
        message = f"`{each.of.id}` names {others} and not `{each.tool}`, which stands beside them elsewhere"
        hint = "name it too, or give it a rule of its own"
        if isinstance(each.of, Rule):
            warn.rule("P125", each.of, message, hint)
        else:
            warn.part("P125", "budget", each.of.id, message, hint)
