"""The nouns of one governed call, frozen: who acts, what would change, what was decided and why.

Amounts of money are integers in minor units of the one currency of the policy file and the shop
(`4800` is 48.00 USD). Facts are plain JSON values, so that what was decided on can be written down,
hashed and decided again byte for byte.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

Json: TypeAlias = Any
"""A JSON value: None, bool, int, str, list or dict with string keys. Never a float."""

Facts: TypeAlias = Mapping[str, Any]
"""Group to fact to JSON value, e.g. `{"order": {"present": True, "total": 4800}, "now": 1767225600}`.

Money is minor units, ordered values are their names (`"STEPPED_UP"`), times are epoch seconds UTC. A fact that
is not known is left out; a group that is absent is `{"present": False}`.
"""

Effect: TypeAlias = Literal["read", "write"]
Channel: TypeAlias = Literal["stdio", "http", "cli"]
ImpactKind: TypeAlias = Literal["none", "refund", "price_reduction", "delivery_change", "account_change"]


class Assurance(IntEnum):
    """How sure we are who the customer is (CONTRACT §4)."""

    ANONYMOUS = 0
    IDENTIFIED = 1
    AUTHENTICATED = 2
    STEPPED_UP = 3


class Consent(IntEnum):
    """Who said yes to the exact plan; a relayed yes never counts as the customer's own."""

    NONE = 0
    AGENT = 1
    CLIENT = 2
    CUSTOMER = 3


class Tier(IntEnum):
    """Bands of the risk score, set by the policy's thresholds."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


class Verdict(StrEnum):
    """What the gate does next. `PERMIT` is the only one that lets a plan be carried out."""

    DENY = "deny"
    VERIFY = "verify"
    CONFIRM = "confirm"
    ESCALATE = "escalate"
    PERMIT = "permit"


class Subject(Struct, frozen=True):
    """The customer a call acts for. `customer_id` is None while nobody is identified."""

    customer_id: str | None
    assurance: Assurance


class Agent(Struct, frozen=True):
    """The client that calls: `id` comes from the token or the process settings, never from the client's own words."""

    id: str
    channel: Channel


class Change(Struct, frozen=True):
    """One field of one record, before and after.

    `entity` is `kind:id` (`order:ord_1`); a record whose `id` goes from None to a value is created, to None is
    deleted. A `stamp` is a time the clock writes: applied and undone like the rest, but no part of what was agreed to.
    """

    entity: str
    field: str
    before: Json
    after: Json
    stamp: bool = False


class Impact(Struct, frozen=True):
    """What a plan does to the world: `amount` is money leaving the shop, in minor units."""

    amount: int = 0
    kind: ImpactKind = "none"
    reversible: bool = True


class Reason(Struct, frozen=True):
    """Why something was decided, in words for the customer; `rule` is None where no rule of the policy spoke."""

    code: str
    message: str
    rule: str | None = None


class Verify(Struct, frozen=True):
    """The subject must first reach this level of assurance."""

    level: Assurance
    reason: Reason


class Confirm(Struct, frozen=True):
    """Somebody must first say yes to the exact plan, at this strength."""

    strength: Consent
    reason: Reason


class Escalate(Struct, frozen=True):
    """People must first approve: `approvals` of them, within `expires_seconds`, from this queue."""

    queue: str
    approvals: int
    expires_seconds: int
    reason: Reason


Requirement: TypeAlias = Verify | Confirm | Escalate


class Undo(Struct, frozen=True):
    """Whether and until when a carried-out plan can be taken back; `why_not` says why it cannot.

    `residue` is what stays different even then, in words for people.
    """

    until: datetime | None = None
    why_not: str | None = None
    residue: str | None = None

    def told(self) -> dict[str, Json]:
        """The statement as an answer carries it."""
        until = self.until.astimezone(UTC).isoformat()[:19] + "Z" if self.until else None
        return {"possible": self.why_not is None, "until": until, "residue": self.residue, "why_not": self.why_not}

    def in_words(self) -> str:
        """The statement for a person who is asked to agree."""
        if self.why_not is not None:
            return f"This cannot be taken back: {self.why_not}"
        until = f" until {self.told()['until']}" if self.until else " as long as nothing else has changed it"
        return f"This can be taken back{until}." + (f" {self.residue}" if self.residue else "")


class Plan(Struct, frozen=True):
    """What a tool would do, exactly. Nothing has happened yet.

    `basis` holds the version of each record the plan was made from: the executor applies the plan only while they
    and every `before` still hold. `requires` are demands of the tool itself (to speak to a person, to prove an
    identity), met or unmet like those of the policy. `denies` marks a plan that is only bookkeeping (a wrong code
    counted): it is carried out and answered as refused. `request` is the handle of the escalation this plan is about,
    `undoes` the call it takes back. `detail` completes the summary with personal values: for the customer's own eyes
    and a reviewer's, never for the client or the log.
    """

    tool: str
    summary: str
    detail: str = ""
    changes: tuple[Change, ...] = ()
    impact: Impact = Impact()
    basis: tuple[tuple[str, int], ...] = ()
    undo: Undo = Undo()
    requires: tuple[Requirement, ...] = ()
    method: Mapping[str, Json] = field(default_factory=dict[str, Json])
    result: Mapping[str, Json] = field(default_factory=dict[str, Json])
    denies: Reason | None = None
    next_step: str | None = None
    request: str | None = None
    undoes: str | None = None

    def way_back(self) -> str:
        """Whether it could be taken back, for a person who is asked to agree to it."""
        return self.undo.in_words() if self.changes else "Nothing changes, so there is nothing to take back."


class Contribution(Struct, frozen=True):
    """One risk factor that applied: its points and the policy's words for it."""

    factor: str
    points: int
    because: str


class RiskAssessment(Struct, frozen=True):
    """The sum of the factors that applied, and the tier it falls in."""

    score: int
    tier: Tier
    contributions: tuple[Contribution, ...]


UNDO_PATHS = frozenset({"undo", *(f"undo.{name}" for name in Undo().told())})
"""Where in the answer of a changing tool that statement stands."""

RuleKind: TypeAlias = Literal["permit", "deny", "verify", "confirm", "escalate"]


class RuleHit(Struct, frozen=True):
    """A rule that matched; `errored` when it counts as matched only because it could not be evaluated."""

    rule: str
    kind: RuleKind
    errored: bool = False


class Decision(Struct, frozen=True):
    """What policy says of one evaluation, with every reason beside it.

    `unmet` holds the requirements still open, in the order they are asked for. `shadow` is what the policy would have
    said where it only watches (`mode: shadow`): it is recorded and changes nothing.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...]
    unmet: tuple[Requirement, ...]
    hits: tuple[RuleHit, ...]
    policy: str
    shadow: Verdict | None = None


def inverse(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes that take these back, last first."""
    return tuple(
        Change(change.entity, change.field, change.after, change.before, change.stamp) for change in reversed(changes)
    )


def inside(value: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """The object at a name of another; an empty one where there is none."""
    found: dict[str, Json] | None = value.get(name)
    return found if isinstance(found, dict) else {}


def at(value: Mapping[str, Json], path: str) -> Json:
    """The value at a dotted path; None where the path does not lead anywhere."""
    *way, last = path.split(".")
    for name in way:
        value = inside(value, name)
    return value.get(last)
