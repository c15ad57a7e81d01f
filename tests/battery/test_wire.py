"""Connections are cut at random bytes: a client that sends again until it is answered gets each act done once."""

import http.client
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from battery.acts import ABOUT
from battery.calling import call, small, to_card
from battery.seen import watching
from battery.served import Http, on_http
from battery.stage import Place, opened
from battery.wire import Wire, breaking
from postgresql import Server
from store.cutting import Wire as Cut

from tillgate.server.world import SystemClock

SHARE = 0.25


def until_answered(server: Http, wire: Wire, tool: str, arguments: dict[str, str]) -> dict[str, object]:
    """Send the same call again and again, as a client does whose connection broke."""
    while True:
        try:
            return server.call(tool, arguments, wire.port)
        except (OSError, http.client.HTTPException, ValueError):
            continue


@pytest.mark.parametrize("times", [25, pytest.param(1_000, marks=pytest.mark.long)])
def test_between_client_and_server(place: Place, times: int) -> None:
    place = opened(replace(place, clock=SystemClock()), customers=1)
    answers = []
    with watching(place) as seen:
        with on_http(place) as server, breaking(server.port, SHARE, seed=times) as wire:
            for number in range(times):
                make = to_card if number % 4 == 0 else small
                _, tool, arguments = make(1, f"{ABOUT}{number}", order="ab"[number % 2], idempotency_key=f"k{number}")
                answers.append(until_answered(server, wire, tool, arguments))
                seen.answers.append(("act", number, answers[-1]))
            assert wire.cuts > times * SHARE / 2
        assert seen.findings_at_rest() == []
        assert {answer["status"] for answer in answers} == {"completed"}
        refunds = seen.shop.rows("SELECT reason, count(*) FROM transfer WHERE kind = 'refund' GROUP BY 1")
        assert dict(refunds) == {f"{ABOUT}{number}": 1 for number in range(times)}


@pytest.mark.parametrize("times", [25, pytest.param(1_000, marks=pytest.mark.long)])
def test_between_server_and_database(postgresql: Server, database: str, tmp_path: Path, times: int) -> None:
    """Commits that nobody hears of, and sessions that are gone before the next call."""
    place = opened(Place(tmp_path, database, clock=SystemClock()), customers=1)
    wire, chance, cut = Cut(tmp_path, postgresql.folder), Random(times), 0
    through = replace(place, url=database.replace(str(postgresql.folder), str(tmp_path)))
    with watching(place) as seen, closing(through.open().store) as store:
        shop = replace(seen.shop, gate=replace(seen.shop.gate, store=store), store=store)
        for number in range(times):
            if chance.random() < SHARE:
                wire.cut_next()
            if chance.random() < SHARE:
                cut += 1
                postgresql.ask(f"SELECT pg_terminate_backend(pid) {_SESSIONS}")
            _, tool, arguments = small(1, f"{ABOUT}{number}", order="ab"[number % 2], idempotency_key=f"k{number}")
            answer = call(shop, 1, tool, **arguments).as_json()
            while answer["status"] == "failed":
                answer = call(shop, 1, tool, **arguments).as_json()
            seen.answers.append(("act", number, answer))
        assert min(wire.cuts, cut) > times * SHARE / 4
        assert seen.findings_at_rest() == []
        refunds = seen.shop.rows("SELECT reason, count(*) FROM transfer WHERE kind = 'refund' GROUP BY 1")
        assert dict(refunds) == {f"{ABOUT}{number}": 1 for number in range(times)}
    wire.close()
    for store in place.open_here:
        store.close()


_SESSIONS = "FROM pg_stat_activity WHERE application_name = 'tillgate' AND state = 'idle' AND pid <> pg_backend_pid()"
