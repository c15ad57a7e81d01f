"""PostgreSQL: one connection to a server, and the store's statements on it."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from tillgate.tools.shops.embedded.dialect import POSTGRESQL, Dialect
from tillgate.tools.shops.embedded.foreseen import Foreseen
from tillgate.tools.shops.embedded.savepoints import Block, Savepoints
from tillgate.tools.shops.embedded.sql import MAIN, Overtaken, Params, Row, Statement
from tillgate.tools.shops.embedded.wire import Answer, Wire, said_as, shape_of, values_of

_FETCHED = 60
"""So many rows of a stream come at a time."""


class PostgresSql:
    """Implements `Sql`: a thin wrapper over one connection, for one transaction."""

    __slots__ = ("_foreseen", "_savepoints", "_wire", "shop")
    dialect: Dialect = POSTGRESQL

    def __init__(self, wire: Wire, shop: str = MAIN) -> None:
        self._wire = wire
        self._foreseen = Foreseen()
        self._savepoints = Savepoints(self._say, self._ready)
        self._savepoints.early = True
        self.shop = shop

    @property
    def in_transaction(self) -> bool:
        with suppress(Exception):  # whoever waits for the answers is told of it
            self._wire.sync()
        return self._wire.in_transaction

    def rows(self, sql: str, params: Params = ()) -> Sequence[Row]:
        said, values = _said(sql, params)
        return list(self._each(self._foreseen.find(said, values) or self._wire.tell_values(said, values)))

    def row(self, sql: str, params: Params = ()) -> Row | None:
        return next(iter(self.rows(sql, params)), None)

    def stream(self, sql: str, params: Params = ()) -> Generator[Row]:
        """Through a cursor, for which the server plans anew with these values, unless the answer was foreseen."""
        if (foreseen := self._foreseen.find(*_said(sql, params))) is not None:
            yield from self._each(foreseen)
            return
        self._wire.tell(f"DECLARE streamed NO SCROLL CURSOR FOR {sql}", params)
        try:
            while True:
                answer = self._wire.tell(f"FETCH {_FETCHED} FROM streamed")
                yield from self._each(answer, anew=True)
                if self._wire.read(answer).ntuples < _FETCHED:
                    break
        finally:
            if self._wire.in_transaction:
                self._wire.tell("CLOSE streamed")

    def rows_each(self, asked: Sequence[Statement]) -> Sequence[Sequence[Row]]:
        return [list(self._each(answer)) for answer in [self._wire.tell(sql, params) for sql, params in asked]]

    @property
    def far(self) -> bool:
        """Only in a hurry: what fails ahead is not known where it belongs."""
        return not self._savepoints.early

    def foresee(self, sql: str, params: Params = ()) -> None:
        if not self.far:
            return
        said, values = _said(sql, params)
        if self._foreseen.find(said, values) is None:
            self._foreseen.keep(said, values, self._wire.tell_values(said, values))

    def send(self) -> None:
        self._wire.send()

    def run(self, sql: str, params: Params = ()) -> int:
        return self.run_each([(sql, params)])[0]

    def run_each(self, told: Sequence[Statement]) -> list[int]:
        answers = [self._told(sql, params) for sql, params in told]
        return [self._wire.read(answer).command_tuples or 0 for answer in reversed(answers)][::-1]

    def tell(self, sql: str, params: Params = ()) -> None:
        self._told(sql, params)

    def tell_each(self, sql: str, params: Iterable[Params]) -> None:
        for each in params:
            self._told(sql, each)

    def hurry(self) -> None:
        """What was told may fail late. The server then gives up the transaction, and the store does it anew."""
        self._savepoints.early = False

    def savepoint(self, name: str) -> Block:
        return self._savepoints.block(name)

    def _told(self, sql: str, params: Params) -> Answer:
        self._foreseen.writing(sql)
        self._savepoints.take()
        return self._wire.tell(sql, params)

    def _say(self, sql: str) -> None:
        """Of savepoints. Without a hurry, what was told inside is known to have gone well before a block is over."""
        if self._savepoints.early and not sql.startswith("SAVEPOINT"):
            self._wire.ask(sql)
        else:
            self._wire.tell(sql)

    def _ready(self) -> bool:
        """Past whatever failed on the way to here. In a hurry nobody can say any more to whom that belonged."""
        if self.in_transaction or (self._savepoints.early and self._wire.in_part_of_one):
            return True
        if self._wire.in_part_of_one:
            raise Overtaken("PostgreSQL: a statement failed, and the transaction with it")
        return False

    def _each(self, answer: Answer, *, anew: bool = False) -> Iterator[Row]:
        """The rows of an answer, each made when it is asked for."""
        result = self._wire.read(answer)
        if not result.ntuples:
            return iter(())
        names, cells = shape_of(result) if anew else self._wire.shape(answer, result)
        kind, value = _row_type(names), result.get_value
        return (
            kind([None if (said := value(row, column)) is None else cell(said) for column, cell in enumerate(cells)])
            for row in range(result.ntuples)
        )


def _said(sql: str, params: Params) -> tuple[bytes, tuple[Any, ...]]:
    """A statement and its values, as answers are kept by."""
    said, names = said_as(sql)
    return said, tuple(values_of(params, names))


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
