"""All or nothing, however blocks stand in one another: what is left is what would be left had each had its savepoint.

A savepoint is taken before the first write, and blocks without a write before share one. Held against a model that
copies everything at the beginning of each block.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import World

from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.store import SqlStore
from tillgate.tools.shops.embedded.sql import Sql

pytestmark = pytest.mark.every_store
Way: TypeAlias = str


@dataclass(frozen=True)
class Put:
    """One of two products gets a title, in one of the ways there are to write."""

    product: str
    title: str
    way: Way


@dataclass(frozen=True)
class Block:
    """Some of that, all or nothing; `fails` at its end."""

    fails: bool
    acts: tuple["Act", ...]


Act: TypeAlias = Put | Block
PUTS = st.builds(Put, st.sampled_from(["p_1", "p_2"]), st.text("abc", min_size=1, max_size=2), st.sampled_from("rtem"))
ACTS = st.recursive(PUTS, lambda acts: st.builds(Block, st.booleans(), st.lists(acts, max_size=4).map(tuple)))
PROGRAMS = st.lists(ACTS, max_size=6).map(tuple)
SET = "UPDATE product SET title = ? WHERE shop = 'main' AND id = ?"


class Failing(Exception):
    """What a block fails with."""


@pytest.fixture
def store(world: World) -> SqlStore:
    """The store of a world with a second product in it."""
    with world.store.transaction() as desk:
        desk.sql.run("INSERT INTO product (shop, id, title, category) VALUES ('main', 'p_2', 'Mug', 'kitchen')")
    return world.store


def titles(sql: Sql) -> dict[str, str]:
    return {row["id"]: row["title"] for row in sql.rows("SELECT id, title FROM product WHERE shop = 'main'")}


def put(sql: Sql, act: Put) -> None:
    values = (act.title, act.product)
    match act.way:
        case "r":
            assert sql.run(SET, values) == 1
        case "t":
            sql.tell(SET, values)
        case "e":
            assert list(sql.run_each([(SET, ("before", act.product)), (SET, values)])) == [1, 1]
        case _:
            sql.tell_each(SET, [("before", act.product), values])


def play(sql: Sql, acts: tuple[Act, ...], model: dict[str, str]) -> dict[str, str]:
    """Do it for real and in the model, and compare after each block."""
    for act in acts:
        if isinstance(act, Put):
            put(sql, act)
            model = {**model, act.product: act.title}
            continue
        inside = model
        with suppress(Failing), sql.savepoint("part"):
            inside = play(sql, act.acts, model)
            if act.fails:
                raise Failing
        model = model if act.fails else inside
        assert titles(sql) == model
    return model


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PROGRAMS, st.booleans())
def test_a_block_that_fails_leaves_nothing_and_takes_nothing(
    store: SqlStore, acts: tuple[Act, ...], hurry: bool
) -> None:
    with suppress(Failing), store.transaction() as desk:
        if hurry:
            desk.hurry()
        stood = titles(desk.sql)
        left = play(desk.sql, acts, stood)
        assert titles(desk.sql) == left
        raise Failing
    with store.reading() as desk:
        assert titles(desk.sql) == stood


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(PROGRAMS, st.booleans()), min_size=1, max_size=5))
def test_a_job_that_fails_leaves_nothing_and_takes_nothing(
    store: SqlStore, jobs: list[tuple[tuple[Act, ...], bool]]
) -> None:
    def job(acts: tuple[Act, ...], fails: bool) -> object:
        def done(desk: SqlDesk) -> dict[str, str]:
            left = play(desk.sql, acts, titles(desk.sql))
            if fails:
                raise Failing
            return left

        return done

    with store.reading() as desk:
        model = titles(desk.sql)
    answers = store.run_all([job(*each) for each in jobs])  # type: ignore[misc]
    for (_, fails), answer in zip(jobs, answers, strict=True):
        assert isinstance(answer, Failing) == fails
        model = answer if isinstance(answer, dict) else model
    with store.reading() as desk:
        assert titles(desk.sql) == model
