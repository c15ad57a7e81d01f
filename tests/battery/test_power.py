"""The power goes at any moment: what was answered is still there, and the log tells of what is there."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from battery.lossy import Connection
from battery.machine import Machine, Rack, racked

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.finishing import recover
from tillgate.guards.steps import drive
from tillgate.tools.shops.embedded import sqlite
from tillgate.tools.shops.embedded.engine import dbapi

Note = Callable[[str, object], None]
ACTS = 6
MOST_OPERATIONS = 600
"""About what six acts ask of a disk, with checkpoints in between."""


def cut(rack: Rack, seed: int, synchronous: str = "FULL") -> Machine:
    """The machine as it is found after its power went at some operation of its disk."""
    chance = Random(seed)
    here, left = rack.machine(), list[Machine]()
    at, here.pages = chance.randrange(MOST_OPERATIONS), chance.choice([16, 100, 1000, 1000])

    def go(_what: str) -> None:
        if here.disk.operations == at:
            left.append(rack.after(here, here.disk.found(chance)))

    def adjust(connection: Connection) -> None:
        connection.execute(f"PRAGMA synchronous = {synchronous}")

    here.disk.before, here.adjust = go, adjust
    shop = here.start()
    for number in range(ACTS):
        if not left:
            here.act(shop, seed, 100 + number)
    found = left[0] if left else rack.after(here, here.disk.found(chance))
    shop.store.close()
    return found


def findings(found: Machine) -> list[str]:
    """What does not hold when it comes back, and when it has taken up what was under way."""
    shop = found.start()
    with found.watched(shop) as seen:
        assert shop.rows("PRAGMA integrity_check") == [("ok",)]
        told = seen.findings()
        found.clock.at += timedelta(hours=1)
        drive(recover(shop.gate), shop.store, shop.gate.reach)
        return told + seen.findings_at_rest()


@pytest.mark.parametrize("cuts", [40, pytest.param(2_000, marks=pytest.mark.long)])
def test_nothing_that_was_answered_is_lost_when_the_power_goes(cuts: int, record_property: Note) -> None:
    answered = list[int]()
    for seed in range(cuts):
        with racked() as rack:
            found = cut(rack, seed)
            answered.append(len(found.answers))
            assert (seed, findings(found)) == (seed, [])
    amid = sum(count < ACTS for count in answered)
    assert amid > cuts / 2
    record_property("answered", sum(answered))
    record_property("amid an act", amid)


@pytest.mark.parametrize("cuts", [20, pytest.param(2_000, marks=pytest.mark.long)])
def test_a_store_that_does_not_sync_every_commit_is_seen_to_lose_answers(cuts: int, record_property: Note) -> None:
    """The harness itself: with `synchronous = NORMAL` it must find what that loses, and nothing worse."""
    lossy = 0
    for seed in range(cuts):
        with racked() as rack:
            lossy += any(each.startswith("lost answer") for each in findings(cut(rack, seed, "NORMAL")))
    assert lossy > cuts / 4
    record_property("lost answers", lossy)


class Unsynced(dbapi.Connection):
    """A SQLite that stays at `synchronous = NORMAL`, whatever it is asked."""

    def execute(self, statement: str, *rest: Any) -> Any:
        return super().execute(statement.replace("synchronous = 2", "synchronous = NORMAL"), *rest)


def test_a_store_that_does_not_sync_every_commit_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="synchronous at 1, not 2"):
        sqlite.durable(dbapi.connect(tmp_path / "shop.db", isolation_level=None, factory=Unsynced))
