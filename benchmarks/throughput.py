"""How many governed calls a second one process carries, with a durable record of each.

    python benchmarks/throughput.py [--callers 64] [--seconds 5] [--store sqlite|postgresql]

Each caller is a task that sends its next call when it has its answer; calls that wait together share one durable
commit. `alone` is one caller, who waits for the disk at every call.
"""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.journey import CASES, NOW, ROOT, numbered, shop

from tillgate.guards.desk import Caller, Received
from tillgate.guards.model import Agent, Assurance
from tillgate.server.app import App, build
from tillgate.server.driving import drive
from tillgate.server.settings import settings
from tillgate.server.writing import Writer
from tillgate.tools.shops.embedded.seed import seed

TOOLS = ("get_order", "search_products", "edit_cart")


def asked(tool: str, number: int) -> list[dict[str, Any]]:
    """What one caller asks in turn: a write asks for something else each time, so that it acts each time."""
    plain = numbered(CASES[tool], number)
    if tool != "edit_cart":
        return [plain]
    return [plain | {"lines": [{**line, "quantity": n} for line in plain["lines"]]} for n in (1, 2, 3)]


async def caller(app: App, writer: Writer, tool: str, number: int, until: float) -> list[float]:
    """Milliseconds of each call of one caller."""
    who = Caller(Agent("agent", "http"), f"http:{number}", f"{number}", f"cus_{number}", Assurance.STEPPED_UP, NOW)
    calls = cycle([Received(tool, arguments, who) for arguments in asked(tool, number)])
    took: list[float] = []
    while (began := time.perf_counter()) < until:
        outcome = await drive(app.gate.steps(next(calls)), writer.run, app.gate.reach)
        if outcome.status != "completed":
            raise RuntimeError(f"{tool}: {outcome}")
        took.append((time.perf_counter() - began) * 1000)
    return took


async def measure(app: App, tool: str, callers: int, seconds: float) -> list[float]:
    """Milliseconds of every call of so many callers at once."""
    writer = Writer(app.store)
    writer.start()
    until = time.perf_counter() + seconds
    try:
        found = await asyncio.gather(*(caller(app, writer, tool, n, until) for n in range(1, callers + 1)))
    finally:
        writer.stop()
    return [each for one in found for each in one]


@contextmanager
def a_file() -> Generator[str]:
    """A place for a SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "bench.db")


@contextmanager
def a_server() -> Generator[str]:
    """A database of a PostgreSQL server of our own, on this machine, as durable as it comes."""
    sys.path.insert(0, str(ROOT / "tests"))
    from postgresql import NEEDED, Server, binaries

    folder = binaries()
    if folder is None:
        sys.exit(NEEDED)
    server = Server(folder)
    try:
        yield server.url(server.database())
    finally:
        server.stop()


STORES = {"sqlite": a_file, "postgresql": a_server}


def main() -> None:
    """Prints a line for each tool, alone and together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    sys.setswitchinterval(0.02)
    with STORES[options.store]() as db:
        app = build(settings(policy=ROOT / "policy.yaml", db=db, now=NOW), serving=True)
        with app.store.transaction() as desk:
            seed(desk.sql, json.dumps(shop()), now=NOW)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        for tool in TOOLS:
            for callers in (1, options.callers):
                took = sorted(asyncio.run(measure(app, tool, callers, options.seconds)))
                rate, p99 = len(took) / options.seconds, took[int(len(took) * 0.99)]
                print(f"{tool:16} {callers:>3} callers: {rate:8,.0f} calls/s, "
                      f"p50 {statistics.median(took):6.2f} ms, p99 {p99:6.2f} ms")  # fmt: skip
        app.store.close()


if __name__ == "__main__":
    main()
