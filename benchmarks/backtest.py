"""How fast recorded calls are decided again: `python benchmarks/backtest.py [--calls 200000]`

The log is made of real records: a small shop is served under the shipped policy, its calls are exported, and those
records are repeated with other conversations and days. It is read by one process and by several in turns; rates are of
the whole reading, the start of workers included. Memory is the peak of the process while it reads.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import orjson

from tillgate.guards.audit.log import export_lines
from tillgate.guards.desk import Caller, Received
from tillgate.guards.model import Agent, Assurance
from tillgate.server.app import build, policy_text, surfaces, tool_map
from tillgate.server.backtest_counts import Backtest, Days, as_json
from tillgate.server.backtest_workers import backtest_file, cores
from tillgate.server.settings import settings
from tillgate.tools.shops.embedded.seed import seed

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def records(folder: Path) -> list[bytes]:
    """A few calls of the quickstart shop as its log has them."""
    app = build(settings(policy=ROOT / "policy.yaml", db=str(folder / "b.db"), now=NOW), serving=True)
    shop = json.loads((ROOT / "examples/quickstart/shop.json").read_text("utf-8"))
    with app.store.transaction() as desk:
        seed(desk.sql, json.dumps(shop), now=NOW)
    customer = shop["customers"][0]["id"]
    caller = Caller(Agent("agent", "stdio"), "stdio:b", "b", customer, Assurance.AUTHENTICATED, NOW)
    orders = [order["id"] for order in shop["orders"]]
    for order in orders:
        app.gate.handle(Received("get_order", {"order_id": order}, caller))
        app.gate.handle(Received("issue_refund", {"order_id": order, "amount": "5.00", "reason": "late"}, caller))
        app.gate.handle(Received("cancel_order", {"order_id": order, "reason": "other"}, caller))
    app.gate.handle(Received("search_products", {"query": "shirt"}, caller))
    with app.store.reading() as desk:
        rows = desk.sql.rows(
            "SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (seq) ORDER BY a.seq"
        )
        found = [line for line in export_lines(tuple(row) for row in rows) if b'"facts":{' in line]
    app.store.close()
    return found


def log(found: list[bytes], calls: int) -> Iterator[bytes]:
    """So many lines: the records again and again, on a day of their own."""
    bodies = [orjson.loads(line) for line in found]
    for number in range(calls):
        body = bodies[number % len(bodies)]
        day = NOW + timedelta(seconds=30 * number)
        facts = {**body["facts"], "now": int(day.timestamp())}
        changed = {**body, "at": f"{day:%Y-%m-%dT%H:%M:%SZ}", "conversation": f"c{number}", "facts": facts}
        yield orjson.dumps(changed | {"call_id": f"call_{number}"}) + b"\n"


@dataclass(frozen=True, slots=True)
class Took:
    """One reading: seconds by the clock, and seconds of processor time of this process and of its workers."""

    wall: float
    own: float
    workers: float


def read(path: Path, workers: int) -> tuple[Backtest, Took]:
    """Backtest the log once."""
    text = policy_text(ROOT / "server/tillgate/server/stricter.yaml")
    began, own, others = time.perf_counter(), spent(resource.RUSAGE_SELF), spent(resource.RUSAGE_CHILDREN)
    made = backtest_file(path, text, tuple(surfaces(tool_map())), Days(), workers=workers)
    ended = time.perf_counter(), spent(resource.RUSAGE_SELF), spent(resource.RUSAGE_CHILDREN)
    return made, Took(ended[0] - began, ended[1] - own, ended[2] - others)


def spent(who: int) -> float:
    """Seconds of processor time so far."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def told(name: str, took: Took, calls: int) -> str:
    """One line of figures."""
    each = 1e6 / calls
    processor = f"this process {took.own * each:.1f}, workers {took.workers * each:.1f}"
    cpu = (took.own + took.workers) * each
    return f"{name:12} {calls / took.wall:>9,.0f} calls/s   {cpu:5.1f} us of processor time a call ({processor})"


def main() -> None:
    """Write the log, read it in turns by one process and by several, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        with path.open("wb") as file:
            file.writelines(log(records(Path(folder)), options.calls))
        print(f"{options.calls:,} calls of {path.stat().st_size / options.calls:.0f} bytes")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        ratios: list[float] = []
        for _ in range(options.rounds):
            alone, single = read(path, 1)
            shared, several = read(path, options.workers)
            if as_json(alone) != as_json(shared):
                raise SystemExit("the results differ")
            ratios.append(single.wall / several.wall)
            print(told("one process", single, options.calls))
            print(told(f"{options.workers} workers", several, options.calls))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{options.workers} workers are {median(ratios):.2f} times as fast (median of {options.rounds}); ", end="")
    print(f"{alone.flips} flips; {grown:.0f} MiB more memory while reading, {most:.0f} MiB at most in a worker")


if __name__ == "__main__":
    main()
