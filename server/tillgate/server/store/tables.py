"""The gate's own tables, in the same database as the shop's, declared with SQLModel. Rows are not the domain.

The log can only grow: triggers refuse to change or delete its records. Erasing a person touches the values beside it.
"""

from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Index, LargeBinary, MetaData, text
from sqlmodel import Field, SQLModel

from tillgate.tools.shops.embedded.columns import NUMBER, int_column, key, numbered, text_column
from tillgate.tools.shops.embedded.tables import create_tables as create_shop_tables
from tillgate.tools.shops.embedded.triggers import made_with, postgresql_rules, raised, refused, sqlite_rules

metadata = MetaData()


def found_by(name: str, *columns: str, given: str | None = None) -> Index:
    """An index that finds the rows of a shop by these columns, in this order; `given`, only where that has a value."""
    where = text(f"{given} IS NOT NULL") if given else None
    return Index(name, "shop", *columns, sqlite_where=where, postgresql_where=where)


def number() -> Any:
    """A whole number that is part of what names a row."""
    return Field(primary_key=True, sa_type=NUMBER)


class Row(SQLModel):
    """Every table of the gate shares one registry of its own, so the shop's tables are made apart.

    `shop` stands first in every key and index, so that a database can keep each shop by itself.
    """

    metadata = metadata
    __tablename__: ClassVar[Any]  # pyright: ignore[reportIncompatibleVariableOverride]
    __table_args__: ClassVar[Any] = ()
    shop: str = key()


class Log(Row, table=True):
    """One row a shop: on PostgreSQL whoever holds it decides, and the others wait. SQLite has one place for a file."""

    __tablename__ = "log"
    __table_args__ = {"info": {"only": "postgresql"}}


class Conversation(Row, table=True):
    __tablename__ = "conversation"
    id: str = key()
    name: str = text_column()
    nonce: str = text_column()
    customer_id: str | None = text_column(null=True)
    stepped_up_at: str | None = text_column(null=True)
    misses: int = int_column()
    calls: int = int_column()
    writes: int = int_column()
    denied: int = int_column()
    escalated: int = int_column()
    orders: str = text_column()
    last_record: int | None = int_column(null=True)


class Challenge(Row, table=True):
    __tablename__ = "challenge"
    __table_args__ = (
        found_by("challenge_conversation", "conversation"),
        found_by("challenge_customer", "customer_id"),
    )
    id: str = key()
    conversation: str = text_column()
    customer_id: str = text_column()
    sent_to: str = text_column()
    salt: str = text_column()
    code_hash: str = text_column()
    created_at: str = text_column()
    expires_at: str = text_column()
    attempts: int = int_column()
    used: int = int_column()


class Confirmation(Row, table=True):
    __tablename__ = "confirmation"
    __table_args__ = (
        found_by("confirmation_conversation", "conversation"),
        found_by("confirmation_customer", "customer_id", given="customer_id"),
    )
    id: str = key()
    conversation: str = text_column()
    customer_id: str | None = text_column(null=True)
    tool: str = text_column()
    plan: str = text_column()
    strength: int = int_column()
    salt: str = text_column()
    token_hash: str = text_column()
    created_at: str = text_column()
    expires_at: str = text_column()
    attempts: int = int_column()
    spent: int = int_column()
    said: int = int_column()


class Action(Row, table=True):
    """What a call did or waits to do; `seq` is the number of the audit record that tells of it."""

    __tablename__ = "action"
    __table_args__ = (
        found_by("action_arguments", "arguments", "seq"),
        found_by("action_key", "key", given="key"),
        found_by("action_handle", "handle", given="handle"),
        found_by("action_policy", "policy"),
    )
    call_id: str = key()
    seq: int = int_column()
    conversation: str = text_column()
    conversation_name: str = text_column()
    customer_id: str | None = text_column(null=True)
    at: str = text_column()
    tool: str = text_column()
    key: str | None = text_column(null=True)
    arguments: str = text_column()
    outcome: str = text_column()
    roots: str = text_column()
    handle: str | None = text_column(null=True)
    plan: str | None = text_column(null=True)
    policy: str = text_column()
    undone_by: str | None = text_column(null=True)


