"""From an answer of the solver to a call, and from that to the plainest call that shows the same.

The rule it keeps: a call is changed only as far as it still shows what it is shown for, each change tried out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tillgate.guards.explain import Call
from tillgate.guards.facts import CATALOGUE, FactType, Kind, ToolSurface
from tillgate.guards.model import Facts, Json
from tillgate.guards.policy.expression import Expr, Path, compared_with
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.validate import as_object
from tillgate.guards.policy_test.plain import complete, plain
from tillgate.guards.solver import Answer
from tillgate.guards.unknowns import Fact, Flag, Listed, There
from tillgate.guards.verdicts import ACTS, Ends


def call_of(answer: Answer, ends: Ends) -> Call:
    """The call an answer describes; what it leaves open is plain."""
    groups: dict[str, dict[str, Json]] = {}
    usage: dict[str, dict[str, Any]] = {}
    acts = all(answer.truth(each.term) is True for each in ends.used if isinstance(each, Flag) and each.path == ACTS)
    texts = {code: text for text, code in ends.encoder.unknowns.codes.items()}
    for unknown in ends.used:
        if not isinstance(unknown, (Fact, Flag, Listed)) or unknown.path[0] not in CATALOGUE:
            continue
        value = _value(unknown, answer, texts)
        if value is None or unknown.path[0] == "risk":
            continue
        if unknown.path[0] == "usage":
            usage.setdefault(unknown.path[1], {})[unknown.path[2]] = value
        else:
            _put(groups, unknown.path, value)
    known = {each.path: answer.truth(each.term) is True for each in ends.used if isinstance(each, There)}
    return _call(ends.surface, groups, usage, known, acts=acts)


def _call(
    surface: ToolSurface,
    groups: dict[str, dict[str, Json]],
    usage: Mapping[str, Mapping[str, Any]],
    known: Mapping[Path, bool],
    *,
    acts: bool,
) -> Call:
    """`known` says which optional facts and groups are there."""
    for path, there in known.items():
        if there and len(path) == 1:
            groups.setdefault(path[0], {})
        elif there and (fact := _type(surface, path)) is not None:
            _put(groups, path, plain(fact), again=False)
    absent = {path[0] for path, there in known.items() if len(path) == 1 and not there}
    stated = {name: facts for name, facts in groups.items() if name not in absent}
    facts = complete(surface, {name: facts for name, facts in stated.items() if _has(surface, name)}, None)
    for name, stated_facts in stated.items():
        if name in facts and isinstance(facts[name], dict):
            facts[name] |= stated_facts
    for path, there in known.items():
        if not there and len(path) > 1:
            _drop(facts, path)
    counts = acts and surface.effect == "write"
    held = {name: {"amount": each.get("amount", 0), "count": each.get("count", 0)} for name, each in usage.items()}
    return Call(surface.name, facts, held, counts, facts["impact"]["amount"])


def _type(surface: ToolSurface, path: Path) -> FactType | None:
    found: FactType | None = None
    fields: Mapping[str, FactType] = surface.args.fields if path[0] == "args" else CATALOGUE[path[0]].facts
    for name in path[1:]:
        found = fields.get(name)
        fields = found.fields if found else {}
    return found


def _has(surface: ToolSurface, group: str) -> bool:
    return CATALOGUE[group].availability == "always" or group in surface.always | surface.maybe


def _value(unknown: Fact | Flag | Listed, answer: Answer, texts: Mapping[int, str]) -> Json | None:
    if isinstance(unknown, Flag):
        return answer.truth(unknown.term)
    if isinstance(unknown, Listed):
        members = [member for member, term in unknown.members.items() if answer.truth(term) is True]
        size = answer.number(unknown.size) if unknown.size is not None else None
        return members + _others(unknown.element, (size or 0) - len(members))
    number = answer.number(unknown.term)
    if number is None:
        return None
    if unknown.type.kind is Kind.ORDERED:
        return unknown.type.values[number]
    if unknown.type.kind in (Kind.STRING, Kind.ENUM):
        size = answer.number(unknown.size) if unknown.size is not None else None
        return texts.get(number, "another" if size is None else "x" * size)
    return number


def _others(element: FactType, missing: int) -> list[Json]:
    """Items nobody wrote a condition about, as many as a list lacks."""
    if element.kind is Kind.STRING:
        return [f"another {number + 1}" for number in range(missing)]
    return [plain(element) for _ in range(missing)]


def _put(groups: dict[str, dict[str, Json]], path: Path, value: Json, *, again: bool = True) -> None:
    """A fact at its path; one that is there is kept unless it is said `again`."""
    holder: dict[str, Json] = groups.setdefault(path[0], {})
    for name in path[1:-1]:
        holder = holder.setdefault(name, {})
    if again or path[-1] not in holder:
        holder[path[-1]] = value


def _drop(facts: dict[str, Json], path: Path) -> None:
    holder = facts
    for name in path[:-1]:
        holder = holder.get(name, {})
    holder.pop(path[-1], None)


def plainer(surface: ToolSurface, call: Call, shows: Callable[[Call], bool], amounts: Iterable[int] = ()) -> Call:
    """The same call with as many plain facts as it can have, and the least of the amounts, that still `shows`."""
    usual = complete(surface, {}, None)
    own = {"amount": call.amount, "count": 1} if call.counts else {"amount": 0, "count": 0}
    for _ in range(2):  # what has to stay at first may go once something else went
        for budget in call.usage:
            call = _if_shown(call, call.facts, {**call.usage, budget: own}, shows)
        for group, name in _plainly(usual, call.facts):
            call = _if_shown(call, _as_plain(call.facts, usual, group, name), call.usage, shows)
    for amount in sorted(each for each in set(amounts) if 0 <= each < call.amount):
        impact = {**call.facts["impact"], "amount": amount}
        less = _if_shown(call, {**call.facts, "impact": impact}, _moved(call, amount), shows)
        if less is not call:
            return less
    return call


def amounts_of(policy: Policy, tool: str, also: Iterable[Expr] = ()) -> Iterator[int]:
    """The amounts at which something may turn: every threshold of the tool, and the cent above it."""
    laid, factors = policy.by_tool.get(tool), policy.factors_by_tool.get(tool)
    conditions = [rule.when.by_tool[tool] for rule in laid.rules] if laid else []
    conditions += [each.when.by_tool[tool] for each in factors.factors] if factors else []
    values = [int(value) for when in (*conditions, *also) for value in compared_with(when, ("impact", "amount"))]
    values += [budget.limit_amount for budget in policy.budgets_for(tool) if budget.limit_amount is not None]
    for value in (0, *values):
        yield from (value, value + 1)


def _plainly(usual: Facts, facts: Facts) -> Iterator[tuple[str, str | None]]:
    """Each group that is not as in a plain call, then each fact of those."""
    groups = [group for group in facts if group in usual and facts[group] != usual[group] and group != "impact"]
    yield from ((group, None) for group in groups)
    for group in (*groups, "impact"):
        inner = as_object(facts[group])
        if inner is not None and as_object(usual[group]) is not None and group != "approval":
            yield from ((group, name) for name in inner if name not in ("present", "amount"))


def _as_plain(now: Facts, usual: Facts, group: str, name: str | None) -> Facts:
    """The facts with a group, or one fact of it, as it is in a plain call; missing where it is missing there."""
    if name is None:
        return {**now, group: usual[group]}
    if now[group].get(name, ...) == usual[group].get(name, ...):
        return now
    made = {key: value for key, value in now[group].items() if key != name}
    return {**now, group: made | ({name: usual[group][name]} if name in usual[group] else {})}


def _if_shown(call: Call, facts: Facts, usage: Mapping[str, Mapping[str, Any]], shows: Callable[[Call], bool]) -> Call:
    if facts is call.facts and usage == call.usage:
        return call
    other = replace(call, facts=facts, usage=usage, amount=facts["impact"]["amount"])
    return other if shows(other) else call


def _moved(call: Call, amount: int) -> dict[str, Mapping[str, Any]]:
    """What budgets hold when the call moves another amount."""
    less = call.amount - amount if call.counts else 0
    return {name: {**held, "amount": max(0, held["amount"] - less)} for name, held in call.usage.items()}
