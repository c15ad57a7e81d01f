"""A budget is never overdrawn: not by many at once, in one process or in several, and not over ninety days."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from battery.calling import at_once, call, small, to_card, told
from battery.crowd import crowd
from battery.stage import POLICY, Place, Shop, Still, opened

from tillgate.guards import review
from tillgate.guards.steps import drive

CALLERS, PROCESSES, ROOM = 64, 4, 3
THREE = POLICY.replace('window: 365d, limit: "900000.00"', f"window: 30d, limit: {{count: {ROOM}}}")
WINDOW, LIMIT = timedelta(days=30), 200_00
ROLLING = POLICY.replace('window: 365d, limit: "900000.00"', 'window: 30d, limit: "200.00"')
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=pytest.mark.long)])


@ROUNDS
def test_sixty_four_callers_of_one_process_and_room_for_three(anywhere: Callable[..., Place], rounds: int) -> None:
    shop = opened(anywhere(rules=THREE), customers=rounds).open()
    for who in range(1, rounds + 1):
        outcomes = at_once(shop, [small(who, f"no {number}") for number in range(CALLERS)])
        assert sorted(outcome.status for outcome in outcomes) == ["completed"] * ROOM + ["denied"] * (CALLERS - ROOM)
    assert _refunds(shop) == ROOM * rounds
    shop.store.close()


@ROUNDS
def test_sixty_four_callers_of_four_processes_and_room_for_three(anywhere: Callable[..., Place], rounds: int) -> None:
    place = opened(anywhere(rules=THREE), customers=rounds)
    each = CALLERS // PROCESSES
    with crowd(place, PROCESSES) as many:
        for who in range(1, rounds + 1):
            calls = [[small(who, f"no {n} of {process}") for n in range(each)] for process in range(PROCESSES)]
            statuses = [answer["status"] for answers in many.all(told, calls) for answer in answers]
            assert sorted(statuses) == ["completed"] * ROOM + ["denied"] * (CALLERS - ROOM)
    shop = place.open()
    assert _refunds(shop) == ROOM * rounds
    shop.store.close()


def _refunds(shop: Shop) -> int:
    return int(shop.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'")[0][0])


@pytest.mark.parametrize(("count", "customers"), [(200, 4), pytest.param(10_000, 50, marks=pytest.mark.long)])
def test_no_window_is_ever_above_its_limit_as_the_log_alone_tells(place: Place, count: int, customers: int) -> None:
    """Random refunds, some at once, some after a person's answer, over ninety days."""
    chance, clock = Random(count), Still()
    shop = opened(Place(place.folder, rules=ROLLING, clock=clock), customers=customers).open()
    for number in range(count):
        clock.at += timedelta(days=90) * chance.random() * 2 / count
        clock.at = clock.at.replace(microsecond=0)
        make = chance.choice([small, to_card])
        who, tool, arguments = make(chance.randint(1, customers), f"no {number}", _amount(chance))
        outcome = call(shop, who, tool, **arguments)
        if outcome.escalation is not None and chance.random() < 0.6:
            drive(review.approving(shop.gate, outcome.escalation.handle, "rosa"), shop.store, shop.gate.reach)
    records = [json.loads(row[0]) for row in shop.rows("SELECT record FROM audit ORDER BY seq")]
    shop.store.close()
    used = list(_windows(records))
    assert len(used) > count / 10
    assert max(used) <= LIMIT
    assert max(used) > LIMIT * 0.95


def _amount(chance: Random) -> str:
    return f"{chance.choice([chance.randint(1, 9), chance.randint(10, 90)])}.{chance.randint(10, 99)}"


def _windows(records: list[Any]) -> Iterator[int]:
    """For each refund that was made, what its customer's window held just after it."""
    made: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
    decided: dict[str, Any] = {}
    for record in records:
        outcome = record.get("outcome") or {}
        if record.get("plan"):
            decided[record["call_id"]] = record
        if not outcome.get("executed") or record["tool"] != "issue_refund":
            continue
        first = decided[record["call_id"]]
        at, whose = datetime.fromisoformat(first["at"]), first["subject"]["customer_id"]
        made[whose].append((at, first["plan"]["impact"]["amount"]))
        yield sum(amount for then, amount in made[whose] if at - WINDOW < then <= at)
