"""Measures what governing costs: `get_order` through `tillgate serve` against a bare SDK server with the same answer.

Run `python benchmarks/overhead.py`. Both servers speak MCP over stdio to the same client in the same run, in blocks
that alternate, so whatever else the machine does falls on both. A governed read also writes its audit record durably.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp import types as t
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server

from tillgate.guards.outcome import outcome_schema
from tillgate.server.seeding import seed_text
from tillgate.tools.shops.embedded.demo import demo_shop_text

ROOT = Path(__file__).resolve().parents[1]
NOW = "2026-11-23T09:00:00Z"
TOOL, ARGUMENTS = "get_order", {"order_id": "ord_2001"}
BLOCK, BLOCKS, WARM_UP = 50, 16, 100


async def bare(answer: dict[str, Any]) -> None:
    """A server that answers every call with the same result, straight from memory."""
    result = t.CallToolResult(
        content=[t.TextContent(text=json.dumps(answer))], structured_content=answer, is_error=False
    )
    schema = {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]}
    tool = t.Tool(name=TOOL, description="The same", input_schema=schema, output_schema=outcome_schema())

    async def list_tools(
        _ctx: ServerRequestContext[Any], _params: t.PaginatedRequestParams | None
    ) -> t.ListToolsResult:
        return t.ListToolsResult(tools=[tool], ttl_ms=60_000, cache_scope="private")

    async def call_tool(_ctx: ServerRequestContext[Any], _params: t.CallToolRequestParams) -> t.CallToolResult:
        return result

    server: Server[Any] = Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


@asynccontextmanager
async def governed_client(folder: Path) -> AsyncGenerator[Client]:
    """A client of the real thing, on a seeded shop."""
    main = "from tillgate.server.cli.main import main; main()"
    arguments = ["serve", "--db", str(folder / "tillgate.db"), "--policy", str(ROOT / "policy.yaml")]
    known = ["--customer", "cus_1001", "--assurance", "authenticated"]
    env = {**os.environ, "TILLGATE_NOW": NOW}
    server = StdioServerParameters(command=sys.executable, args=["-c", main, *arguments, *known], env=env)
    async with Client(server) as client:
        yield client


@asynccontextmanager
async def bare_client(answer: Path) -> AsyncGenerator[Client]:
    """A client of the bare server."""
    server = StdioServerParameters(command=sys.executable, args=[__file__, "--bare", str(answer)], env={**os.environ})
    async with Client(server) as client:
        yield client


async def block(client: Client, calls: int) -> list[float]:
    """Milliseconds of so many calls, one after the other."""
    times: list[float] = []
    for _ in range(calls):
        began = time.perf_counter_ns()
        result = await client.call_tool(TOOL, ARGUMENTS)
        times.append((time.perf_counter_ns() - began) / 1e6)
        if result.is_error:
            raise SystemExit(f"the call was refused: {result.structured_content}")
    return times


async def measure(folder: Path) -> tuple[list[float], list[float]]:
    """Sorted milliseconds of the governed and of the bare calls."""
    governed_times: list[float] = []
    bare_times: list[float] = []
    answer = folder / "answer.json"
    async with governed_client(folder) as governed:
        first = await governed.call_tool(TOOL, ARGUMENTS)
        answer.write_text(json.dumps(first.structured_content), encoding="utf-8")
        async with bare_client(answer) as plain:
            await block(governed, WARM_UP)
            await block(plain, WARM_UP)
            for _ in range(BLOCKS):
                governed_times += await block(governed, BLOCK)
                bare_times += await block(plain, BLOCK)
    return sorted(governed_times), sorted(bare_times)


def report(governed: list[float], plain: list[float]) -> None:
    """Prints one line for each server and one for what lies between."""
    for name, times in (("governed", governed), ("bare", plain)):
        print(f"{name:>9}: p50 {at(times, 50):.2f} ms, p90 {at(times, 90):.2f} ms, {len(times)} calls")
    low, high = at(governed, 50), at(plain, 50)
    print(f"  between: p50 {low - high:+.2f} ms, {low / high:.2f} times")


def at(times: list[float], percent: int) -> float:
    """A percentile of sorted times."""
    return times[len(times) * percent // 100]


def main() -> None:
    """The benchmark, or with `--bare FILE` the bare server in it."""
    if sys.argv[1:2] == ["--bare"]:
        anyio.run(bare, json.loads(Path(sys.argv[2]).read_text("utf-8")))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed_text(demo_shop_text().encode(), db=str(folder / "tillgate.db"), replace=False, source="the demo shop")
        report(*anyio.run(measure, folder))


if __name__ == "__main__":
    main()
