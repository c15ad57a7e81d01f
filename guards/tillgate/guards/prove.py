"""Proves what a policy claims of itself, and what any policy should keep: proof of identity, and budgets."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tillgate.guards.explain import Judged
from tillgate.guards.model import Verdict, Verify
from tillgate.guards.policy.expression import compared_with
from tillgate.guards.policy.interpret import FactError, holds
from tillgate.guards.policy.types import Invariant, OutcomeStatus
from tillgate.guards.proof import Look, Proof
from tillgate.guards.solver import Truth, all_of, any_of, compared, negated

VERDICTS: dict[OutcomeStatus, Verdict] = {
    "completed": Verdict.PERMIT,
    "denied": Verdict.DENY,
    "verification_required": Verdict.VERIFY,
    "confirmation_required": Verdict.CONFIRM,
    "escalated": Verdict.ESCALATE,
}


def invariants(found: Sequence[Look]) -> Iterator[Proof]:
    """Every claim under `invariants:`, tool by tool."""
    for look in found:
        for claim, then in look.claims:
            if claim.when_outcome in VERDICTS:
                yield _invariant(look, claim, then)


def _invariant(look: Look, claim: Invariant, then: Truth) -> Proof:
    verdict, condition = VERDICTS[claim.when_outcome], claim.then.by_tool[look.tool.name]

    def breaks(judged: Judged) -> bool:
        try:
            return judged.decision.verdict is verdict and not holds(condition, judged.facts)
        except FactError:
            return True

    amounts = [int(value) + more for value in compared_with(condition, ("impact", "amount")) for more in (0, 1)]
    text = f"{claim.when_outcome} => {claim.then.text}"
    found = look.proof(text, (look.ends.when[verdict], negated(then)), breaks, amounts)
    if found.result == "proved" and not look.can(look.ends.when[verdict]):
        note = f"no call of `{look.tool.name}` is ever {claim.when_outcome}, so this says nothing of it"
        return replace(found, note=note)
    return found


def verification(found: Sequence[Look]) -> Iterator[Proof]:
    """No call completes with less assurance than a rule that applies to it asks for."""
    for look in found:
        level = look.ends.encoder.unknowns.facts.get("subject.assurance")
        asked = [(rule.requirement, term) for rule, term in look.ends.rules if isinstance(rule.requirement, Verify)]
        if level is not None and asked:
            less = [all_of([term, compared("<", level.term, int(demand.level))]) for demand, term in asked]
            text = "completed => every proof of identity that is asked for was given"
            yield look.proof(text, (look.ends.when[Verdict.PERMIT], any_of(less)), completes)


def budgets(found: Sequence[Look]) -> Iterator[Proof]:
    """A call that completes without a person's approval leaves each of its budgets within its limit."""
    for look in found:
        for budget in look.policy.budgets_for(look.tool.name) if look.tool.effect == "write" else ():
            facts = look.ends.encoder.unknowns
            over: list[Truth] = []
            for name, limit in (("amount", budget.limit_amount), ("count", budget.limit_count)):
                fact = facts.facts[f"usage.{budget.id}.{name}"]
                over += [compared(">", fact.term, limit)] if limit is not None else []
            acts, granted = facts.flags["the call acts"].term, facts.flags["approval.granted"].term
            text = f"completed without approval => budget {budget.id} holds"
            breaks = (look.ends.when[Verdict.PERMIT], acts, negated(granted), any_of(over))
            yield look.proof(text, breaks, completes)


def completes(judged: Judged) -> bool:
    """Whether a call completes."""
    return judged.decision.verdict is Verdict.PERMIT
