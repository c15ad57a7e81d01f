"""One shop at work: its file and gate on one side, the model on the other; and how it dies and comes back."""

import functools
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger.memory import Memory
from ledger.model import Model
from ledger.reading import entries
from ledger.shops import CENTS, CONFIRMED, policy_text, shop_file
from worlds import NOW, SeededMinter, TestClock, customer

from tillgate.guards.desk import Caller, Received
from tillgate.guards.gate import Gate
from tillgate.guards.money import Currency
from tillgate.guards.outcome import Outcome
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.server.app import surfaces, tool_map
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.sqlite import SqliteStore
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.sql import Params, Sql
from tillgate.tools.shops.embedded.sqlite import SqliteSql

TOOLS = tool_map()


class Crash(BaseException):
    """The process is gone: nothing of it runs any further."""


def _file(sql: Sql) -> SqliteSql:
    assert isinstance(sql, SqliteSql)
    return sql


class DyingSql(SqliteSql):
    """A connection whose process dies at the n-th statement that writes."""

    __slots__ = ("_left",)

    def __init__(self, sql: SqliteSql, left: int) -> None:
        super().__init__(sql.connection)
        self._left = left

    def run(self, sql: str, params: Params = ()) -> int:
        self._left -= 1
        if self._left < 0:
            raise Crash
        return super().run(sql, params)


@functools.cache
def _seeded(money: Currency) -> bytes:
    """The file of a shop that has just opened."""
    with tempfile.TemporaryDirectory(prefix="tillgate-machine-") as folder:
        path = Path(folder) / "shop.db"
        store = SqliteStore(path, TestClock(), SeededMinter())
        with store.transaction() as desk:
            seed(desk.sql, json.dumps(shop_file(money)), now=NOW)
        store.close()
        return path.read_bytes()


@functools.cache
def _policy(money: Currency) -> Policy:
    return load_policy(policy_text(money), "policy.yaml", surfaces(TOOLS))


def caller(who: int) -> Caller:
    """A customer in a conversation of their own."""
    return customer(who, conversation=f"talk-{who}")


class House:
    """The shop's store, gate, model and memory; `sent` is every call so far."""

    def __init__(self, clock: TestClock, money: Currency = CENTS) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tillgate-machine-"))
        self.clock, self.minter, self.money = clock, SeededMinter(), money
        self._lives = 0
        self._path().write_bytes(_seeded(money))
        self._open()
        self.model = Model(self.entries(), clock.now())
        self.memory = Memory(self.model)
        self.sent: list[Any] = []

    def close(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def _path(self) -> Path:
        return self.folder / f"shop-{self._lives}.db"

    def _open(self) -> None:
        """The whole file, but nobody waits for the disk: what is lost here is lost on purpose."""
        self.store = SqliteStore(self._path(), self.clock, self.minter)
        with self.store.reading() as desk:
            connection = _file(desk.sql).connection
        connection.execute("PRAGMA synchronous = OFF")
        self.gate = Gate(TOOLS, _policy(self.money), self.store, self.minter)

    def entries(self) -> dict[str, dict[str, Any]]:
        """What the store holds."""
        with self.store.reading() as desk:
            return entries(desk.sql)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with self.store.reading() as desk:
            return [tuple(row) for row in desk.sql.rows(sql, params)]

    def write(self, sql: str, *params: Any) -> None:
        """What the shop itself does at its own database."""
        with self.store.transaction() as desk:
            desk.sql.run(sql, params)

    def received(self, who: int, tool: str, arguments: dict[str, Any]) -> Received:
        return Received(tool, arguments, caller(who))

    def ask(self, who: int, tool: str, arguments: dict[str, Any]) -> Outcome:
        """Send a call, and the yes that it asks for."""
        outcome = self.gate.handle(self.received(who, tool, arguments))
        if outcome.confirmation is None or tool not in CONFIRMED:
            return outcome
        return self.gate.handle(self.received(who, tool, self._with_yes(arguments, outcome)))

    def prepared(self, who: int, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments with a yes, if the tool asks for one."""
        if tool not in CONFIRMED:
            return arguments
        return self._with_yes(arguments, self.gate.handle(self.received(who, tool, arguments)))

    def _with_yes(self, arguments: dict[str, Any], asked: Outcome) -> dict[str, Any]:
        token = asked.confirmation.token if asked.confirmation else None
        return {**arguments, "confirmation_token": token} if token else arguments

    def die_in(self, act: Callable[[SqlDesk], object], writes: int) -> None:
        """Carry out an act and die in the middle of its transaction, at the latest before it is committed."""
        try:
            with self.store.transaction() as desk:
                try:
                    act(SqlDesk(DyingSql(_file(desk.sql), writes), self.clock.now(), self.minter))
                finally:
                    self._leave_as_it_lies()
                _die()
        except Crash:
            self._come_back()

    def lose_power(self) -> None:
        """Die between two calls."""
        self._leave_as_it_lies()
        self._come_back()

    def _leave_as_it_lies(self) -> None:
        """What another process would find on disk at this very moment."""
        here = self._path()
        self._lives += 1
        for suffix in ("", "-wal"):
            if (part := Path(f"{here}{suffix}")).exists():
                shutil.copy(part, f"{self._path()}{suffix}")

    def _come_back(self) -> None:
        self.store.close()
        self._open()


def _die() -> None:
    raise Crash
