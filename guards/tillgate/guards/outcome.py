"""The envelope every tool answers with (CONTRACT §2): one shape for every status, so any answer fits the schema."""

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from tillgate.guards.model import Json

Status: TypeAlias = Literal[
    "completed", "denied", "verification_required", "confirmation_required", "escalated", "failed"
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReasonGiven(_Part):
    """One reason, in words for the customer. Scores and thresholds are not here; reviewers see them."""

    code: str
    message: str
    rule: str | None = None


class Verification(_Part):
    """What must be proved. Without a `challenge_id` nothing was sent: the customer must be identified first."""

    level: str
    challenge_id: str | None = None
    sent_to: str | None = None
    expires_at: str | None = None
    url: str | None = None


class Confirmation(_Part):
    """What must be agreed to, and whether it could be taken back.

    The `token` is missing where the customer's own word is asked for.
    """

    summary: str
    undo: str
    expires_at: str
    token: str | None = None
    sent_to: str | None = None
    url: str | None = None


class EscalationGiven(_Part):
    """The handle of a request that waits for a person."""

    handle: str
    status: str
    queue: str
    expires_at: str
    check_after_seconds: int


class Outcome(_Part):
    """What happened and what to do next."""

    status: Status
    executed: bool = Field(description="True only if state changed or data was read")
    call_id: str = Field(description="Id of this call in the audit trail")
    data: dict[str, Json] | None = Field(default=None, description="The result, when completed")
    reasons: list[ReasonGiven] = Field(default_factory=list[ReasonGiven])
    next_step: str | None = Field(default=None, description="What to do or say now")
    verification: Verification | None = None
    confirmation: Confirmation | None = None
    escalation: EscalationGiven | None = None
    replayed: bool = Field(default=False, description="True when an earlier outcome is returned again")

    @property
    def is_error(self) -> bool:
        """Refusals and failures are errors to an MCP client; everything else is an answer."""
        return self.status in ("denied", "failed")

    def as_json(self) -> dict[str, Json]:
        """The envelope as the client gets it."""
        return _plain(self)


def _plain(part: BaseModel) -> dict[str, Json]:
    """What is set; `data` is JSON already."""
    plain = part.__dict__.copy()
    for name, value in part.__dict__.items():
        if value is None:
            del plain[name]
        elif isinstance(value, BaseModel):
            plain[name] = _plain(value)
    if reasons := plain.get("reasons"):
        plain["reasons"] = [_plain(reason) for reason in reasons]
    return plain
