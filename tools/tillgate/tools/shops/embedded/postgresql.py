"""PostgreSQL: one connection to a server, and the store's statements on it."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from psycopg.pq.abc import PGresult

from tillgate.tools.shops.embedded.dialect import POSTGRESQL, Dialect
from tillgate.tools.shops.embedded.sql import MAIN, Params, Row, Statement
from tillgate.tools.shops.embedded.wire import Wire, cells_of

_FETCHED = 60
"""So many rows of a stream come at a time."""


class PostgresSql:
    """Implements `Sql`: a thin wrapper over one connection."""

    __slots__ = ("_wire", "shop")
    dialect: Dialect = POSTGRESQL

    def __init__(self, wire: Wire, shop: str = MAIN) -> None:
        self._wire = wire
        self.shop = shop

    @property
    def in_transaction(self) -> bool:
        return self._wire.in_transaction

    def rows(self, sql: str, params: Params = ()) -> Sequence[Row]:
        return _rows(self._wire.ask(sql, params))

    def row(self, sql: str, params: Params = ()) -> Row | None:
        return next(iter(_rows(self._wire.ask(sql, params))), None)

    def ask(self, sql: str, params: Params = ()) -> Callable[[], Sequence[Row]]:
        return lambda: self.rows(sql, params)

    def stream(self, sql: str, params: Params = ()) -> Generator[Row]:
        self._wire.tell(f"DECLARE streamed NO SCROLL CURSOR FOR {sql}", params)
        fetched: Sequence[Row] = ()
        try:
            while fetched := self.rows(f"FETCH {_FETCHED} FROM streamed"):
                yield from fetched
                if len(fetched) < _FETCHED:
                    break
        finally:
            if self._wire.in_transaction:
                self._wire.tell("CLOSE streamed")

    def rows_each(self, asked: Sequence[Statement]) -> Sequence[Sequence[Row]]:
        for sql, params in asked:
            self._wire.tell(sql, params)
        return [_rows(answer) for answer in self._wire.sync()[-len(asked) :]] if asked else []

    def run(self, sql: str, params: Params = ()) -> int:
        return self._wire.ask(sql, params).command_tuples or 0

    def run_each(self, told: Sequence[Statement]) -> list[int]:
        for sql, params in told:
            self._wire.tell(sql, params)
        return [answer.command_tuples or 0 for answer in self._wire.sync()[-len(told) :]] if told else []

    def tell(self, sql: str, params: Params = ()) -> None:
        self._wire.tell(sql, params)

    def tell_each(self, sql: str, params: Iterable[Params]) -> None:
        for each in params:
            self._wire.tell(sql, each)

    @contextmanager
    def savepoint(self, name: str) -> Generator[None]:
        """What was told inside is known to have gone well before the block is over."""
        self._wire.tell(f"SAVEPOINT {name}")
        try:
            yield
            self._wire.ask(f"RELEASE {name}")
        except BaseException:
            self._undo(name)
            raise

    def _undo(self, name: str) -> None:
        """Back to the savepoint, past whatever failed on the way to here."""
        with suppress(Exception):  # one is under way already, and says why
            self._wire.sync()
        if self._wire.in_part_of_one:
            self._wire.tell(f"ROLLBACK TO {name}")
            self._wire.ask(f"RELEASE {name}")


def _rows(answer: PGresult) -> list[Row]:
    if not answer.ntuples:
        return []
    names, cells = cells_of(answer)
    kind, value = _row_type(names), answer.get_value
    return [
        kind(None if (said := value(row, column)) is None else cell(said) for column, cell in enumerate(cells))
        for row in range(answer.ntuples)
    ]


@cache
def _row_type(names: tuple[str, ...]) -> Any:
    """Rows with these columns: a tuple that can be asked for one by name, the last of several with the same."""
    places = {name: place for place, name in enumerate(names)}

    class Named(tuple[Any, ...]):
        __slots__ = ()

        def __getitem__(self, key: Any, /) -> Any:
            return super().__getitem__(places[key] if isinstance(key, str) else key)

        def keys(self) -> Iterable[str]:
            return names

    return Named
