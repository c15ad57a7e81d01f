"""The envelope every tool answers with (CONTRACT §2): one shape for every status, so any answer fits the schema."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, convert, field
from msgspec.json import schema_components

from tillgate.guards.model import Json

Status: TypeAlias = Literal[
    "completed", "denied", "verification_required", "confirmation_required", "escalated", "failed"
]


class ReasonGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """One reason, in words for the customer. Scores and thresholds are not here; reviewers see them."""

    code: str
    message: str
    rule: str | None = None


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    """What must be proved. Without a `challenge_id` nothing was sent: the customer must be identified first."""

    level: str
    challenge_id: str | None = None
    sent_to: str | None = None
    expires_at: str | None = None
    url: str | None = None


class Confirmation(Struct, frozen=True, forbid_unknown_fields=True):
    """What must be agreed to, and whether it could be taken back. No `token`: the customer's own word is asked for."""

    summary: str
    undo: str
    expires_at: str
    token: str | None = None
    sent_to: str | None = None
    url: str | None = None


class EscalationGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """The handle of a request that waits for a person."""

    handle: str
    status: str
    queue: str
    expires_at: str
    check_after_seconds: int


class Outcome(Struct, frozen=True, forbid_unknown_fields=True):
    """What happened and what to do next."""

    status: Status
    executed: Annotated[bool, Meta(description="True only if state changed or data was read")]
    call_id: Annotated[str, Meta(description="Id of this call in the audit trail")]
    data: Annotated[dict[str, Json] | None, Meta(description="The result, when completed")] = None
    reasons: list[ReasonGiven] = field(default_factory=list[ReasonGiven])
    next_step: Annotated[str | None, Meta(description="What to do or say now")] = None
    verification: Verification | None = None
    confirmation: Confirmation | None = None
    escalation: EscalationGiven | None = None
    replayed: Annotated[bool, Meta(description="True when an earlier outcome is returned again")] = False

    @property
    def is_error(self) -> bool:
        """Refusals and failures are errors to an MCP client; everything else is an answer."""
        return self.status in ("denied", "failed")

    def as_json(self) -> dict[str, Json]:
        """The envelope as the client gets it: what is set, and no more."""
        told: dict[str, Json] = {"status": self.status, "executed": self.executed, "call_id": self.call_id}
        if self.data is not None:
            told["data"] = self.data
        told["reasons"] = [_told(reason) for reason in self.reasons]
        if self.next_step is not None:
            told["next_step"] = self.next_step
        if self.verification is not None:
            told["verification"] = _told(self.verification)
        if self.confirmation is not None:
            told["confirmation"] = _told(self.confirmation)
        if self.escalation is not None:
            told["escalation"] = _told(self.escalation)
        told["replayed"] = self.replayed
        return told


def outcome_from(told: Mapping[str, Json]) -> Outcome:
    """The outcome that `as_json` told. Raises ValidationError for anything else."""
    return convert(told, Outcome)


def outcome_schema() -> dict[str, Any]:
    """JSON Schema of the envelope."""
    _, parts = schema_components([Outcome], ref_template="#/$defs/{name}")
    return {**parts.pop("Outcome"), "$defs": parts}


def _told(part: ReasonGiven | Verification | Confirmation | EscalationGiven) -> dict[str, Json]:
    return {name: value for name in part.__struct_fields__ if (value := getattr(part, name)) is not None}
