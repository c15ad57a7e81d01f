"""Requests refused before there is a call: on record, but never so many records as there are requests."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from e2e.world import World
from web.house import META, Web, message, records, request, serving

from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.errors import Busy
from tillgate.server.transcript import read_entry
from tillgate.server.web.refusals import INTERVAL_SECONDS, Refusals

ORDER = {"order_id": "ord_a1"}


class Kept:
    """A log that keeps what it is told, and may be too busy."""

    def __init__(self) -> None:
        self.counts: list[tuple[str, int]] = []
        self.busy = False

    async def tell(self, why: str, count: int) -> None:
        if self.busy:
            raise Busy("too much")
        self.counts.append((why, count))


class Time:
    """What is to be done later, done when the test says so."""

    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def later(self, seconds: float, then: Callable[[], None]) -> None:
        assert seconds == INTERVAL_SECONDS
        self.due.append(then)

    def passes(self) -> None:
        due, self.due = self.due, []
        for then in due:
            then()


def made() -> tuple[Refusals, Kept, Time]:
    kept, time = Kept(), Time()
    return Refusals(kept.tell, time.later), kept, time


async def test_a_flood_is_one_record_when_it_begins_and_one_for_each_interval_it_lasts() -> None:
    refusals, kept, time = made()
    for written in range(4):
        for _ in range(10_000):
            refusals.note("no_token")
        await asyncio.sleep(0)
        assert len(kept.counts) == written + 1
        time.passes()
    await refusals.close()
    assert kept.counts == [("no_token", count) for count in (1, 9_999, 10_000, 10_000, 10_000)]


async def test_silence_ends_it_and_the_next_is_told_at_once() -> None:
    refusals, kept, time = made()
    refusals.note("no_token")
    time.passes()
    assert time.due == []
    refusals.note("no_token")
    refusals.note("bad_token")
    await refusals.close()
    assert kept.counts == [("no_token", 1), ("no_token", 1), ("bad_token", 1)]


async def test_what_cannot_be_written_now_is_told_with_the_next() -> None:
    refusals, kept, time = made()
    kept.busy = True
    refusals.note("no_token")
    refusals.note("no_token")
    await asyncio.sleep(0)
    kept.busy = False
    time.passes()
    await refusals.close()
    assert kept.counts == [("no_token", 2)]


def test_each_kind_of_refusal_is_told_once_and_then_counted(world: World) -> None:
    with serving(world) as web:
        start = len(records(world))
        bad = message("get_order", ORDER)

        def refused_each_way() -> list[int]:
            return [
                web.post(bad, web.head(token=None)).status,
                web.post(bad, web.head(token=web.token(exp=1))).status,
                web.post(bad, web.head(token=web.token(aud="https://other.example/mcp"))).status,
                web.post(bad, web.head(host="evil.example")).status,
                web.post(bad, web.head(origin="http://evil.example")).status,
                web.get("/healthz", host="evil.example").status,
                web.post(b"{" + b" " * 70_000 + b"}", web.head()).status,
                web.post(b"{", web.head()).status,
                web.post(bad, web.head(content_type="text/plain")).status,
                web.post(bad, web.head(accept="text/html")).status,
                web.post(bad, web.head(), "/mcp?access_token=x").status,
                web.send(request("PUT", "/mcp", web.head())).status,
            ]

        assert refused_each_way() == [401, 401, 401, 403, 403, 403, 413, 400, 415, 406, 400, 405]
        told = records(world)[start:]
        web.call("get_order", ORDER)  # what was asked for before it is durable when it is
        told = records(world)[start:-1]
        assert {(record["kind"], record["count"]) for record in told} == {("refused_requests", 1)}
        why = [record["why"] for record in told]
        assert sorted(why) == [
            "bad_accept", "bad_content_type", "bad_method", "bad_request", "bad_token", "body_too_large",
            "forbidden", "no_token",
        ]  # fmt: skip
        for _ in range(3):
            refused_each_way()
        assert len(records(world)) == start + len(told) + 1
        assert web.end() == 0
    counted = {record["why"]: record["count"] for record in records(world)[start + len(told) + 1 :]}
    assert counted == {
        "no_token": 3, "bad_token": 7, "forbidden": 11, "body_too_large": 3, "bad_request": 7,
        "bad_content_type": 3, "bad_accept": 3, "bad_method": 3,
    }  # fmt: skip


def test_the_log_is_still_what_its_readers_know(world: World) -> None:
    with serving(world) as web:
        web.call("get_order", ORDER, None)
        web.call("get_order", ORDER)
    lines = world.run("audit", "export").stdout.splitlines(keepends=True)
    assert b"refused_requests" in b"".join(lines)
    assert verify_lines(lines).ok
    for number, line in enumerate(lines, start=1):
        read_entry(number, line)
    assert world.run("audit", "verify").returncode == 0
    assert world.run("audit", "show").returncode == 0


def test_nothing_of_what_was_sent_is_in_the_record(world: World) -> None:
    with serving(world) as web:
        web.post(b'{"planted": "zq-canary"}', {"host": web.host, "authorization": "Bearer zq-canary", "x": "zq-canary"})
        web.call("get_order", ORDER)
    kept = b"".join(file.read_bytes() for file in world.path.glob("shop.db*"))
    assert b"bad_token" in kept
    assert b"zq-canary" not in kept


@pytest.mark.parametrize("head", [{"mcp_name": "get_cart"}, {"mcp_name": None}, {"mcp_method": "tools/list"}])
def test_a_call_that_the_protocol_refuses_is_a_call_on_record(web: Web, head: Mapping[str, str | None]) -> None:
    before = len(records(web.world))
    said: dict[str, Any] = {"mcp_name": "cancel_order", **head}
    reply = web.call("cancel_order", {"order_id": "ord_a2", "reason": "other"}, **said)
    assert (reply.status, reply.error) == (400, -32020)
    [record] = records(web.world)[before:]
    assert (record["kind"], record["tool"], record["subject"]["customer_id"]) == ("call", "cancel_order", "cus_ana")
    assert record["refusal"]["message"] == "Its headers say something else than its body"
    assert record["outcome"]["status"] == "denied"


@pytest.mark.parametrize("key", [None, True, 1.5, [], {}])
def test_a_call_without_an_id_is_refused_and_not_taken_for_news(web: Web, key: Any) -> None:
    body = {**message("get_order", ORDER, META), "id": key}
    if key is None:
        del body["id"]
    before = len(records(web.world))
    assert web.post(body, web.head()).status == 400
    assert [record["tool"] for record in records(web.world)[before:] if record["kind"] == "call"] == ["get_order"]
