"""What the store asks of a database: plain statements for one shop, over a connection that somebody else owns.

It opens and ends no transaction of its own: whoever owns the connection does, so that shop changes and audit
records commit together. A statement is written once, in what SQLite and PostgreSQL both understand, with `?` or
`:name` where a value goes; where they differ, a `Dialect` has the words. Only names from a `TableSpec` are ever part
of a statement.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from tillgate.guards.errors import Unavailable
from tillgate.tools.shops.embedded.dialect import Dialect

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]
Statement: TypeAlias = tuple[str, Params]
MAIN = "main"
"""The shop of a database that holds but one."""


class Conflict(Exception):
    """Another record depends on one that would go, or there is one already where one would come."""


class Overtaken(Unavailable):
    """Somebody else's transaction came before this one, or something failed in it that nobody had waited for.

    Nothing of the transaction was done, and all of it can be done anew.
    """


class Row(Protocol):
    """One row of an answer, by position or by column name."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def keys(self) -> Iterable[str]: ...


class Sql(Protocol):
    """One connection, for one shop. Raises Conflict where a record depends on another."""

    @property
    def shop(self) -> str: ...
    @property
    def dialect(self) -> Dialect: ...
    @property
    def in_transaction(self) -> bool:
        """Whether what is run now is part of a transaction that can still be committed."""
        ...

    def rows(self, sql: str, params: Params = ()) -> Sequence[Row]:
        """Every row of the answer."""
        ...

    def row(self, sql: str, params: Params = ()) -> Row | None:
        """The first row of the answer, if there is one."""
        ...

    def stream(self, sql: str, params: Params = ()) -> Generator[Row]:
        """The rows of the answer one by one: what is not asked for is not looked for."""
        ...

    def rows_each(self, asked: Sequence[Statement]) -> Sequence[Sequence[Row]]:
        """The rows of several answers, none of which waits for another."""
        ...

    @property
    def far(self) -> bool:
        """Whether it is worth while to foresee anything."""
        ...

    def foresee(self, sql: str, params: Params = ()) -> None:
        """All these rows will likely be asked for, in the same words, by `row`, `rows` or `stream`.

        A database far away is asked for them at once, and nobody waits. What is written meanwhile is never overlooked.
        """
        ...

    def send(self) -> None:
        """Have the database begin with what it was told, and do not wait for it."""
        ...

    def run(self, sql: str, params: Params = ()) -> int:
        """Execute a statement that answers nothing; the number of rows it changed."""
        ...

    def run_each(self, told: Sequence[Statement]) -> Sequence[int]:
        """Execute several in this order; the number of rows each changed."""
        ...

    def tell(self, sql: str, params: Params = ()) -> None:
        """Execute a statement nobody waits for. If it fails, whatever is asked next does, at the latest the commit."""
        ...

    def tell_each(self, sql: str, params: Iterable[Params]) -> None:
        """The same with one statement for each set of parameters."""
        ...

    def hurry(self) -> None:
        """From here on wait for no answer that is not needed.

        Where it then turns out late that something has failed, whatever it was, Overtaken is raised.
        """
        ...

    def savepoint(self, name: str) -> AbstractContextManager[None]:
        """All or nothing inside whatever transaction is open: an exception undoes the block and goes on.

        `name` is a literal of the code. Nothing is said to the database before the first write in the block.
        """
        ...
