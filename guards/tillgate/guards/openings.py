"""Money without end: whether what rules ask for above some amount is asked of everybody above some amount.

A rule that asks for a colleague above 100.00, "unless the customer is a friend", leaves friends without any limit. The
rule it keeps: that only some are asked is no opening; that somebody is asked at no amount is. Budgets are not counted:
they limit how often, not whom.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tillgate.guards.encoding import Encoder
from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import BOUND
from tillgate.guards.model import Assurance, Confirm, Consent, Escalate, Json, Requirement, Verdict, Verify
from tillgate.guards.money import currency
from tillgate.guards.monotone import MONEY, size
from tillgate.guards.policy.expression import Expr, Load, Quantify, Within, compared_with
from tillgate.guards.policy.regions import Among, Left, regions
from tillgate.guards.policy.types import Rule
from tillgate.guards.proof import Look, Proof
from tillgate.guards.prove import completes
from tillgate.guards.routes import partial
from tillgate.guards.solver import compared
from tillgate.guards.verdicts import ACTS, ends_of
from tillgate.guards.witness import amounts_of

WHO = frozenset(
    {
        "customer.id",
        "customer.tags",
        "subject.customer_id",
        "order.method_kind",
        "method.kind",
        "agent.id",
        "agent.channel",
    }
)
"""Facts that say who somebody is, not what is done: a value of one of these picks out a few."""

_SHOWN: Mapping[type[Requirement], tuple[str, str]] = {
    Verify: ("subject", "assurance"),
    Confirm: ("consent", "strength"),
    Escalate: ("approval", "count"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule asks for above an amount, and the rule."""

    kind: type[Requirement]
    least: int
    above: int
    rule: Rule

    @property
    def text(self) -> str:
        """The claim in words."""
        if self.kind is Verify:
            return f"above some amount {Assurance(self.least).name} is always proved"
        if self.kind is Confirm:
            return f"above some amount the {Consent(self.least).name.lower()}'s yes is always asked for"
        return "above some amount a person always approves" + (f" ({self.least} of them)" if self.least > 1 else "")

    def lacks(self, judged: Judged) -> bool:
        """Whether a call does not show what is asked for."""
        group, name = _SHOWN[self.kind]
        shown: Json = judged.facts[group].get(name)
        ranks = {**{each.name: int(each) for each in Assurance}, **{each.name: int(each) for each in Consent}}
        return (ranks[shown] if isinstance(shown, str) else int(shown)) < self.least


def openings(found: Sequence[Look]) -> Iterator[Proof]:
    """A claim for each kind of demand that rules of a tool make above an amount."""
    for look in found:
        top = max(amounts_of(look.policy, look.tool.name))
        asked = _asked(look, top) if look.tool.effect == "write" else []
        if asked:
            yield from _of_tool(look, asked, top)


def _of_tool(look: Look, asked: Sequence[Asked], top: int) -> Iterator[Proof]:
    """Two calls that differ in money alone complete with the same shown: one above the threshold, one above all."""
    base, facts = look.ends.encoder, look.ends.encoder.unknowns.facts
    free = [replace(budget, limit_amount=None, limit_count=None) for budget in look.policy.budgets]
    unlimited = replace(look.policy, budgets=tuple(free))
    own = (MONEY, ("risk",), ("usage",))
    far = ends_of(unlimited, look.tool, Encoder(base.unknowns, "~", own, base))
    acting = [flag.term for name, flag in base.unknowns.flags.items() if name == ".".join(ACTS)]
    beyond = compared(">", facts["impact.amount~"].term, top)
    for each in asked:
        if not look.can(*far.sound, beyond, next(term for rule, term in far.rules if rule is each.rule)):
            continue  # there is nobody of whom it asks

        def opens(judged: Judged, each: Asked = each) -> bool:
            if not completes(judged) or judged.facts["impact"]["amount"] <= each.above or not each.lacks(judged):
                return False
            impact = {**judged.facts["impact"], "amount": top + 1}
            call = Call(look.tool.name, {**judged.facts, "impact": impact}, judged.facts["usage"], False, top + 1)
            return completes(judge(unlimited, call))

        shown = facts[".".join(_SHOWN[each.kind])]
        breaks = (
            look.ends.when[Verdict.PERMIT], compared(">", facts["impact.amount"].term, each.above),
            compared("<", shown.term, each.least), *acting, *far.sound, beyond, far.when[Verdict.PERMIT],
        )  # fmt: skip
        whom = f"above {currency(look.policy.currency).format(each.above)}" if each.above else "others"
        asks = "refuses" if each.rule.kind == "deny" else "asks"
        note = f"`{each.rule.id}` {asks} {whom}, and of calls like this at no amount"
        yield look.proof(each.text, breaks, opens, (each.above + 1,), note)


def _asked(look: Look, top: int) -> list[Asked]:
    """What must be asked of everybody: what is asked of all but some who are named, and the least of any kind."""
    general: dict[tuple[type[Requirement], int], Asked] = {}
    least: dict[type[Requirement], Asked] = {}
    for rule, _ in look.ends.rules:
        asked = _of_rule(rule, look.tool.name)
        residue = partial(rule.when.by_tool[look.tool.name], {MONEY: (top + 1, BOUND)}) if asked else False
        if asked is None or residue is False:
            continue
        if residue is True or _of_nearly_all(residue):
            kept = general.get((asked.kind, asked.least))
            if asked.above >= 0 or residue is not True:
                general[asked.kind, asked.least] = asked if kept is None or asked.above < kept.above else kept
        elif asked.above >= 0 and rule.kind != "deny":
            kept = least.get(asked.kind)
            least[asked.kind] = asked if kept is None or asked.least < kept.least else kept
    smaller = [asked for kind, asked in least.items() if not any(kind is known for known, _ in general)]
    return [replace(each, above=max(0, each.above)) for each in (*general.values(), *smaller)]


def _of_rule(rule: Rule, tool: str) -> Asked | None:
    """What a rule asks for, above the highest amount it names; -1 where it names none."""
    above = max((int(value) for value in compared_with(rule.when.by_tool[tool], MONEY)), default=-1)
    if rule.requirement is not None:
        return Asked(*size(rule.requirement), above, rule)
    return Asked(Escalate, 1, above, rule) if rule.kind == "deny" and above >= 0 else None


def _of_nearly_all(residue: Expr | bool) -> bool:
    """Whether a condition leaves out only those who are picked out by who they are."""
    outside = regions(residue, holds=False) if not isinstance(residue, bool) else None
    return bool(outside) and all(any(_picks(*each) for each in region.items()) for region in outside or ())


def _picks(key: Expr, left: Left) -> bool:
    """Whether a few are picked out; of the values an enum has, fewer than half."""
    match key:
        case Load(path=path, bound=False, type=fact):
            if ".".join(path) not in WHO or not isinstance(left, Among) or left.not_:
                return False
            return not fact.values or 2 * len(left.values) < len(fact.values)
        case Within(over=Load(path=path)) | Quantify(kind="exists", over=Load(path=path)):
            return ".".join(path) in WHO and left == Among(frozenset({True}))
        case _:
            return False
