"""The gate's own tables, in the same database as the shop's, declared with SQLModel. Rows are not the domain.

The log can only grow: triggers refuse to change or delete its records. Erasing a person touches the values beside it.
"""

from sqlalchemy import DDL, MetaData, event
from sqlmodel import Field, SQLModel

metadata = MetaData()


class Row(SQLModel):
    """Every table of the gate shares one registry of its own, so the shop's tables are made apart."""

    metadata = metadata


class Conversation(Row, table=True):
    __tablename__ = "conversation"  # pyright: ignore
    id: str = Field(primary_key=True)
    name: str
    nonce: str
    customer_id: str | None = None
    stepped_up_at: str | None = None
    misses: int = 0
    calls: int = 0
    writes: int = 0
    denied: int = 0
    escalated: int = 0
    orders: str = "[]"
    last_record: int | None = None


class Challenge(Row, table=True):
    __tablename__ = "challenge"  # pyright: ignore
    id: str = Field(primary_key=True)
    conversation: str = Field(index=True)
    customer_id: str = Field(index=True)
    sent_to: str
    salt: str
    code_hash: str
    created_at: str
    expires_at: str
    attempts: int = 0
    used: bool = False


class Confirmation(Row, table=True):
    __tablename__ = "confirmation"  # pyright: ignore
    id: str = Field(primary_key=True)
    conversation: str = Field(index=True)
    customer_id: str | None = Field(default=None, index=True)
    tool: str
    plan: str
    strength: int
    salt: str
    token_hash: str
    created_at: str
    expires_at: str
    attempts: int = 0
    spent: bool = False
    said: bool = False


class Action(Row, table=True):
    __tablename__ = "action"  # pyright: ignore
    seq: int | None = Field(default=None, primary_key=True)
    call_id: str = Field(unique=True)
    conversation: str = Field(index=True)
    conversation_name: str
    customer_id: str | None = Field(default=None, index=True)
    at: str
    tool: str
    key: str | None = Field(default=None, index=True)
    arguments: str = Field(index=True)
    outcome: str
    roots: str
    handle: str | None = Field(default=None, index=True)
    plan: str | None = None
    policy: str = Field(index=True)
    undone_by: str | None = None


class BudgetUse(Row, table=True):
    __tablename__ = "budget_use"  # pyright: ignore
    seq: int | None = Field(default=None, primary_key=True)
    budget: str = Field(index=True)
    account: str = Field(index=True)
    amount: int
    at: int
    call_id: str = Field(index=True)
    handle: str | None = Field(default=None, index=True)
    taken_back: bool = False


class Escalation(Row, table=True):
    __tablename__ = "escalation"  # pyright: ignore
    id: str = Field(primary_key=True)
    call_id: str
    conversation: str
    customer_id: str | None = Field(default=None, index=True)
    caller: str
    assurance: int
    tool: str
    arguments: str
    consent: int
    plan_digest: str
    basis: str
    summary: str
    amount: int
    queue: str
    approvals: int
    policy: str
    created_at: str
    expires_at: str
    status: str = Field(index=True)
    message: str | None = None
    packet: str
    result: str | None = None
    effects: str = "[]"
    fence: int = 0
    lease_until: str | None = None


class Approval(Row, table=True):
    __tablename__ = "approval"  # pyright: ignore
    escalation_id: str = Field(primary_key=True)
    reviewer: str = Field(primary_key=True)
    at: str


class Audit(Row, table=True):
    """`before` is the record before this one in the same conversation, so its history is found without an index."""

    __tablename__ = "audit"  # pyright: ignore
    seq: int = Field(primary_key=True)
    hash: str
    before: int | None = None
    record: bytes


class Personal(Row, table=True):
    __tablename__ = "personal"  # pyright: ignore
    seq: int = Field(primary_key=True)
    entries: bytes


class PolicyVersion(Row, table=True):
    __tablename__ = "policy_version"  # pyright: ignore
    seq: int | None = Field(default=None, primary_key=True)
    digest: str
    source: str
    text: str
    served_at: str


class Serving(Row, table=True):
    """What a store is served with, by name, so that every command acts with the same."""

    __tablename__ = "serving"  # pyright: ignore
    name: str = Field(primary_key=True)
    value: str


class Paused(Row, table=True):
    """What agents may not call now: a tool by name, or `*` for all of them."""

    __tablename__ = "paused"  # pyright: ignore
    tool: str = Field(primary_key=True)
    by: str
    at: str


class Outbox(Row, table=True):
    __tablename__ = "outbox"  # pyright: ignore
    seq: int | None = Field(default=None, primary_key=True)
    at: str
    recipient: str
    subject: str
    body: str
    sent_at: str | None = None


_GUARDS = {
    "update": "BEFORE UPDATE ON audit",
    "delete": "BEFORE DELETE ON audit",
    # REPLACE takes a row away without a DELETE trigger
    "replace": "BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)",
}
for _name, _when in _GUARDS.items():
    event.listen(
        metadata.tables["audit"],
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER audit_no_{_name} {_when} BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        ),
    )
