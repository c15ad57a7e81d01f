"""What the store's tables are made of, in the shop's own words, so that a table reads as what it holds.

Declared once for SQLite and PostgreSQL. Text compares by its bytes in both, so that both sort alike.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_TIME = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z"


STRICT = {"sqlite_strict": True}
"""Table option: SQLite itself refuses a value of another type."""
TEXT: Any = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER: Any = Integer().with_variant(BigInteger(), "postgresql")


def key() -> Any:
    """A part of the name of a record: its shop, and its id in that shop."""
    return Field(primary_key=True, sa_type=TEXT)


class ShopTable(SQLModel, registry=registry()):
    """Base of the shop's tables, with metadata of its own: other tables may live in the same database.

    `shop` stands first in every key and index, so that a database can keep each shop by itself.
    """

    __tablename__: ClassVar[Any]  # pyright: ignore[reportIncompatibleVariableOverride]
    __table_args__: ClassVar[Any] = STRICT
    shop: str = key()


def refers(column: str, table: str) -> ForeignKeyConstraint:
    """A check that the column holds the id of a record of another table, in the same shop."""
    return ForeignKeyConstraint(["shop", column], [f"{table}.shop", f"{table}.id"])


def found_by(name: str, *columns: str, unique: bool = False) -> Index:
    """An index that finds the records of a shop by these columns or expressions, in this order."""
    return Index(name, "shop", *[text(each) if "(" in each else each for each in columns], unique=unique)


def found_apart(name: str, sqlite: tuple[str, ...], postgresql: tuple[str, ...]) -> list[Index]:
    """The same where the databases say it in different words."""
    both = {"sqlite": sqlite, "postgresql": postgresql}
    return [found_by(name, *columns).ddl_if(dialect=dialect) for dialect, columns in both.items()]


def text_column(*, null: bool = False) -> Any:
    """Text, or the id of another record."""
    return Field(sa_type=TEXT, nullable=null)


def json_column() -> Any:
    """A structured value as canonical JSON text."""
    return Field(sa_type=TEXT, nullable=False, sa_column_kwargs={"info": {"kind": "json"}})


def int_column(*, null: bool = False) -> Any:
    """A whole number: a count, or minor units of money."""
    return Field(sa_type=NUMBER, nullable=null)


def flag_column() -> Any:
    """A truth, kept as 0 or 1."""
    return Field(sa_type=NUMBER, nullable=False, sa_column_kwargs={"info": {"kind": "bool"}})


def version_column() -> Any:
    """How often the record was planned upon; every plan that reads it raises it."""
    return Field(default=1, sa_type=NUMBER, nullable=False, sa_column_kwargs={"server_default": text("1")})


def derived_column() -> Any:
    """Text that follows from other columns and that no plan may name."""
    kwargs = {"server_default": "", "info": {"kind": "derived"}}
    return Field(default="", sa_type=TEXT, nullable=False, sa_column_kwargs=kwargs)


def place_column() -> Any:
    """A position that follows from other columns and that no plan may name."""
    return Field(sa_type=NUMBER, nullable=False, sa_column_kwargs={"info": {"kind": "derived"}})


def account_column(otherwise: str) -> Any:
    """An account of the ledger, worked out by the database: the payment method, unless the kind of movement says."""
    worked_out = Computed(f"CASE kind {otherwise} ELSE 'method:' || method_id END", persisted=True)
    return Field(default=None, sa_column=Column(TEXT, worked_out, info={"kind": "derived"}))


def at_least(least: int, *columns: str) -> list[CheckConstraint]:
    """Checks that each column is at least this."""
    return [CheckConstraint(f"{column} >= {least}", name=f"{column}_least") for column in columns]


def one_of(column: str, *values: str) -> CheckConstraint:
    """A check that the column holds one of a closed list."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def times(*columns: str) -> list[CheckConstraint]:
    """Checks that each column is RFC 3339 in UTC with whole seconds."""
    return [check for column in columns for check in looks_like(column, _TIME, f"{column}_utc")]


def looks_like(column: str, pattern: str, name: str) -> list[CheckConstraint]:
    """A check of every character of a text against a pattern of characters and classes of them."""
    return checked(name, f"{column} GLOB '{pattern}'", f"{column} ~ '^{pattern}$'")


def valid_json(*columns: str) -> list[CheckConstraint]:
    """Checks that each column parses as JSON."""
    both = ((column, f"json_valid({column})", f"CAST({column} AS json) IS NOT NULL") for column in columns)
    return [check for column, *said in both for check in checked(f"{column}_json", *said)]


def checked(name: str, sqlite: str, postgresql: str) -> list[CheckConstraint]:
    """A check that the databases say in different words."""
    both = {"sqlite": sqlite, "postgresql": postgresql}
    return [CheckConstraint(said, name=name).ddl_if(dialect=dialect) for dialect, said in both.items()]


def numbered(table: Table) -> None:
    """Have PostgreSQL number the rows in the order they come in, as SQLite's `rowid` does by itself."""
    column = f"ALTER TABLE {table.name} ADD COLUMN rowid bigint GENERATED ALWAYS AS IDENTITY"
    event.listen(table, "after_create", DDL(column).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
