"""The conversation of a caller who names none, as every store remembers it."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from worlds import World, customer

from tillgate.server.store.running import running

LONG_AGO, TO_COME = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
ANA, BEN = "http:0a" + "1" * 30, "http:0b" + "2" * 30


def name(world: World, principal: str, since: datetime) -> str:
    with world.store.reading() as desk:
        return running(desk.sql, world.store.shop, principal, since)


@pytest.mark.every_store
def test_it_goes_on_until_it_has_been_silent_and_is_nobody_elses(world: World) -> None:
    first = name(world, ANA, LONG_AGO)
    who = replace(customer(), principal=ANA, conversation=first)
    for _ in range(2):
        assert world.call("get_order", who, order_id="ord_1").status == "completed"
        assert name(world, ANA, LONG_AGO) == first
    second = name(world, ANA, TO_COME)
    assert world.call("get_order", replace(who, conversation=second), order_id="ord_1").status == "completed"
    assert first != second == name(world, ANA, LONG_AGO)
    assert name(world, BEN, LONG_AGO) not in (first, second)
