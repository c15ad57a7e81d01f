"""What a decision is made from: the record, who acts, and what would change. The model's words are not facts."""

from collections.abc import Mapping

from tillgate.guards.asking import Said
from tillgate.guards.case import Case
from tillgate.guards.decide import decide
from tillgate.guards.desk import STEP_UP_SECONDS, Caller, Desk, Talk
from tillgate.guards.limits import limit
from tillgate.guards.model import Assurance, Consent, Facts, Json, Plan, Subject, inside
from tillgate.guards.ports import Arguments, Tool
from tillgate.guards.risk import assess


def subject_of(desk: Desk, caller: Caller, talk: Talk) -> Subject:
    """Who the customer is and how sure we are: settings or token first, then what this conversation proved."""
    customer = caller.customer_id or talk.customer_id
    if customer is None:
        return Subject(None, Assurance.ANONYMOUS)
    level = caller.assurance if caller.customer_id else Assurance.IDENTIFIED
    proofs = [talk.stepped_up_at]
    if level is Assurance.STEPPED_UP:
        level, proofs = Assurance.AUTHENTICATED, [talk.stepped_up_at, caller.since]
    fresh = any(at is not None and (desk.now - at).total_seconds() < STEP_UP_SECONDS for at in proofs)
    return Subject(customer, Assurance.STEPPED_UP if fresh else level)


def evaluate(desk: Desk, case: Case, tool: Tool, args: Arguments, plan: Plan, said: Said, groups: Facts) -> Case:
    """Assess, limit, decide: each on the facts of the step before."""
    name = tool.surface.name
    facts = _facts(desk, case, plan, said.strength, groups)
    facts["call"], facts["args"] = _call(tool, args), args.facts()
    risk = assess(case.policy, name, facts)
    facts["risk"] = {"score": risk.score, "tier": risk.tier.name}
    counts = bool(plan.changes or plan.requires) and plan.denies is None
    besides = case.grant.handle if case.grant else None
    limits = limit(desk, case.policy, name, facts, counts=counts, besides=besides)
    facts["usage"] = limits.usage
    decision = decide(case.policy, name, facts, limits.exceeded, plan.requires)
    return case.judged(plan, said.strength, said.confirmation, facts, risk, limits, decision)


def _facts(desk: Desk, case: Case, plan: Plan, consent: Consent, groups: Facts) -> dict[str, Json]:
    agent, impact, grant = case.received.caller.agent, plan.impact, case.grant
    return {
        "subject": _subject(case.subject),
        "agent": {"id": agent.id, "channel": agent.channel},
        "conversation": _conversation(case.talk, groups),
        **groups,
        "impact": {"amount": impact.amount, "kind": impact.kind, "reversible": impact.reversible},
        "consent": {"strength": consent.name},
        "approval": {"granted": grant is not None, "count": len(grant.reviewers) if grant else 0},
        "now": int(desk.now.timestamp()),
    }


def _subject(subject: Subject) -> Mapping[str, Json]:
    facts = {"assurance": subject.assurance.name}
    return facts if subject.customer_id is None else {**facts, "customer_id": subject.customer_id}


def _call(tool: Tool, args: Arguments) -> Mapping[str, Json]:
    surface, stated = tool.surface, args.gate("intent")
    matches = stated is None or stated == surface.intent
    facts: dict[str, Json] = {"tool": surface.name, "effect": surface.effect, "intent": surface.intent}
    facts["intent_matches"] = matches
    return facts if stated is None else {**facts, "stated_intent": stated}


def _conversation(talk: Talk, groups: Facts) -> Mapping[str, Json]:
    """What the conversation did before this call; `orders` counts the order of this call too."""
    order: str | None = inside(groups, "order").get("id")
    return {
        "calls": talk.calls,
        "writes": talk.writes,
        "denied": talk.denied,
        "escalated": talk.escalated,
        "orders": len(talk.orders | {order}) if order else len(talk.orders),
    }
