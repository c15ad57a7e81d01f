"""Money without end: whether what rules ask for above some amount is asked of everybody above some amount.

A rule that asks for a colleague above 100.00, "unless the customer is a friend", leaves friends without any limit. The
rule it keeps: that only some are asked is no opening; that somebody is asked at no amount is. Budgets are not counted:
they limit how often, not whom.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from msgspec import structs

from tillgate.guards.encoding import Encoder
from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import BOUND
from tillgate.guards.model import Assurance, Confirm, Consent, Escalate, Json, Requirement, Verdict, Verify
from tillgate.guards.money import currency
from tillgate.guards.monotone import MONEY, REFUNDS, size
from tillgate.guards.policy.expression import Expr, Load, Quantify, Within, compared_with
from tillgate.guards.policy.regions import Among, Left, regions
from tillgate.guards.policy.types import Policy, Rule
from tillgate.guards.proof import Look, Proof
from tillgate.guards.prove import completes
from tillgate.guards.routes import partial
from tillgate.guards.solver import Truth, compared
from tillgate.guards.verdicts import ACTS, Ends, ends_of
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

Kind: TypeAlias = type[Requirement]
_SHOWN: Mapping[Kind, tuple[str, str]] = {
    Verify: ("subject", "assurance"),
    Confirm: ("consent", "strength"),
    Escalate: ("approval", "count"),
}
_RANKS: Mapping[str, int] = {each.name: int(each) for each in (*Assurance, *Consent)}


@dataclass(frozen=True, slots=True)
class Opening:
    """A claim: above some amount no call completes that shows less than `shown` of every kind. `rule` asks for it."""

    text: str
    shown: Mapping[Kind, int]
    above: int = 0
    rule: Rule | None = None

    def lacking(self, facts: Mapping[str, Json]) -> bool:
        """Whether a call shows less."""
        for kind, least in self.shown.items():
            group, name = _SHOWN[kind]
            shown: Json = facts[group].get(name)
            if (_RANKS[shown] if isinstance(shown, str) else int(shown)) >= least:
                return False
        return True


_NOTHING: Mapping[Kind, int] = {Verify: Assurance.AUTHENTICATED, Confirm: Consent.AGENT, Escalate: 1}


def openings(found: Sequence[Look]) -> Iterator[Proof]:
    """A claim for each kind of demand that rules of a tool make above an amount, and one for refunds as such."""
    for look in found:
        if look.tool.effect == "read":
            continue
        top = max(amounts_of(look.policy, look.tool.name))
        claims = _claims(look, top)
        if look.tool.intent in REFUNDS:
            claims.append(Opening("money does not leave without end, with nothing asked", _NOTHING))
        if claims:
            yield from _of_tool(look, claims, top)


def _of_tool(look: Look, claims: Sequence[Opening], top: int) -> Iterator[Proof]:
    """Two calls that differ in money alone complete with the same shown: one above the threshold, one above all."""
    base, facts = look.ends.encoder, look.ends.encoder.unknowns.facts
    free = [structs.replace(budget, limit_amount=None, limit_count=None) for budget in look.policy.budgets]
    unlimited = replace(look.policy, budgets=tuple(free))
    own = (MONEY, ("risk",), ("usage",))
    far = ends_of(unlimited, look.tool, Encoder(base.unknowns, "~", own, base))
    beyond = (*far.sound, compared(">", facts["impact.amount~"].term, top))
    acting = [flag.term for name, flag in base.unknowns.flags.items() if name == ".".join(ACTS)]
    for claim in claims:
        if claim.rule is not None and not look.can(*beyond, _term(far, claim.rule)):
            continue  # there is nobody of whom it asks
        near = compared(">", facts["impact.amount"].term, claim.above)
        less = [
            compared("<", facts[name].term, least)
            for kind, least in claim.shown.items()
            if (name := ".".join(_SHOWN[kind])) in facts
        ]
        breaks: list[Truth] = [near, *less, *acting, *beyond, look.ends.when[Verdict.PERMIT], far.when[Verdict.PERMIT]]

        def opens(judged: Judged, claim: Opening = claim) -> bool:
            enough = judged.facts["impact"]["amount"] > claim.above and claim.lacking(judged.facts)
            return completes(judged) and enough and _completes_beyond(unlimited, judged, look.tool.name, top + 1)

        yield look.proof(claim.text, breaks, opens, (claim.above + 1,), _note(claim, look.policy))


def _term(ends: Ends, rule: Rule) -> Truth:
    return next(term for each, term in ends.rules if each is rule)


def _completes_beyond(policy: Policy, judged: Judged, tool: str, amount: int) -> bool:
    facts = {**judged.facts, "impact": {**judged.facts["impact"], "amount": amount}}
    return completes(judge(policy, Call(tool, facts, judged.facts["usage"], False, amount)))


def _note(claim: Opening, policy: Policy) -> str | None:
    if claim.rule is None:
        return None
    whom = f"above {currency(policy.currency).format(claim.above)}" if claim.above else "others"
    asks = "refuses" if claim.rule.kind == "deny" else "asks"
    return f"`{claim.rule.id}` {asks} {whom}, and of calls like this at no amount"


def _claims(look: Look, top: int) -> list[Opening]:
    """What must be asked of everybody: what is asked of all but some who are named, and the least of any kind."""
    general: dict[tuple[Kind, int], tuple[int, Rule]] = {}
    smallest: dict[Kind, tuple[int, int, Rule]] = {}
    for rule, _ in look.ends.rules:
        when = rule.when.by_tool[look.tool.name]
        above = max((int(value) for value in compared_with(when, MONEY)), default=-1)
        residue = partial(when, {MONEY: (top + 1, BOUND)})
        if rule.kind == "permit" or residue is False or (above < 0 and (rule.kind == "deny" or residue is True)):
            continue
        kind, least = size(rule.requirement) if rule.requirement else (Escalate, 1)
        if residue is True or _of_nearly_all(residue):
            known = general.get((kind, least), (above, rule))
            general[kind, least] = min(known, (above, rule), key=lambda each: each[0])
        elif above >= 0 and rule.kind != "deny":
            known_one = smallest.get(kind, (least, above, rule))
            smallest[kind] = min(known_one, (least, above, rule), key=lambda each: each[0])
    found = [_opening(kind, least, above, rule) for (kind, least), (above, rule) in general.items()]
    some = {kind for kind, _ in general}
    return found + [_opening(kind, *rest) for kind, rest in smallest.items() if kind not in some]


def _opening(kind: Kind, least: int, above: int, rule: Rule) -> Opening:
    if kind is Verify:
        text = f"above some amount {Assurance(least).name} is always proved"
    elif kind is Confirm:
        text = f"above some amount the {Consent(least).name.lower()}'s yes is always asked for"
    else:
        text = "above some amount a person always approves" + (f" ({least} of them)" if least > 1 else "")
    return Opening(text, {kind: least}, max(0, above), rule)


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
