"""What is read of a recorded call, declared: reading a line and checking it are one step.

The rule kept: what is not declared here is passed over, and what is has its type or the line is refused with the place.
Fields stand in the order in which an export writes them, which is how they are found fastest.
"""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from tillgate.guards.model import Json, Verdict

Text: TypeAlias = Annotated[str, Meta(min_length=1)]


class Noun(Struct, frozen=True, gc=False):
    """A frozen value that is made for every line: quicker to make, and lighter to send, than a dataclass.

    None of them can hold itself, so there is nothing in them for a garbage collector.
    """


class Hit(Noun, frozen=True):
    """A rule that fired."""

    rule: Text


class Demand(Noun, frozen=True):
    """What was still asked for; a queue where it was asked of people."""

    queue: Text | None = None


class Decision(Noun, frozen=True):
    """What the policy said."""

    hits: tuple[Hit, ...] | None = None
    shadow: Text | None = None
    unmet: tuple[Demand, ...] | None = None
    verdict: Verdict | None = None


class Escalation(Noun, frozen=True):
    """The request that a call opened or was about."""

    handle: Text | None = None


class Outcome(Noun, frozen=True):
    """What was answered."""

    escalation: Escalation | None = None
    status: Text | None = None


class Plan(Noun, frozen=True):
    """What would change; only whether anything does is read."""

    changes: Json = None
    denies: Json = None
    request: Text | None = None


class Limits(Noun, frozen=True):
    """Budgets without room, and demands of the tool itself."""

    exceeded: frozenset[Text] | None = None
    requires: list[dict[str, Json]] | None = None


class Salted(Noun, frozen=True):
    """A personal value, and what its commitment was made with."""

    salt: str
    value: Raw


class Record(Noun, frozen=True):
    """A line of a transcript."""

    arguments: Json = None
    at: Text = ""
    call_id: Text | None = None
    conversation: Text = ""
    decision: Decision | None = None
    facts: dict[str, Json] | None = None
    kind: Text = "call"
    limits: Limits | None = None
    outcome: Outcome | None = None
    personal: dict[str, Salted] | None = None
    plan: Plan | UnsetType | None = UNSET
    policy: Text | None = None
    refusal: dict[str, Json] | None = None
    replayed: Json = None
    request: Text | None = None
    tool: Text = ""
    under_way: Json = None
