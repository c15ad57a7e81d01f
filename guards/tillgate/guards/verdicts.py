"""How one tool's calls end under one policy, as terms of the solver, and an answer of the solver as facts of a call.

The rule it keeps: the terms allow every call that can be. What they allow beyond that is caught by trying the answer
out: only what the real decision confirms is told as found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tillgate.guards.encoding import Encoder, Used
from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import CATALOGUE, FactType, Kind, ToolSurface
from tillgate.guards.model import Confirm, Escalate, Json, Requirement, Verdict, Verify
from tillgate.guards.policy.expression import Expr, Path
from tillgate.guards.policy.types import Budget, Policy
from tillgate.guards.policy_test.plain import complete
from tillgate.guards.solver import (
    Answer,
    Number,
    Truth,
    added,
    all_of,
    any_of,
    chosen,
    compared,
    equivalent,
    negated,
    weighed,
)
from tillgate.guards.unknowns import Fact, Flag, Listed, There, Unknown, Unknowns

ACTS: Path = ("the call acts",)
"""Whether the plan changes something, and so draws on budgets."""


@dataclass(frozen=True, slots=True)
class Ends:
    """When the calls of a tool end how, what is required of any call, and every unknown in it."""

    policy: Policy
    surface: ToolSurface
    encoder: Encoder
    when: Mapping[Verdict, Truth]
    sound: tuple[Truth, ...]
    used: Used
    also: tuple[Truth, ...] = ()


def ends_of(policy: Policy, surface: ToolSurface, encoder: Encoder, also: Sequence[Expr] = ()) -> Ends:
    """The outcomes of one tool's calls under a policy that has rules for it; `also` are further conditions to write."""
    writing = _Writing(policy, surface, encoder)
    further = tuple(writing.condition(expr) for expr in also)
    laid = policy.by_tool[surface.name]
    conditions = [
        (rule, writing.condition(rule.when.by_tool[surface.name]))
        for at, rule in enumerate(laid.rules)
        if at not in laid.watched
    ]
    exceeded = [(budget, writing.exceeded(budget)) for budget in policy.budgets_for(surface.name)]
    denies = [term for rule, term in conditions if rule.kind == "deny"]
    denies += [term for budget, term in exceeded if budget.exceeded == "deny"]
    demands = [(rule.requirement, term) for rule, term in conditions if rule.requirement is not None]
    demands += [(budget.exceeded, term) for budget, term in exceeded if budget.exceeded != "deny"]
    unmet = [(type(demand), all_of([term, writing.unmet(demand)])) for demand, term in demands]
    verify, confirm, escalate = (
        any_of([term for kind, term in unmet if kind is wanted]) for wanted in (Verify, Confirm, Escalate)
    )
    allowed = all_of([negated(any_of(denies)), any_of([term for rule, term in conditions if rule.kind == "permit"])])
    when: dict[Verdict, Truth] = {
        Verdict.DENY: negated(allowed),
        Verdict.VERIFY: all_of([allowed, verify]),
        Verdict.CONFIRM: all_of([allowed, negated(verify), confirm]),
        Verdict.ESCALATE: all_of([allowed, negated(verify), negated(confirm), escalate]),
        Verdict.PERMIT: all_of([allowed, negated(any_of([verify, confirm, escalate]))]),
    }
    writing.derived()
    sound = [*writing.required, *(each for unknown in writing.used for each in encoder.unknowns.sound(unknown))]
    return Ends(policy, surface, encoder, when, tuple(sound), frozenset(writing.used), further)


class _Writing:
    """Terms of one tool under one policy; remembers the unknowns, and what is required of them."""

    def __init__(self, policy: Policy, surface: ToolSurface, encoder: Encoder) -> None:
        self.policy = policy
        self.surface = surface
        self.encoder = encoder
        self.used: set[Unknown] = set()
        self.required: list[Truth] = []

    def condition(self, expr: Expr) -> Truth:
        term, used = self.encoder.condition(expr, self.surface)
        self.used |= used
        return term

    def number(self, *path: str, fact: FactType | None = None) -> Number:
        """A number of the catalogue, or a rank."""
        kind = fact or CATALOGUE[path[0]].facts[path[1]]
        found = self.encoder.unknowns.fact(path, kind, self.encoder.tag_of(path))
        self.used.add(found)
        return found.term

    def flag(self, *path: str) -> Truth:
        found = self.encoder.unknowns.flag(path, self.encoder.tag_of(path))
        self.used.add(found)
        return found.term

    def exceeded(self, budget: Budget) -> Truth:
        """Whether the budget has no room for this call."""
        if self.surface.effect != "write":
            return False
        amount, count = (self.number("usage", budget.id, name, fact=_COUNTED) for name in ("amount", "count"))
        acts = self.flag(*ACTS)
        self.required += [
            any_of([negated(acts), compared(">=", amount, self.number("impact", "amount"))]),
            any_of([negated(acts), compared(">=", count, 1)]),
        ]
        over: list[Truth] = []
        if budget.limit_amount is not None:
            over.append(compared(">", amount, budget.limit_amount))
        if budget.limit_count is not None:
            over.append(compared(">", count, budget.limit_count))
        return all_of([acts, any_of(over)])

    def unmet(self, demand: Requirement) -> Truth:
        """Whether the call does not show what is demanded."""
        if isinstance(demand, Verify):
            return compared("<", self.number("subject", "assurance"), int(demand.level))
        if isinstance(demand, Confirm):
            return compared("<", self.number("consent", "strength"), int(demand.strength))
        return compared("<", self.number("approval", "count"), max(1, demand.approvals))

    def derived(self) -> None:
        """What follows from other facts, or from the tool itself."""
        self.required += [
            equivalent(self.flag("approval", "granted"), compared(">=", self.number("approval", "count"), 1)),
            compared(">=", self.number("impact", "amount"), 0),
        ]
        own = {"tool": self.surface.name, "effect": self.surface.effect, "intent": self.surface.intent}
        for name, text in own.items():
            fact = self.encoder.unknowns.facts.get(f"call.{name}")
            if fact is not None:
                self.required.append(compared("==", fact.term, self.encoder.unknowns.code(text)))
        self._risk()
        for budget in self.policy.budgets_for(self.surface.name):
            self._left(budget)

    def _risk(self) -> None:
        laid = self.policy.factors_by_tool.get(self.surface.name)
        factors = laid.factors if laid else ()
        name = self.surface.name
        score = weighed([(self.condition(each.when.by_tool[name]), each.contribution.points) for each in factors])
        tiers = self.policy.tiers
        tier: Number = 0
        if tiers is not None:
            tier = chosen(compared(">=", score, tiers.medium), 1, 0)
            tier = chosen(compared(">=", score, tiers.high), 2, tier)
            tier = chosen(compared(">=", score, tiers.critical), 3, tier)
        self.required += [
            compared("==", self.number("risk", "score"), score),
            compared("==", self.number("risk", "tier"), tier),
        ]

    def _left(self, budget: Budget) -> None:
        """`usage.<budget>.left`, as `limits` works it out."""
        amount, count = (self.number("usage", budget.id, name, fact=_COUNTED) for name in ("amount", "count"))
        limit, held = budget.limit_count or 0, count
        if budget.limit_amount is not None:
            limit, held = budget.limit_amount, amount
        room = added(limit, held, -1)
        left = chosen(compared(">", room, 0), room, 0)
        self.required.append(compared("==", self.number("usage", budget.id, "left", fact=_COUNTED), left))


