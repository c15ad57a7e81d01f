"""Whoever takes too much is told so before anything is begun, and nobody else waits for it."""

import asyncio
import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest
import uvicorn
from e2e.world import World, policy
from starlette.responses import PlainTextResponse
from uvicorn.server import ServerState
from web.house import Wire, message, records, request, serving

from tillgate.server.web.limits import CALLS_AT_ONCE, MOST_HEAD_BYTES, Impatient, Places
from tillgate.tools.shops.embedded.engine import dbapi as sqlite3

ORDER = {"order_id": "ord_a1"}
HELLO = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


@contextmanager
def held(world: World) -> Iterator[None]:
    """Somebody else writes into the store all the while."""
    other = sqlite3.connect(world.db, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_more_calls_at_once_of_one_principal_are_refused_and_of_another_are_not(world: World) -> None:
    with serving(world, policy=policy()) as web:
        begun: list[Wire] = []

        def begin(customer: str, order: str) -> Wire:
            begun.append(web.connect())
            body = message("get_order", {"order_id": order})
            begun[-1].send(request("POST", "/mcp", web.head(token=web.token(customer)), body))
            return begun[-1]

        before = len(records(world))
        with held(world):
            ana = [begin("cus_ana", "ord_a1") for _ in range(CALLS_AT_ONCE + 1)]
            [told], _, _ = select.select([wire.socket for wire in ana], [], [], 20)
            [crowded] = [wire for wire in ana if wire.socket is told]  # all others wait for the store
            refused = crowded.reply()
            ben = begin("cus_ben", "ord_b1")
        assert (refused.status, refused.headers["retry-after"], refused.error) == (429, "1", 429)
        assert "nothing was begun" in refused.message["error"]["message"]
        assert ben.reply().answer.status == "completed"
        assert [wire.reply().answer.status for wire in ana if wire is not crowded] == ["completed"] * CALLS_AT_ONCE
        since = records(world)[before:]
        assert sum(record["kind"] == "call" for record in since) == CALLS_AT_ONCE + 1
        assert [record["why"] for record in since if record["kind"] != "call"] == ["too_many_calls"]
        for wire in begun:
            wire.close()


def test_a_place_is_free_again_when_its_call_has_ended() -> None:
    places = Places(1)
    with places.place("ana") as first, places.place("ana") as second, places.place("ben") as other:
        assert (first, second, other) == (True, False, True)
    with places.place("ana") as again:
        assert again


class _Soon(Impatient):
    head_seconds = 0.05


@asynccontextmanager
async def listening(protocol: type[Impatient]) -> AsyncIterator[int]:
    config = uvicorn.Config(PlainTextResponse("fine"), ws="none", log_config=None)
    server = await asyncio.get_running_loop().create_server(lambda: protocol(config, ServerState(), {}), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("said", [b"", b"GET", b"GET / HTTP/1.1\r\nhost: here\r\nx: ", HELLO + b"GET /"])
async def test_a_head_that_never_ends_is_not_waited_for(said: bytes) -> None:
    async with listening(_Soon) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        heard = await asyncio.wait_for(reader.read(), 20)
        assert heard.count(b"fine") == said.count(b"\r\n\r\n")
        writer.close()


async def test_a_head_without_end_is_cut_off() -> None:
    async with listening(Impatient) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nx: " + b"x" * (MOST_HEAD_BYTES + 300_000))
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()


async def test_a_connection_in_use_is_kept() -> None:
    async with listening(_Soon) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(HELLO)
            assert (await reader.readuntil(b"fine")).startswith(b"HTTP/1.1 200")
        writer.close()
