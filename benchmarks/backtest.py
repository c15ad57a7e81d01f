"""How fast recorded calls are decided again: `python benchmarks/backtest.py [--calls 200000]`

The log is made of real records: a small shop is served under the shipped policy, its calls are exported, and those
records are repeated with other conversations and days. Memory is the peak of the process while it reads.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from tillgate.guards.audit.log import export_lines
from tillgate.guards.desk import Caller, Received
from tillgate.guards.model import Agent, Assurance
from tillgate.guards.policy.load import load_policy_file
from tillgate.server.app import build, surfaces, tool_map
from tillgate.server.backtest import backtest
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


def main() -> None:
    """Write the log, read it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    options = parser.parse_args()
    policy = load_policy_file(ROOT / "server/tillgate/server/stricter.yaml", surfaces(tool_map()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        with path.open("wb") as file:
            file.writelines(log(records(Path(folder)), options.calls))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        with path.open("rb") as file:
            made = backtest(file, policy)
        took = time.perf_counter() - began
        size = path.stat().st_size / options.calls
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{made.decided + made.kept} calls of {size:.0f} bytes in {took:.1f} s: {options.calls / took:,.0f} calls/s,")
    print(f"{made.flips} flips, {grown:.0f} MiB more memory while reading")


if __name__ == "__main__":
    main()
