"""Told to end under load: every call is finished or taken up later, nothing answered is lost, and it is quick."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPException
from random import Random
from typing import Any

import pytest
from battery.acts import ABOUT
from battery.calling import small, to_card
from battery.seen import Watch, watching
from battery.served import on_http, on_stdio
from battery.stage import Place, Still, opened

from tillgate.guards.finishing import recover
from tillgate.guards.steps import drive
from tillgate.server.world import SystemClock

TIMES = pytest.mark.parametrize("times", [1, pytest.param(100, marks=pytest.mark.long)])
QUICK = 5.0
CALLERS, EACH = 8, 12
Made = tuple[str, dict[str, Any]]


def refund(number: int) -> Made:
    """One act: every fourth needs the provider."""
    make = to_card if number % 4 == 0 else small
    _, tool, arguments = make(1, f"{ABOUT}{number}", order="ab"[number % 2], idempotency_key=f"k{number}")
    return tool, arguments


def told_to_end(process: "subprocess.Popen[bytes]") -> float:
    """How long it takes to be gone."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    return time.monotonic() - begun


def settled(place: Place, seen: Watch) -> list[str]:
    """What does not hold after whoever comes next has taken up what was left."""
    found = seen.findings()
    shop = replace(place, clock=Still(SystemClock().now() + timedelta(hours=1))).open()
    drive(recover(shop.gate), shop.store, shop.gate.reach)
    shop.store.close()
    open_ones = seen.shop.rows("SELECT id FROM escalation WHERE status IN ('executing', 'in_doubt')")
    return found + seen.findings_at_rest() + [f"left open: {handle}" for (handle,) in open_ones]


@TIMES
def test_on_stdio(place: Place, times: int) -> None:
    place, chance = opened(replace(place, clock=SystemClock()), customers=1), Random(times)
    with watching(place) as seen:
        for turn in range(times):
            session = on_stdio(place)
            for number in range(turn * 40, turn * 40 + 60):
                session.send(*refund(number))
            session.wait(f"c{chance.randint(3, 40)}")
            assert told_to_end(session.process) < QUICK
            session.close()
            seen.answers += [("act", turn, answer) for answer in session.answers()]
        assert settled(place, seen) == []


@TIMES
def test_over_http(place: Place, times: int) -> None:
    place, chance = opened(replace(place, clock=SystemClock()), customers=1), Random(times)
    with watching(place) as seen:
        for turn in range(times):
            with on_http(place) as server:
                enough = threading.Semaphore(0)
                callers = [
                    threading.Thread(target=_keep_calling, args=(server.call, seen, enough, turn * 50 + number))
                    for number in range(CALLERS)
                ]
                for each in callers:
                    each.start()
                for _ in range(chance.randint(3, CALLERS * EACH // 2)):
                    enough.acquire()
                assert told_to_end(server.process) < QUICK
                for each in callers:
                    each.join()
        assert settled(place, seen) == []


def _keep_calling(call: Callable[..., Any], seen: Watch, done: threading.Semaphore, first: int) -> None:
    """One caller after the other's end; each answer is noted, and a server that has gone is the end."""
    with suppress(OSError, HTTPException, ValueError):
        for number in range(first, first + EACH * CALLERS, CALLERS):
            seen.answers.append(("act", number, call(*refund(number))))
            done.release()
    for _ in range(EACH):
        done.release()
