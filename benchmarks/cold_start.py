"""How long a client waits from spawning the server to its first result over stdio, beside a bare SDK server.

    python benchmarks/cold_start.py [--rounds 15]

Both are the programs a client would start, on a shop and a policy that are there already, and take turns. The bare
one is the SDK's own `MCPServer` with one tool that answers a constant. Both run from compiled files, as an installed
package does, whatever the environment says. `processor` is the time both cores worked for the process until it ended;
it moves less with what else the machine does.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tillgate.server.seeding import seed_text
from tillgate.tools.shops.embedded.demo import demo_shop_text

ROOT = Path(__file__).resolve().parents[1]
BARE = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def get_order(order_id: str) -> dict[str, str]:
    return {"id": order_id}
server.run()
"""
GOVERNED = "from tillgate.server.cli.main import main; main()"
ASKED: Sequence[Mapping[str, Any]] = [
    {
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "cold", "version": "1"}},
    },
    {"method": "notifications/initialized"},
    {"id": 2, "method": "tools/call", "params": {"name": "get_order", "arguments": {"order_id": "ord_2001"}}},
]


def once(command: Sequence[str], env: Mapping[str, str]) -> tuple[float, float]:
    """Milliseconds to the first result and of processor time of one server, from nothing."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as server:
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("no pipes")
        for message in ASKED:
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            server.stdin.flush()
            if "id" in message:
                answer = json.loads(server.stdout.readline())
        took = time.perf_counter() - began
        server.stdin.close()
    check(answer)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took * 1000, worked * 1000


def check(answer: Mapping[str, Any]) -> None:
    """Raises RuntimeError when the first result is none."""
    if answer.get("id") != 2 or "error" in answer or answer["result"].get("isError"):
        raise RuntimeError(f"no result: {answer}")


def commands(folder: Path) -> dict[str, list[str]]:
    """What a client would start."""
    db = str(folder / "tillgate.db")
    seed_text(demo_shop_text().encode(), db=db, replace=False, source="the demo shop")
    serve = ["serve", "--db", db, "--policy", str(ROOT / "policy.yaml"), "--customer", "cus_1001"]
    return {
        "bare": [sys.executable, "-c", BARE],
        "governed": [sys.executable, "-c", GOVERNED, *serve, "--assurance", "authenticated"],
    }


def main() -> None:
    """The benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = {**os.environ, "TILLGATE_NOW": "2026-11-23T09:00:00Z", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        starts = commands(folder)
        for command in starts.values():
            once(command, env)  # compiles what is imported
        times: dict[str, list[tuple[float, float]]] = {kind: [] for kind in starts}
        for _ in range(rounds):
            for kind, command in starts.items():
                times[kind].append(once(command, env))
    waits = {kind: statistics.median(wait for wait, _ in found) for kind, found in times.items()}
    works = {kind: min(work for _, work in found) for kind, found in times.items()}
    for kind in times:
        print(f"{kind:>9}: first result after {waits[kind]:.0f} ms (median), processor {works[kind]:.0f} ms (least)")
    print(
        f"    ratio: {waits['governed'] / waits['bare']:.2f} waited, {works['governed'] / works['bare']:.2f} worked; "
        f"of {rounds} starts each"
    )


if __name__ == "__main__":
    main()
