"""A machine whose disk is in memory: the real gate, desk and store on it, and a provider elsewhere that outlives it."""

import copy
import functools
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from battery import lossy
from battery.acts import act
from battery.disk import Disk, holding
from battery.seen import Watch
from battery.shown import Entities, entities
from battery.stage import POLICY, Place, Shop, Still, caller, opened, read
from battery.story import Story

from tillgate.guards.desk import Received
from tillgate.guards.effects import Answer, Done, Effect, Refused, reach
from tillgate.guards.gate import Gate
from tillgate.guards.outcome import Outcome
from tillgate.server.app import tool_map
from tillgate.server.store import sqlite
from tillgate.server.store.sqlite import SqliteStore
from tillgate.server.world import RandomMinter
from tillgate.tools.shops.embedded.outside import PAYMENTS, refunds_outside
from tillgate.tools.shops.embedded.sqlite import durable

NAME = "shop.db"
Adjust = Callable[[lossy.Connection], None]


@dataclass
class Books:
    """A provider that does what it is asked, once a key, on another machine."""

    done: dict[str, int] = field(default_factory=dict[str, int])
    repeatable: bool = True

    def carry_out(self, effect: Effect, key: str) -> Answer:
        self.done.setdefault(key, 1)
        return Done(key)

    def find(self, key: str) -> Answer | None:
        return Done(key) if key in self.done else Refused("it was never asked for")

    def acts(self) -> Mapping[str, int]:
        return self.done


@functools.cache
def seeded() -> tuple[bytes, Entities]:
    """The file of a shop that has just opened, and what is in it."""
    with tempfile.TemporaryDirectory() as folder:
        place = opened(Place(Path(folder)))
        shop = place.open()
        with shop.store.reading() as desk:
            found = entities(desk.sql)
        shop.store.close()
        return (place.folder / NAME).read_bytes(), found


@dataclass
class Machine:
    """One disk, one clock and one provider; `answers` is what its callers were told.

    Its log is put into the database once it holds more than so many `pages`; `adjust` is done to each connection.
    """

    name: Path
    disk: Disk = field(default_factory=lambda: holding(NAME, seeded()[0]))
    clock: Still = field(default_factory=Still)
    books: Books = field(default_factory=Books)
    answers: list[Any] = field(default_factory=list[Any])
    pages: int = 1000
    adjust: Adjust = lambda _connection: None
    undoable: tuple[int, str] = (1, "call_0")

    def start(self) -> Shop:
        """The shop as the server opens it, on this disk."""
        minter = RandomMinter()
        store = SqliteStore(self.name, self.clock, minter)
        store.outside = refunds_outside
        return Shop(Gate(tool_map(), read(POLICY), store, minter, partial(reach, {PAYMENTS: self.books})), store)

    def connect(self) -> Any:
        """A connection as the product makes them."""
        connection = lossy.Connection(self.disk, NAME, self.pages)
        durable(cast(Any, connection))
        self.adjust(connection)
        return connection

    def act(self, shop: Shop, seed: int, number: int) -> Outcome:
        """One act of a customer's, or the taking back of the last one that can be; and its answer."""
        made = act(seed, number)
        who, arguments = made.who, dict(made.arguments)
        if made.takes_back is not None:
            who, arguments["call_id"] = self.undoable
        outcome = shop.gate.handle(Received(made.tool, arguments, caller(who)))
        if made.tool in ("edit_cart", "update_address") and outcome.executed:
            self.undoable = who, outcome.call_id
        self.answers.append(("act", number, outcome.as_json()))
        return outcome

    @contextmanager
    def watched(self, shop: Shop) -> Generator[Watch]:
        """A look at what is on the disk now."""
        try:
            yield Watch(self.books, shop, Story(copy.deepcopy(seeded()[1])), list(self.answers))
        finally:
            shop.store.close()


class Rack:
    """Machines by name: the store of each finds its own disk."""

    def __init__(self) -> None:
        self._machines: dict[Path, Machine] = {}

    def machine(self) -> Machine:
        """A machine with a shop that has just opened."""
        return self._put(Machine(Path(f"machine-{len(self._machines)}")))

    def after(self, before: Machine, disk: Disk) -> Machine:
        """A machine that comes back with this disk: its provider, its clock and what it had answered are the same."""
        name = Path(f"machine-{len(self._machines)}")
        books = replace(before.books, done=dict(before.books.done))
        return self._put(Machine(name, disk, Still(before.clock.at), books, list(before.answers)))

    def connect(self, path: Path) -> Any:
        """In place of what the store opens its file with."""
        return self._machines[path].connect()

    def _put(self, machine: Machine) -> Machine:
        self._machines[machine.name] = machine
        return machine


@contextmanager
def racked() -> Generator[Rack]:
    """A rack whose machines the real store works on."""
    rack, _ = Rack(), seeded()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "connect", rack.connect)
        patch.setattr(sqlite, "_is_made", lambda _path: True)
        yield rack
