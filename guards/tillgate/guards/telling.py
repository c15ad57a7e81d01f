"""A call in words: what about it is not plain, each fact as people write it."""

from collections.abc import Iterator

from tillgate.guards.explain import Call
from tillgate.guards.facts import CATALOGUE, FactType, ToolSurface
from tillgate.guards.model import Json
from tillgate.guards.money import Currency
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.validate import as_object
from tillgate.guards.policy.wording import shown
from tillgate.guards.policy_test.plain import complete


def unusual(surface: ToolSurface, call: Call, money: Currency) -> tuple[str, ...]:
    """What sets a call apart from a plain one of its tool: `customer.tags [vip]`; the amount is said elsewhere."""
    plain = complete(surface, {}, None)
    return tuple(line for group, facts in call.facts.items() for line in _group(surface, group, facts, plain, money))


def held(policy: Policy, call: Call, money: Currency) -> Iterator[str]:
    """What budgets hold with this call, where it is not the call alone."""
    for budget in policy.budgets_for(call.tool):
        usage = call.usage.get(budget.id)
        alone = {"amount": call.amount if call.counts else 0, "count": 1 if call.counts else 0}
        if usage is not None and dict(usage) != alone:
            yield f"budget {budget.id} at {money.format(usage['amount'])} and {usage['count']} calls with this one"


def _group(surface: ToolSurface, group: str, facts: Json, plain: dict[str, Json], money: Currency) -> Iterator[str]:
    inner, usual = as_object(facts), as_object(plain.get(group, {})) or {}
    if inner is None or group in ("risk", "usage"):
        return
    here, there = inner.get("present", True), usual.get("present", True)
    if here is not there:
        yield f"{'with a' if here else 'no'} {group}"
    types = surface.args.fields if group == "args" else CATALOGUE[group].facts
    for name, value in inner.items() if here else ():
        if name != "present" and (group, name) not in _SAID and (not there or value != usual.get(name, ...)):
            yield f"{group}.{name} {_value(value, types[name], money)}"


_SAID = {("impact", "amount"), ("approval", "granted")}


def _value(value: Json, fact: FactType, money: Currency) -> str:
    return shown(value, fact, money) if value != "" else "''"
