"""How one tool's calls end under one policy, as terms of the solver.

The rule it keeps: the terms allow every call that can be. What they allow beyond that is caught by trying an answer
out: only what the real decision confirms is told as found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tillgate.guards.encoding import Encoder, Used
from tillgate.guards.facts import CATALOGUE, FactType, ToolSurface
from tillgate.guards.model import Confirm, Escalate, Reason, Requirement, Verdict, Verify
from tillgate.guards.policy.expression import Expr, Path
from tillgate.guards.policy.rules import strictness
from tillgate.guards.policy.types import Budget, Policy, Rule
from tillgate.guards.solver import (
    Number,
    Truth,
    added,
    all_of,
    any_of,
    chosen,
    compared,
    equivalent,
    negated,
    truth,
    weighed,
)
from tillgate.guards.unknowns import Unknown, Unknowns

ACTS: Path = ("the call acts",)
"""Whether the plan changes something, and so draws on budgets."""


@dataclass(frozen=True, slots=True)
class Ends:
    """When the calls of a tool end how, what is required of any call, and every unknown in it.

    `rules` are those that count, with when they apply; `refusals` the reasons of denials, with when; `open` the demands
    in the order they are asked, with when each is asked and not met; `also` the further conditions that were given.
    """

    policy: Policy
    surface: ToolSurface
    encoder: Encoder
    rules: tuple[tuple[Rule, Truth], ...]
    refusals: tuple[tuple[Reason, Truth], ...]
    allowed: Truth
    open: tuple[tuple[Requirement, Truth], ...]
    sound: tuple[Truth, ...]
    used: Used
    also: tuple[Truth, ...] = ()

    @property
    def when(self) -> Mapping[Verdict, Truth]:
        """The calls that end in each verdict."""
        verify, confirm, escalate = (self._asked(kind) for kind in (Verify, Confirm, Escalate))
        return {
            Verdict.DENY: negated(self.allowed),
            Verdict.VERIFY: all_of([self.allowed, verify]),
            Verdict.CONFIRM: all_of([self.allowed, negated(verify), confirm]),
            Verdict.ESCALATE: all_of([self.allowed, negated(verify), negated(confirm), escalate]),
            Verdict.PERMIT: all_of([self.allowed, negated(any_of([verify, confirm, escalate]))]),
        }

    def _asked(self, kind: type[Requirement]) -> Truth:
        return any_of([term for demand, term in self.open if isinstance(demand, kind)])


def ends_of(
    policy: Policy, surface: ToolSurface, encoder: Encoder, also: Sequence[Expr] = (), *, raised: bool = False
) -> Ends:
    """The outcomes of one tool's calls under a policy that has rules for it; `also` are further conditions to write.

    Where the risk is `raised`, factors may count without their condition.
    """
    writing = _Writing(policy, surface, encoder)
    further = tuple(writing.condition(expr) for expr in also)
    laid = policy.by_tool[surface.name]
    rules = [
        (rule, writing.condition(rule.when.by_tool[surface.name]))
        for at, rule in enumerate(laid.rules)
        if at not in laid.watched
    ]
    exceeded = [(budget, writing.exceeded(budget)) for budget in policy.budgets_for(surface.name)]
    denies = [(rule.reason, term) for rule, term in rules if rule.kind == "deny"]
    denies += [(budget.reason, term) for budget, term in exceeded if budget.exceeded == "deny"]
    demands = [(rule.requirement, term) for rule, term in rules if rule.requirement is not None]
    demands += [(budget.exceeded, term) for budget, term in exceeded if budget.exceeded != "deny"]
    open_ = [(demand, all_of([term, writing.unmet(demand)])) for demand, term in demands]
    open_.sort(key=lambda each: strictness(each[0]))
    permitted = any_of(term for rule, term in rules if rule.kind == "permit")
    allowed = all_of([negated(any_of(term for _, term in denies)), permitted])
    if policy.mode == "shadow":  # it is recorded what the rules say, and everything goes through
        allowed, open_ = True, []
    writing.derived(raised=raised)
    sound = [*writing.required, *(each for unknown in writing.used for each in encoder.unknowns.sound(unknown))]
    used = frozenset(writing.used)
    return Ends(
        policy, surface, encoder, tuple(rules), tuple(denies), allowed, tuple(open_), tuple(sound), used, further
    )


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

    def derived(self, *, raised: bool) -> None:
        """What follows from other facts, or from the tool itself."""
        self.required += [
            equivalent(self.flag("approval", "granted"), compared(">=", self.number("approval", "count"), 1)),
            compared(">=" if self.surface.effect == "write" else "==", self.number("impact", "amount"), 0),
        ]
        own = {"tool": self.surface.name, "effect": self.surface.effect, "intent": self.surface.intent}
        for name, text in own.items():
            fact = self.encoder.unknowns.facts.get(f"call.{name}")
            if fact is not None:
                self.required.append(compared("==", fact.term, self.encoder.unknowns.code(text)))
        self._risk(raised=raised)
        for budget in self.policy.budgets_for(self.surface.name):
            self._left(budget)

    def _risk(self, *, raised: bool) -> None:
        laid = self.policy.factors_by_tool.get(self.surface.name)
        name, counted = self.surface.name, list[tuple[Truth, int]]()
        for each in laid.factors if laid else ():
            term = self.condition(each.when.by_tool[name])
            counts = any_of([term, truth(f"factor {each.id}")]) if raised else term
            counted.append((counts, each.contribution.points))
        score = weighed(counted)
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


def fresh() -> Encoder:
    """Unknowns and an encoder for one look at a policy."""
    return Encoder(Unknowns())
