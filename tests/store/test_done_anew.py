"""A batch that was in somebody's way, or in which something failed unseen, is done anew, and nothing of it twice."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from worlds import World, make_world

from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.errors import Unavailable
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.log import stored_lines
from tillgate.server.store.opening import open_at
from tillgate.server.store.store import TRIES

NOTED = "UPDATE product SET title = title || ? WHERE shop = 'main' AND id = 'p_1'"


def noting(name: str) -> Callable[[SqlDesk], str]:
    """A job that leaves its name in the shop and in the log."""

    def job(desk: SqlDesk) -> str:
        desk.append({"kind": "failure", "at": "2026-01-01T00:00:00Z", "why": name}, ())
        desk.sql.tell(NOTED, (name,))
        return name

    return job


def left(world: World) -> tuple[str, list[Any]]:
    with world.store.reading() as desk:
        assert not verify_lines(stored_lines(desk.sql)).problems
    [(title,)] = world.rows("SELECT title FROM product WHERE id = 'p_1'")
    return title.removeprefix("T-Shirt"), [record["why"] for record in world.records()]


def tells_what_fails(desk: SqlDesk) -> str:
    """Nobody waits for the answer, and it is that there is such a row."""
    noting("b")(desk)
    desk.sql.tell("INSERT INTO product (shop, id, title, category) VALUES ('main', 'p_1', 'twice', 'x')")
    return "b"


def asks_what_fails(desk: SqlDesk) -> str:
    """Before anything was written."""
    desk.sql.rows("SELECT lost FROM nowhere")
    return "b"


@pytest.mark.every_store
@pytest.mark.parametrize("fails", [tells_what_fails, asks_what_fails])
@pytest.mark.parametrize("place_of_it", [0, 1, 2])
def test_a_statement_that_fails_is_the_fault_of_its_own_job_alone(
    world: World, fails: Callable[[SqlDesk], str], place_of_it: int
) -> None:
    jobs = [noting("a"), noting("c")]
    jobs.insert(place_of_it, fails)
    answers = world.store.run_all(jobs)
    assert isinstance(answers.pop(place_of_it), Exception)
    assert answers == ["a", "c"]
    assert left(world) == ("ac", ["a", "c"])


@pytest.mark.every_store
def test_a_statement_that_fails_alone_is_told_to_whoever_waits(world: World) -> None:
    with pytest.raises(Exception, match=r"nowhere"):
        world.store.run(asks_what_fails)
    assert world.store.run(noting("a")) == "a"
    assert left(world) == ("a", ["a"])


@pytest.fixture
def hasty(database: str) -> Iterator[World]:
    """A world on a server that looks for deadlocks soon, and finds the one who asks to be in the way."""
    world = make_world(f"{database}&options=-c%20deadlock_timeout%3D20ms")
    yield world
    world.store.close()


class Crossing:
    """Another session that writes the product and then the customer, while a job writes them the other way round."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._one = psycopg.connect(url, autocommit=False)
        self._one.execute("SET deadlock_timeout = '60s'")
        self._one.execute("UPDATE product SET category = 'crossed' WHERE id = 'p_1'")
        self._thread = threading.Thread(target=self._cross)
        self.began = 0

    def _cross(self) -> None:
        self._one.execute("UPDATE customer SET phone = 'crossed' WHERE id = 'cus_1'")
        self._one.commit()

    def job(self, desk: SqlDesk) -> str:
        self.began += 1
        desk.sql.run("UPDATE customer SET first_name = 'ours' WHERE shop = 'main' AND id = 'cus_1'")
        if self.began == 1:
            self._thread.start()
            with psycopg.connect(self._url, autocommit=True) as looking:
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                while looking.execute(waiting).fetchone() == (0,):
                    pass
        return noting("b")(desk)

    def close(self) -> None:
        self._thread.join()
        self._one.close()


@pytest.mark.parametrize("alone", [False, True])
def test_a_deadlock_with_somebody_else_is_done_anew(hasty: World, database: str, alone: bool) -> None:
    crossing = Crossing(database)
    if alone:
        assert hasty.store.run(crossing.job) == "b"
    else:
        assert hasty.store.run_all([crossing.job, noting("a"), noting("c")]) == ["b", "a", "c"]
    crossing.close()
    assert crossing.began == 2
    names = ["b"] if alone else ["b", "a", "c"]
    assert left(hasty) == ("".join(names), names)
    found = hasty.rows("SELECT p.category, c.phone, c.first_name FROM product p, customer c WHERE c.id = 'cus_1'")
    assert found == [("crossed", "crossed", "ours")]


def serialization(desk: SqlDesk) -> None:
    desk.sql.run("DO $$ BEGIN RAISE EXCEPTION 'overtaken' USING ERRCODE = 'serialization_failure'; END $$")


def test_who_is_overtaken_again_and_again_is_told_that_nothing_was_done(database: str) -> None:
    world = make_world(database)
    begun: list[int] = []

    def unlucky(desk: SqlDesk) -> None:
        begun.append(1)
        serialization(desk)

    with pytest.raises(Unavailable):
        world.store.run_all([noting("a"), unlucky])
    assert len(begun) == TRIES
    assert left(world) == ("", [])
    assert world.store.run_all([noting("a")]) == ["a"]
    world.store.close()


def test_nobody_is_told_of_a_commit_before_the_one_that_was_kept(database: str) -> None:
    world, told = make_world(database), list[str]()
    beside = open_at(database, world.clock, world.gate.minter)

    def look() -> None:
        with beside.reading() as desk:
            told.append(desk.sql.rows("SELECT title FROM product")[0][0])

    world.store.on_commit(look)
    begun: list[int] = []

    def unlucky_once(desk: SqlDesk) -> str:
        begun.append(1)
        if len(begun) == 1:
            serialization(desk)
        return "b"

    assert world.store.run_all([noting("a"), unlucky_once]) == ["a", "b"]
    assert told == ["T-Shirta"]
    world.store.close()
    beside.close()