class BudgetUse(Row, table=True):
    __tablename__ = "budget_use"
    __table_args__ = (
        found_by("budget_use_call", "call_id"),
        found_by("budget_use_handle", "handle", given="handle"),
    )
    budget: str = key()
    account: str = key()
    at: int = number()
    call_id: str = key()
    amount: int = int_column()
    handle: str | None = text_column(null=True)
    taken_back: int = int_column()


class Escalation(Row, table=True):
    __tablename__ = "escalation"
    __table_args__ = (
        found_by("escalation_customer", "customer_id", given="customer_id"),
        found_by("escalation_status", "status"),
    )
    id: str = key()
    call_id: str = text_column()
    conversation: str = text_column()
    customer_id: str | None = text_column(null=True)
    caller: str = text_column()
    assurance: int = int_column()
    tool: str = text_column()
    arguments: str = text_column()
    consent: int = int_column()
    plan_digest: str = text_column()
    basis: str = text_column()
    summary: str = text_column()
    amount: int = int_column()
    queue: str = text_column()
    approvals: int = int_column()
    policy: str = text_column()
    created_at: str = text_column()
    expires_at: str = text_column()
    status: str = text_column()
    message: str | None = text_column(null=True)
    packet: str = text_column()
    result: str | None = text_column(null=True)
    effects: str = text_column()
    fence: int = int_column()
    lease_until: str | None = text_column(null=True)


class Approval(Row, table=True):
    __tablename__ = "approval"
    escalation_id: str = key()
    reviewer: str = key()
    at: str = text_column()


class Audit(Row, table=True):
    """`before` is the record before this one in the same conversation, so its history is found without an index."""

    __tablename__ = "audit"
    seq: int = number()
    hash: str = text_column()
    before: int | None = int_column(null=True)
    record: bytes = Field(sa_type=LargeBinary)


class Personal(Row, table=True):
    __tablename__ = "personal"
    seq: int = number()
    entries: bytes = Field(sa_type=LargeBinary)


class PolicyVersion(Row, table=True):
    __tablename__ = "policy_version"
    seq: int = number()
    digest: str = text_column()
    source: str = text_column()
    text: str = text_column()
    served_at: str = text_column()


class Serving(Row, table=True):
    """What a store is served with, by name, so that every command acts with the same."""

    __tablename__ = "serving"
    name: str = key()
    value: str = text_column()


class Paused(Row, table=True):
    """What agents may not call now: a tool by name, or `*` for all of them."""

    __tablename__ = "paused"
    tool: str = key()
    by: str = text_column()
    at: str = text_column()


class Outbox(Row, table=True):
    __tablename__ = "outbox"
    seq: int = number()
    at: str = text_column()
    recipient: str = text_column()
    subject: str = text_column()
    body: str = text_column()
    sent_at: str | None = text_column(null=True)


GROWS = "the audit log only grows"
_audit = metadata.tables["audit"]
made_with(
    _audit,
    "sqlite",
    sqlite_rules(
        "audit",
        {
            "no_update": ("BEFORE UPDATE ON audit", refused(GROWS)),
            "no_delete": ("BEFORE DELETE ON audit", refused(GROWS)),
            # REPLACE takes a row away without a DELETE trigger
            "no_replace": (
                "BEFORE INSERT ON audit WHEN"
                " EXISTS (SELECT 1 FROM audit WHERE (shop = NEW.shop AND seq = NEW.seq) OR rowid = NEW.rowid)",
                refused(GROWS),
            ),
        },
    ),
)
made_with(
    _audit,
    "postgresql",
    postgresql_rules(
        "audit",
        {
            "no_change": ("BEFORE UPDATE OR DELETE ON audit FOR EACH ROW", raised(GROWS)),
            "no_emptying": ("BEFORE TRUNCATE ON audit FOR EACH STATEMENT", raised(GROWS)),
        },
    ),
)
numbered(metadata.tables["approval"])


def create_tables(bind: Engine | Connection) -> None:
    """Create every table that this database has and that is not there yet."""
    create_shop_tables(bind)
    name = bind.dialect.name
    metadata.create_all(bind, tables=[each for each in metadata.sorted_tables if each.info.get("only", name) == name])
