"""What people decide is decided once and carried out once, by whoever of many gets to it, and never too late."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from battery.calling import Call, call, small, to_card
from battery.crowd import crowd
from battery.stage import Place, Shop, Still, opened
from worlds import NOW

from tillgate.guards import review
from tillgate.guards.effects import UnderWay
from tillgate.guards.finishing import recover
from tillgate.guards.steps import Steps, Transact, drive
from tillgate.server.store.desk import SqlDesk

LARGE = "60.00"
EXECUTORS = 8
EXPIRES = timedelta(hours=24)


@contextmanager
def shop_of(place: Place) -> Generator[Shop]:
    """The shop of one process, until it is not needed any more."""
    shop = place.open()
    try:
        yield shop
    finally:
        shop.store.close()


def asked(shop: Shop, made: Call) -> str:
    """The handle of a call that waits for a person."""
    who, tool, arguments = made
    outcome = call(shop, who, tool, **arguments)
    assert outcome.escalation is not None
    return outcome.escalation.handle


def recovered(shop: Shop, _given: Any) -> int:
    """Take up all there is to take up."""
    return int(drive(recover(shop.gate), shop.store, shop.gate.reach))


def _approved(shop: Shop, handle: str, desk: SqlDesk) -> review.Ruling:
    """Say yes, and leave it there."""
    return review.approve(shop.gate, desk, handle, "rosa")


def left(place: Place, requests: int) -> Place:
    """A place a minute after whoever had approved so many requests died, and before anything was sent."""
    place = opened(replace(place, clock=Still()), customers=requests)
    with shop_of(place) as shop:
        for who in range(1, requests + 1):
            handle = asked(shop, to_card(who, f"no {who}", LARGE))
            ruling = shop.store.run(partial(_approved, shop, handle))
            assert ruling.status == "executing"
    return replace(place, clock=Still(NOW + timedelta(minutes=1)))


def check_each_was_taken_up_once(place: Place, requests: int) -> None:
    with shop_of(place) as shop:
        assert shop.rows("SELECT DISTINCT fence FROM escalation") == [(2,)]
        assert shop.rows("SELECT status, count(*) FROM escalation GROUP BY 1") == [("executed", requests)]
        refunds = shop.rows("SELECT reason, count(*) FROM transfer WHERE kind = 'refund' GROUP BY 1")
        assert sorted(refunds) == sorted((f"no {who}", 1) for who in range(1, requests + 1))
    assert list(place.provider.acts().values()) == [1] * requests
    assert place.times_asked() == requests


REQUESTS = pytest.mark.parametrize("requests", [16, pytest.param(1_000, marks=pytest.mark.long)])


@REQUESTS
def test_what_an_approver_left_when_they_died_is_carried_out_once_by_eight(
    anywhere: Callable[..., Place], requests: int
) -> None:
    place = left(anywhere(), requests)
    with crowd(place, EXECUTORS) as many:
        many.all(recovered, range(EXECUTORS))
    check_each_was_taken_up_once(place, requests)


def turn_by_turn(shops: Sequence[Shop], chance: Random) -> None:
    """Recover in all of them at once: of whichever comes, one step at a time."""
    runs: list[tuple[Shop, Steps[int], Any]] = [(shop, recover(shop.gate), None) for shop in shops]
    while runs:
        shop, steps, told = runs.pop(chance.randrange(len(runs)))
        with suppress(StopIteration):
            step = steps.send(told)
            assert isinstance(step, Transact | UnderWay)
            answer = shop.store.run(step.job) if isinstance(step, Transact) else shop.gate.reach(step)
            runs.append((shop, steps, answer))


@REQUESTS
def test_eight_that_find_the_same_at_the_same_time_share_it(anywhere: Callable[..., Place], requests: int) -> None:
    place = left(anywhere(), requests)
    with ExitStack() as stack:
        turn_by_turn([stack.enter_context(shop_of(place)) for _ in range(EXECUTORS)], Random(requests))
    check_each_was_taken_up_once(place, requests)


def ruled(shop: Shop, given: tuple[str, bool]) -> tuple[bool, str, str]:
    """Say yes or no to a request."""
    handle, yes = given
    if yes:
        ruling = drive(review.approving(shop.gate, handle, "rosa"), shop.store, shop.gate.reach)
    else:
        ruling = shop.store.run(lambda desk: review.deny(desk, handle, "bert", "Not this time."))
    return ruling.done, ruling.status, ruling.message


@pytest.mark.parametrize("times", [20, pytest.param(1_000, marks=pytest.mark.long)])
def test_of_a_yes_and_a_no_at_the_same_moment_one_wins_and_the_other_is_told(
    anywhere: Callable[..., Place], times: int
) -> None:
    place = opened(anywhere(), customers=times)
    with shop_of(place) as shop:
        handles = [asked(shop, small(who, f"no {who}", LARGE)) for who in range(1, times + 1)]
    won = dict[str, int]()
    with crowd(place, 2) as both:
        for number, handle in enumerate(handles):
            first = number % 2 == 0
            answers = both.all(ruled, [(handle, first), (handle, not first)])
            ((_, ended, _),) = [answer for answer in answers if answer[0]]
            ((_, said, message),) = [answer for answer in answers if not answer[0]]
            assert said == ended
            assert message.startswith(f"This request is {ended} already")
            won[ended] = won.get(ended, 0) + 1
    with shop_of(place) as shop:
        assert dict(shop.rows("SELECT status, count(*) FROM escalation GROUP BY 1")) == won
        assert shop.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(won.get("executed", 0),)]


def around(expiry: datetime, chance: Random) -> Iterator[datetime]:
    """Instants about an expiry: a second before and after, and clocks that jump an hour."""
    for _ in range(chance.randint(1, 4)):
        seconds = chance.choice([-3600, -2, -1, 0, 0, 1, 2, 3600]) + chance.choice([-1, 0, 0, 1])
        yield expiry + timedelta(seconds=seconds)


@pytest.mark.parametrize("times", [40, pytest.param(1_000, marks=pytest.mark.long)])
def test_nothing_is_approved_after_its_time_however_the_clock_jumps(place: Place, times: int) -> None:
    chance, clock = Random(times), Still()
    with shop_of(opened(replace(place, clock=clock), customers=times)) as shop:
        for who in range(1, times + 1):
            clock.at = NOW
            handle = asked(shop, small(who, f"no {who}", LARGE))
            waits = True
            for clock.at in around(NOW + EXPIRES, chance):
                done, status, _ = ruled(shop, (handle, True))
                assert done == (waits and clock.at < NOW + EXPIRES), (clock.at, status)
                waits = waits and not done


@pytest.mark.parametrize(
    ("zone", "expiry"),
    [
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2027, 3, 28, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2027, 1, 1, tzinfo=UTC)),
        ("UTC", datetime(2017, 1, 1, tzinfo=UTC)),  # a leap second ended the year before: its last second came twice
    ],
)
def test_an_hour_or_a_second_that_comes_twice_makes_nobody_late_or_early(
    place: Place, monkeypatch: pytest.MonkeyPatch, zone: str, expiry: datetime
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    clock = Still(expiry - EXPIRES)
    with shop_of(opened(replace(place, clock=clock), customers=2)) as shop:
        in_time, late = [asked(shop, small(who, f"no {who}", LARGE)) for who in (1, 2)]
        clock.at = expiry
        assert ruled(shop, (late, True))[:2] == (False, "expired")
        clock.at = expiry - timedelta(seconds=1)
        clock.at = clock.at.astimezone().astimezone(UTC)
        assert ruled(shop, (in_time, True))[:2] == (True, "executed")
        clock.at = expiry
        assert ruled(shop, (late, True))[:2] == (False, "expired")
    monkeypatch.undo()
    time.tzset()