_COUNTED = CATALOGUE["impact"].facts["amount"]


def call_of(answer: Answer, ends: Ends) -> Call:
    """The call an answer describes; what it leaves open is plain."""
    groups: dict[str, dict[str, Json]] = {}
    usage: dict[str, dict[str, Any]] = {}
    acts, gone = True, list[Path]()
    texts = {code: text for text, code in ends.encoder.unknowns.codes.items()}
    for unknown in sorted(ends.used, key=lambda each: isinstance(each, There)):
        if isinstance(unknown, Flag) and unknown.path == ACTS:
            acts = answer.truth(unknown.term) is True
        elif isinstance(unknown, There):
            if answer.truth(unknown.term) is not True:
                gone.append(unknown.path)
            elif len(unknown.path) == 1:
                groups.setdefault(unknown.path[0], {})
        elif isinstance(unknown, (Fact, Flag, Listed)) and unknown.path[0] in CATALOGUE:
            value = _value(unknown, answer, texts)
            if value is None or unknown.path[0] == "risk":
                continue
            if unknown.path[0] == "usage":
                usage.setdefault(unknown.path[1], {})[unknown.path[2]] = value
            else:
                _put(groups, unknown.path, value)
    return _call(ends.surface, groups, usage, gone, acts=acts)


def _call(
    surface: ToolSurface,
    groups: dict[str, dict[str, Json]],
    usage: Mapping[str, Mapping[str, Any]],
    gone: list[Path],
    *,
    acts: bool,
) -> Call:
    absent = {path[0] for path in gone if len(path) == 1}
    stated = {name: facts for name, facts in groups.items() if name not in absent}
    facts = complete(surface, {name: facts for name, facts in stated.items() if _has(surface, name)}, None)
    for name, stated_facts in stated.items():
        if name in facts and isinstance(facts[name], dict):
            facts[name] |= stated_facts
    for path in gone:
        if len(path) == 2:
            facts.get(path[0], {}).pop(path[1], None)
    counts = acts and surface.effect == "write"
    held = {name: {"amount": each.get("amount", 0), "count": each.get("count", 0)} for name, each in usage.items()}
    return Call(surface.name, facts, held, counts, facts["impact"]["amount"])


def _has(surface: ToolSurface, group: str) -> bool:
    return CATALOGUE[group].availability == "always" or group in surface.always | surface.maybe


def _value(unknown: Fact | Flag | Listed, answer: Answer, texts: Mapping[int, str]) -> Json | None:
    if isinstance(unknown, Flag):
        return answer.truth(unknown.term)
    if isinstance(unknown, Listed):
        return [member for member, term in unknown.members.items() if answer.truth(term) is True]
    number = answer.number(unknown.term)
    if number is None:
        return None
    if unknown.type.kind is Kind.ORDERED:
        return unknown.type.values[number]
    if unknown.type.kind in (Kind.STRING, Kind.ENUM):
        return texts.get(number, "another")
    return number


def _put(groups: dict[str, dict[str, Json]], path: Path, value: Json) -> None:
    holder: dict[str, Json] = groups.setdefault(path[0], {})
    for name in path[1:-1]:
        holder = holder.setdefault(name, {})
    holder[path[-1]] = value


def tried(answer: Answer, ends: Ends) -> tuple[Call, Judged]:
    """The call of an answer, and how it really ends."""
    call = call_of(answer, ends)
    return call, judge(ends.policy, call)


def fresh() -> Encoder:
    """Unknowns and an encoder for one look at a policy."""
    return Encoder(Unknowns())
