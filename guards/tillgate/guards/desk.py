"""The gate's own desk: what it must remember between calls, and the port through which one transaction remembers it.

Everything a call reads and writes goes through one `Desk`, inside one transaction of the store: the change, its audit
record, the budget it used and the answer commit together or not at all.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from tillgate.guards.effects import Effect
from tillgate.guards.model import Agent, Assurance, Json, Plan, Subject
from tillgate.guards.money import Currency

T = TypeVar("T")
STEP_UP_SECONDS = 600
"""How long a one-time code counts (CONTRACT §4)."""

RequestStatus: TypeAlias = Literal[
    "pending", "approved", "executing", "in_doubt", "executed", "denied", "expired", "withdrawn", "stale"
]
"""`executing`: it is being carried out somewhere; `in_doubt`: nobody can say whether it was."""
ENDED: frozenset[RequestStatus] = frozenset({"denied", "expired", "withdrawn", "stale"})
OUTSTANDING: frozenset[RequestStatus] = frozenset({"executing", "in_doubt"})
"""What such a request would change is held: nothing else may change it until it is known how it ended."""
LEASE_SECONDS = 6
"""How long whoever carries out a request has it for themselves; longer than any provider takes to answer."""


Way: TypeAlias = Literal["form", "page"]
"""How a client can put a question to whoever sits at it."""


class Caller(Struct, frozen=True):
    """Who acts, as the transport knows it. `principal` scopes the conversation, so that naming one gives nothing.

    `customer_id` and `assurance` come from the token or the process settings; `since` is when that was established.
    `asks` are the ways in which this client can ask its user. `scopes` are those of the token; None where there is none
    to cap anything.
    """

    agent: Agent
    principal: str
    conversation: str
    customer_id: str | None
    assurance: Assurance
    since: datetime
    asks: frozenset[Way] = frozenset()
    scopes: frozenset[str] | None = None


class Received(Struct, frozen=True):
    """One `tools/call` as it came in. `fault` is set when the raw message itself was refused.

    `agreed` is the token of a form in which the client's user said yes, `declined` the question to which they said no;
    both come from the transport, never from arguments.
    """

    tool: str
    arguments: Mapping[str, Json]
    caller: Caller
    fault: str | None = None
    agreed: str | None = None
    declined: str | None = None


class Talk(Struct, frozen=True):
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


class Action(Struct, frozen=True):
    """A changing call that acted or waits: what is recalled when it is sent again, and what can be undone."""

    call_id: str
    tool: str
    key: str | None
    arguments: str
    outcome: Mapping[str, Json]
    roots: Mapping[str, int]
    handle: str | None


class NewAction(Struct, frozen=True):
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


class Spent(Struct, frozen=True):
    """What a budget account has already used in its window: executed and reserved."""

    amount: int
    count: int


class Entry(Struct, frozen=True):
    """One use of a budget by one call."""

    budget: str
    account: str
    amount: int


class Pending(Struct, frozen=True):
    """A confirmation that was asked for: bound to the tool, the plan and the subject, and to its conversation.

    `said` when the customer said yes to it on our own page.
    """

    id: str
    tool: str
    plan: str
    customer_id: str | None
    strength: int
    salt: str
    token_hash: str
    expires_at: datetime
    attempts: int
    said: bool = False


class Proof(Struct, frozen=True):
    """A proof of identity that was asked for and can still be given: in whose conversation, of whom, until when."""

    talk_key: str
    customer_id: str
    expires_at: datetime


class Code(Struct, frozen=True):
    """A one-time code that was sent, without the code."""

    id: str
    expires_at: datetime
    sent_to: str


class Request(Struct, frozen=True):
    """A call that cannot end in one transaction: it waits for a person, or for an effect outside.

    Bound to its plan, its subject, the policy and an expiry. `effects` are what must happen outside once it may;
    `fence` counts the claims on it, and the last one has it until `lease_until`.
    """

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
    effects: tuple[Effect, ...] = ()
    fence: int = 0
    lease_until: datetime | None = None

    def state(self, now: datetime) -> RequestStatus:
        """The status at this instant: an unanswered request expires by the clock, not by a job that may not run."""
        return "expired" if self.status == "pending" and now >= self.expires_at else self.status


class Tally(Struct, frozen=True):
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

    def paused(self, tool: str) -> bool:
        """Whether somebody has paused this tool, or all of them."""
        ...

    def pause(self, tool: str | None, by: str) -> bool:
        """Pause a tool, or all of them; False when that is so already."""
        ...

    def resume(self, tool: str | None) -> bool:
        """Take a pause back; False when there was none."""
        ...

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

    def rehearse(self, plan: Plan) -> None:
        """Raise Stale if the plan could not be applied; nothing is changed."""
        ...

    def effects(self, plan: Plan) -> tuple[Effect, ...]:
        """What of this plan has to happen outside first; nothing where the store itself holds all it changes."""
        ...

    def held(self, subject: Subject, talk: Talk, plan: Plan, *, besides: str | None) -> RequestStatus | None:
        """How the request stands that holds a record this plan would change, if there is one (`OUTSTANDING`)."""
        ...

    def recall_id(self, call_id: str) -> Action | None: ...
    def recall_key(self, subject: Subject, talk: Talk, key: str) -> Action | None: ...
    def recall_call(self, subject: Subject, talk: Talk, tool: str, arguments: str) -> Action | None: ...
    def remember(self, talk: Talk, action: NewAction) -> None: ...
    def settle_action(self, handle: str, roots: Mapping[str, int], plan: Plan, policy: str) -> None:
        """An approved request was executed: its action now carries the plan and the record it left behind."""
        ...

    def finish_action(self, call_id: str, outcome: Mapping[str, Json], roots: Mapping[str, int], plan: Plan) -> None:
        """An action that was under way is done: it now carries its outcome, and waits for nobody."""
        ...

    def unbook(self, call_id: str) -> None:
        """What this call had booked is free again."""
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
    def proof_here(self, challenge_id: str) -> Proof | None:
        """A proof by its id, of whatever conversation, that was not given and has tries left."""
        ...

    def codes_since(self, customer_id: str, since: datetime) -> int: ...
    def add_code(self, talk: Talk, customer_id: str, code: Code, salt: str, code_hash: str) -> None: ...
    def pending(self, talk: Talk) -> Sequence[Pending]:
        """Confirmations of this conversation that were not used, newest first."""
        ...

    def pending_here(self, pending_id: str) -> Pending | None:
        """A confirmation by its id, of whatever conversation, that was not used and has tries left."""
        ...

    def say_pending(self, pending_id: str, *, right: bool) -> None:
        """The customer said yes on our page; or tried a wrong code there, which costs a try."""
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
    def open_request(self, request: Request) -> None:
        """Keep a request as it is here, in place of what was known of it."""
        ...

    def move_request(
        self, handle: str, status: RequestStatus, message: str | None, result: Mapping[str, Json] | None
    ) -> None:
        """To another state. An end stays as it is, unless it turns out to be in doubt."""
        ...

    def claim_request(self, handle: str, fence: int, seconds: int) -> bool:
        """Have a request to oneself for so long, if its claim has lapsed and it stands at this fence, which goes up."""
        ...

    def lapsed(self) -> Sequence[str]:
        """Handles of outstanding requests that nobody is at work on: their claims have run out."""
        ...

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

    def run(self, job: Callable[[Desk], T]) -> T:
        """Do one job in an exclusive transaction, alone or together with others; what it did is durable on return.

        What it raises is raised here, and then nothing of it stays. Raises Unavailable when the store cannot take it.
        """
        ...

    def transaction(self) -> AbstractContextManager[Desk]:
        """One exclusive transaction: commits durably at the end, rolls back whole on any exception."""
        ...
