"""Ids: of version 7, in the order of time, and never twice."""

import time
import uuid

from tillgate.server.world import RandomMinter


def made(name: str) -> uuid.UUID:
    """The UUID in an id."""
    return uuid.UUID(name.partition("_")[2])


def test_an_id_is_an_uuid_of_version_7_with_the_present_time() -> None:
    before = time.time_ns() // 1_000_000
    found = made(RandomMinter().id("call"))
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert before <= found.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_do_not_meet_and_sort_by_time() -> None:
    minter = RandomMinter()
    found = [made(minter.id("esc")).int for _ in range(10_000)]
    assert len(set(found)) == 10_000
    times = [each >> 64 for each in found]  # to a quarter of a microsecond
    assert times == sorted(times)
    assert len(set(times)) > 5_000


def test_the_last_62_bits_are_random() -> None:
    minter = RandomMinter()
    ones, zeros = 0, 0
    for _ in range(500):
        value = made(minter.id("x")).int
        ones, zeros = ones | value, zeros | ~value
    assert ones & zeros & (2**64 - 1) == 2**62 - 1
