"""How many governed calls a second one process carries, with a durable record of each.

    python benchmarks/throughput.py [--callers 64] [--seconds 5] [--store sqlite|postgresql]

Each caller sends its next call when it has its answer; calls that wait together share one durable commit. One caller
alone waits for the disk at every call.
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.journey import CASES, NOW, ROOT, numbered, shop

from tillgate.guards.desk import Caller, Received
from tillgate.guards.model import Agent, Assurance
from tillgate.server.app import App, build
from tillgate.server.counter import Counter
from tillgate.server.settings import settings
from tillgate.tools.shops.embedded.seed import seed

TOOLS = ("get_order", "search_products", "edit_cart")


def asked(tool: str, number: int) -> list[dict[str, Any]]:
    """What one caller asks in turn: a write asks for something else each time, so that it acts each time."""
    plain = numbered(CASES[tool], number)
    if tool != "edit_cart":
        return [plain]
    return [plain | {"lines": [{**line, "quantity": n} for line in plain["lines"]]} for n in (1, 2, 3)]


class Calling:
    """One caller: takes the time of each call, and sends the next one when it has its answer."""

    def __init__(self, app: App, counter: Counter, tool: str, number: int, until: float) -> None:
        who = Caller(Agent("agent", "http"), f"http:{number}", f"{number}", f"cus_{number}", Assurance.STEPPED_UP, NOW)
        self._calls: Iterator[Received] = cycle([Received(tool, arguments, who) for arguments in asked(tool, number)])
        self._app, self._counter, self._until = app, counter, until
        self.took: list[float] = []
        self.next()

    def next(self) -> None:
        """Call, while there is time."""
        self._began = time.perf_counter()
        if self._began < self._until:
            self._counter.take(self._app.gate.steps(next(self._calls)), self._told)

    def _told(self, outcome: Any) -> None:
        if outcome.status != "completed":
            raise RuntimeError(str(outcome))
        self.took.append((time.perf_counter() - self._began) * 1000)
        self.next()


def measure(app: App, tool: str, callers: int, seconds: float) -> list[float]:
    """Milliseconds of every call of so many callers at once."""
    counter = Counter(app.store, app.gate.reach)
    until = time.perf_counter() + seconds
    calling = [Calling(app, counter, tool, number, until) for number in range(1, callers + 1)]
    counter.finish()
    return [each for one in calling for each in one.took]


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
    with STORES[options.store]() as db:
        app = build(settings(policy=ROOT / "policy.yaml", db=db, now=NOW), serving=True)
        with app.store.transaction() as desk:
            seed(desk.sql, json.dumps(shop()), now=NOW)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        for tool in TOOLS:
            for callers in (1, options.callers):
                took = sorted(measure(app, tool, callers, options.seconds))
                rate, p99 = len(took) / options.seconds, took[int(len(took) * 0.99)]
                print(f"{tool:16} {callers:>3} callers: {rate:8,.0f} calls/s, "
                      f"p50 {statistics.median(took):6.2f} ms, p99 {p99:6.2f} ms")  # fmt: skip
        app.store.close()


if __name__ == "__main__":
    main()
