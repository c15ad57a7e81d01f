"""A case: one call on its way through the gate, gathering what each step found. Frozen; each step returns a new one."""

from msgspec import Struct

from tillgate.guards.audit.record import plan_digest
from tillgate.guards.desk import Received, Talk
from tillgate.guards.limits import Limits
from tillgate.guards.model import Consent, Decision, Facts, Plan, Reason, RiskAssessment, Subject, inside
from tillgate.guards.policy.types import Policy
from tillgate.guards.ports import Arguments, Tool


class Grant(Struct, frozen=True):
    """A yes that people gave: one more fact for the same journey, never a way around it.

    With a `handle` it answers an escalation and is bound to `basis` and, unless the amount was lowered, `plan_digest`.
    Without one it is an operator's own act.
    """

    reviewers: tuple[str, ...]
    consent: Consent
    subject: Subject
    handle: str | None = None
    plan_digest: str | None = None
    basis: tuple[tuple[str, int], ...] | None = None

    def covers(self, plan: Plan) -> bool:
        """Whether the plan made now is still the one that was approved."""
        same_record = self.basis in (None, plan.basis)
        return same_record and self.plan_digest in (None, plan_digest(plan))


class Case(Struct, frozen=True):
    """Everything known of one call so far."""

    call_id: str
    received: Received
    subject: Subject
    talk: Talk
    policy: Policy
    grant: Grant | None = None
    tool: Tool | None = None
    args: Arguments | None = None
    plan: Plan | None = None
    facts: Facts | None = None
    risk: RiskAssessment | None = None
    limits: Limits | None = None
    decision: Decision | None = None
    refusal: Reason | None = None
    consent: Consent = Consent.NONE
    confirmation: str | None = None
    pages: bool = False

    def judged(
        self,
        plan: Plan,
        consent: Consent,
        confirmation: str | None,
        facts: Facts,
        risk: RiskAssessment,
        limits: Limits,
        decision: Decision,
    ) -> "Case":
        """The case once it is decided, with all that was decided on."""
        return Case(
            self.call_id,
            self.received,
            self.subject,
            self.talk,
            self.policy,
            self.grant,
            self.tool,
            self.args,
            plan,
            facts,
            risk,
            limits,
            decision,
            self.refusal,
            consent,
            confirmation,
        )

    @property
    def order_id(self) -> str | None:
        """The order this call is about, if any."""
        return inside(self.facts or {}, "order").get("id")
