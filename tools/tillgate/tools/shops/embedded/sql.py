"""What the store asks of a database: plain statements for one shop, over a connection that somebody else owns.

It opens and ends no transaction of its own: whoever owns the connection does, so that shop changes and audit
records commit together. A statement is written once, in what SQLite and PostgreSQL both understand, with `?` or
`:name` where a value goes; where they differ, a `Dialect` has the words. Only names from a `TableSpec` are ever part
of a statement.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from tillgate.tools.shops.embedded.dialect import Dialect

Params: TypeAlias = Sequence[Any] | Mapping[str, Any]
Statement: TypeAlias = tuple[str, Params]
MAIN = "main"
"""The shop of a database that holds but one."""


class Conflict(Exception):
    """Another record depends on one that would go, or there is one already where one would come."""


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

    def ask(self, sql: str, params: Params = ()) -> Callable[[], Sequence[Row]]:
        """Ask for rows that are likely wanted; what comes back gives them. A database far away sends them along."""
        ...

    def stream(self, sql: str, params: Params = ()) -> Generator[Row]:
        """The rows of the answer one by one: what is not asked for is not looked for."""
        ...

    def rows_each(self, asked: Sequence[Statement]) -> Sequence[Sequence[Row]]:
        """The rows of several answers, none of which waits for another."""
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

    def savepoint(self, name: str) -> AbstractContextManager[None]:
        """All or nothing inside whatever transaction is open: an exception undoes the block and goes on.

        `name` is a literal of the code.
        """
        ...
