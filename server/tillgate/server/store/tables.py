"""The gate's own tables, in the same database as the shop's, declared with SQLModel. Rows are not the domain.

The log can only grow: triggers refuse to change or delete its records. Erasing a person touches the values beside it.
"""

from typing import Any, ClassVar

from sqlalchemy import DDL, Index, MetaData, event, text
from sqlmodel import Field, SQLModel

metadata = MetaData()


def found_by(name: str, *columns: str, given: str | None = None) -> Index:
    """An index that finds the rows of a shop by these columns, in this order; `given`, only where that has a value."""
    where = text(f"{given} IS NOT NULL") if given else None
    return Index(name, "shop", *columns, sqlite_where=where, postgresql_where=where)


class Row(SQLModel):
    """Every table of the gate shares one registry of its own, so the shop's tables are made apart.

    `shop` stands first in every key and index, so that a database can keep each shop by itself.
    """

    metadata = metadata
    __table_args__: ClassVar[Any] = ()
    shop: str = Field(primary_key=True)


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
    __table_args__ = (
        found_by("challenge_conversation", "conversation"),
        found_by("challenge_customer", "customer_id"),
    )
    id: str = Field(primary_key=True)
    conversation: str
    customer_id: str
    sent_to: str
    salt: str
    code_hash: str
    created_at: str
    expires_at: str
    attempts: int = 0
    used: int = 0


class Confirmation(Row, table=True):
    __tablename__ = "confirmation"  # pyright: ignore
    __table_args__ = (
        found_by("confirmation_conversation", "conversation"),
        found_by("confirmation_customer", "customer_id", given="customer_id"),
    )
    id: str = Field(primary_key=True)
    conversation: str
    customer_id: str | None = None
    tool: str
    plan: str
    strength: int
    salt: str
    token_hash: str
    created_at: str
    expires_at: str
    attempts: int = 0
    spent: int = 0
    said: int = 0


class Action(Row, table=True):
    """What a call did or waits to do; `seq` is the number of the audit record that tells of it."""

    __tablename__ = "action"  # pyright: ignore
    __table_args__ = (
        found_by("action_arguments", "arguments"),
        found_by("action_key", "key", given="key"),
        found_by("action_handle", "handle", given="handle"),
        found_by("action_policy", "policy"),
    )
    call_id: str = Field(primary_key=True)
    seq: int
    conversation: str
    conversation_name: str
    customer_id: str | None = None
    at: str
    tool: str
    key: str | None = None
    arguments: str
    outcome: str
    roots: str
    handle: str | None = None
    plan: str | None = None
    policy: str
    undone_by: str | None = None


class BudgetUse(Row, table=True):
    __tablename__ = "budget_use"  # pyright: ignore
    __table_args__ = (
        found_by("budget_use_call", "call_id"),
        found_by("budget_use_handle", "handle", given="handle"),
    )
    budget: str = Field(primary_key=True)
    account: str = Field(primary_key=True)
    at: int = Field(primary_key=True)
    call_id: str = Field(primary_key=True)
    amount: int
    handle: str | None = None
    taken_back: int = 0


class Escalation(Row, table=True):
    __tablename__ = "escalation"  # pyright: ignore
    __table_args__ = (
        found_by("escalation_customer", "customer_id", given="customer_id"),
        found_by("escalation_status", "status"),
    )
    id: str = Field(primary_key=True)
    call_id: str
    conversation: str
    customer_id: str | None = None
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
    status: str
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
    seq: int = Field(primary_key=True)
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
    seq: int = Field(primary_key=True)
    at: str
    recipient: str
    subject: str
    body: str
    sent_at: str | None = None


_GUARDS = {
    "update": "BEFORE UPDATE ON audit",
    "delete": "BEFORE DELETE ON audit",
    # REPLACE takes a row away without a DELETE trigger
    "replace": "BEFORE INSERT ON audit WHEN"
    " EXISTS (SELECT 1 FROM audit WHERE (shop = NEW.shop AND seq = NEW.seq) OR rowid = NEW.rowid)",
}
for _name, _when in _GUARDS.items():
    event.listen(
        metadata.tables["audit"],
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER audit_no_{_name} {_when} BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END"
        ),
    )
