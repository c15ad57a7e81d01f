"""Whatever is done to a shop file, it loads or is refused with findings, and a refused one changes nothing."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tillgate.guards.errors import SeedError
from tillgate.tools.shops.embedded.load import load_shop
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.sql import Sql

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
Contents = Callable[[Sql], dict[str, list[tuple[Any, ...]]]]
GONE = object()
ODD = st.sampled_from(
    [GONE, None, True, 0, -1, 1.5, 10**30, "", " ", "x", "-1.00", "1e9", "9" * 11, "a\x00", "\u202eid"]
) | (st.sampled_from([[], {}, [None], {"": ""}, "cus_2", "pm_2", "v_1", "ord_1-1", "BUNDLE5", "2026-01-01T00:00:00Z"]))


def places(node: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a JSON value but the root."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for step, child in inner for found in ((*way, step), *places(child, (*way, step)))]


def spoil(world: Any, way: tuple[Any, ...], value: Any) -> None:
    for step in way[:-1]:
        world = world[step]
    if value is GONE:
        del world[way[-1]]
    else:
        world[way[-1]] = deepcopy(value)  # the sampled lists are shared: one put into itself would have no end


def refused(attempt: Callable[[], object]) -> list[str] | None:
    """The findings, None when there are none; any other exception is a failure of the test."""
    try:
        attempt()
    except SeedError as error:
        return error.findings
    return None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_mutated_file_loads_or_is_refused_with_a_path_and_nothing_in_between(
    lasting: Sql, contents: Contents, valid: str, data: st.DataObject
) -> None:
    world = json.loads(valid)
    for _ in range(data.draw(st.integers(1, 3))):
        spoil(world, data.draw(st.sampled_from(places(world))), data.draw(ODD | st.text(max_size=5)))
    before = contents(lasting)
    lasting.run("BEGIN IMMEDIATE")
    try:
        findings = refused(lambda: seed(lasting, json.dumps(world), now=NOW, replace=True))
        if findings is not None:
            assert findings
            assert all(line.partition(": ")[0] and line.partition(": ")[2] for line in findings)
            assert contents(lasting) == before
    finally:
        lasting.run("ROLLBACK")


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), cut=st.integers(0, 3), byte=st.binary(max_size=3))
def test_a_file_with_odd_bytes_loads_or_is_refused(valid: str, at: int, cut: int, byte: bytes) -> None:
    text = valid.encode()
    at %= len(text)
    assert refused(lambda: load_shop(text[:at] + byte + text[at + cut :])) != []
