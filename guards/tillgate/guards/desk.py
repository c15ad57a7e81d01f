"""The gate's own desk: what it must remember between calls, and the port through which one transaction remembers it.

Everything a call reads and writes goes through one `Desk`, inside one transaction of the store: the change, its audit
record, the budget it used and the answer commit together or not at all.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from tillgate.guards.model import Agent, Assurance, Json, Plan, Subject
from tillgate.guards.money import Currency

STEP_UP_SECONDS = 600
"""How long a one-time code counts (CONTRACT §4)."""

RequestStatus: TypeAlias = Literal["pending", "approved", "executed", "denied", "expired", "withdrawn", "stale"]
ENDED: frozenset[RequestStatus] = frozenset({"denied", "expired", "withdrawn", "stale"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, as the transport knows it. `principal` scopes the conversation, so that naming one gives nothing.

    `customer_id` and `assurance` come from the token or the process settings; `since` is when that was established.
    """

    agent: Agent
    principal: str
    conversation: str
    customer_id: str | None
    assurance: Assurance
    since: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """One `tools/call` as it came in. `fault` is set when the raw message itself was refused."""

    tool: str
    arguments: Mapping[str, Json]
    caller: Caller
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation so far. `key` is its principal and id together; `nonce` seeds the ids made in it."""

    key: str
    id: str
    nonce: str
    customer_id: str | None
    stepped_up_at: datetime | None
    misses: int
    calls: int
    writes: int
    denied: int
    escalated: int
    orders: frozenset[str]
    last_record: int | None


@dataclass(frozen=True, slots=True)
class Action:
    """A changing call that acted or waits: what is recalled when it is sent again, and what can be undone."""

    call_id: str
    tool: str
    key: str | None
    arguments: str
    outcome: Mapping[str, Json]
    roots: Mapping[str, int]
    handle: str | None


@dataclass(frozen=True, slots=True)
class NewAction:
    """An action to remember. `arguments` is their digest, `roots` the versions of the records it left behind.

    `policy` is the digest of the policy that let it through.
    """

    call_id: str
    subject: Subject
    tool: str
    key: str | None
    arguments: str
    outcome: Mapping[str, Json]
    roots: Mapping[str, int]
    handle: str | None
    plan: Plan | None
    policy: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What a budget account has already used in its window: executed and reserved."""

    amount: int
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One use of a budget by one call."""

    budget: str
    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class Pending:
    """A confirmation that was asked for: bound to the tool, the plan and the subject, and to its conversation."""

    id: str
    tool: str
    plan: str
    customer_id: str | None
    strength: int
    salt: str
    token_hash: str
    expires_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code that was sent, without the code."""

    id: str
    expires_at: datetime
    sent_to: str


@dataclass(frozen=True, slots=True)
class Request:
    """An escalation: a call that waits for a person, bound to its plan, its subject, the policy and an expiry."""

    handle: str
    call_id: str
    received: Received
    subject: Subject
    talk_key: str
    consent: int
    plan_digest: str
    basis: tuple[tuple[str, int], ...]
    summary: str
    amount: int
    queue: str
    approvals: int
    policy: str
    created_at: datetime
    expires_at: datetime
    status: RequestStatus
    message: str | None
    packet: Mapping[str, Json]
    approved_by: tuple[str, ...]
    result: Mapping[str, Json] | None = None

    def state(self, now: datetime) -> RequestStatus:
        """The status at this instant: an unanswered request expires by the clock, not by a job that may not run."""
        return "expired" if self.status == "pending" and now >= self.expires_at else self.status


@dataclass(frozen=True, slots=True)
class Tally:
    """What a finished call adds to its conversation. An approved request is not a new call of it."""

    new_call: bool
    executed_write: bool
    denied: bool
    escalated: bool
    order: str | None


class Desk(Protocol):
    """One transaction: the gate's memory, the shop's record and the audit log, at one instant."""

    @property
    def now(self) -> datetime: ...

    def talk(self, caller: Caller) -> Talk:
        """The conversation of this caller, opened on its first call."""
        ...

    def tally(self, talk: Talk, tally: Tally) -> None: ...

    def record(self, subject: Subject, talk: Talk, money: Currency, *, bound: bool, besides: str | None) -> Any:
        """The record as this subject may see it; `bound` when the process or token fixes the customer.

        Money that waiting requests need is not there for others; `besides` names the request that is being decided.
        """
        ...

    def contact(self, customer_id: str) -> str | None:
        """The address one-time codes are sent to: the e-mail on file."""
        ...

    def roots(self, entities: Sequence[str]) -> Mapping[str, int]:
        """The present version of each aggregate root that exists."""
        ...

    def apply(self, plan: Plan) -> None:
        """Apply every change, or raise Stale with nothing changed."""
        ...

    def recall_key(self, subject: Subject, talk: Talk, key: str) -> Action | None: ...
    def recall_call(self, subject: Subject, talk: Talk, tool: str, arguments: str) -> Action | None: ...
    def remember(self, talk: Talk, action: NewAction) -> None: ...
    def settle_action(self, handle: str, roots: Mapping[str, int], plan: Plan, policy: str) -> None:
        """An approved request was executed: its action now carries the plan and the record it left behind."""
        ...

    def take_back(self, call_id: str, by: str) -> None:
        """An action was undone: it cannot be undone again, and its budget is free."""
        ...

    def spent(self, budget: str, account: str, since: datetime, *, besides: str | None) -> Spent: ...
    def book(self, entries: Sequence[Entry], call_id: str, handle: str | None) -> None: ...
    def release(self, handle: str) -> None:
        """Give back what a request had reserved."""
        ...

    def open_code(self, talk: Talk, customer_id: str) -> Code | None: ...
    def codes_since(self, customer_id: str, since: datetime) -> int: ...
    def add_code(self, talk: Talk, customer_id: str, code: Code, salt: str, code_hash: str) -> None: ...
    def pending(self, talk: Talk) -> Sequence[Pending]:
        """Confirmations of this conversation that were not used, newest first."""
        ...

    def add_pending(self, talk: Talk, pending: Pending) -> None: ...
    def spend_pending(self, pending_id: str) -> None: ...
    def miss_pending(self, talk: Talk) -> None:
        """A wrong token was tried: every open confirmation of the conversation loses one try."""
        ...

    def send(self, to: str, subject: str, body: str) -> None:
        """Put a message into the outbox; it leaves after this transaction commits."""
        ...

    def request(self, handle: str) -> Request | None: ...
    def requests(self) -> Sequence[Request]: ...
    def open_request(self, request: Request) -> None: ...
    def move_request(
        self, handle: str, status: RequestStatus, message: str | None, result: Mapping[str, Json] | None
    ) -> None: ...
    def add_approval(self, handle: str, reviewer: str) -> bool:
        """Record one person's yes; False when this person already said it."""
        ...

    def history(self, talk_key: str, limit: int) -> Sequence[Mapping[str, Json]]:
        """The last calls of a conversation: at, tool, status, reasons; oldest first."""
        ...

    def append(self, body: Mapping[str, Json], personal: Sequence[str], talk: Talk | None = None) -> None:
        """Append one audit record, of this conversation if any; `tally` closes it.

        The values at the `personal` paths are committed to in the log and kept beside it.
        """
        ...


class Store(Protocol):
    """Where desks come from."""

    def transaction(self) -> AbstractContextManager[Desk]:
        """One exclusive transaction: commits durably at the end, rolls back whole on any exception."""
        ...
