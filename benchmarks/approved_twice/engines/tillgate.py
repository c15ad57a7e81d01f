"""Tillgate: two `tillgate serve` processes, and a person at `tillgate requests approve`.

The process that approves carries the refund out; what it leaves behind is taken up by whichever serving process finds
it first. Nobody has to retry anything: a second delivery is the same person, or another one, who approves again.
"""

import contextlib
import io
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.approved_twice.engines import tillgate_payments
from benchmarks.approved_twice.provider import PATIENCE, Books
from benchmarks.approved_twice.story import Doubt, Saying, Ticket
from benchmarks.approved_twice.workers import Worker, barrier, prepare

ROOT = Path(__file__).resolve().parents[3]
POLICY = """policy: story
version: 1
currency: USD
rules:
  - {id: all, tools: [issue_refund, check_request], permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: refunds}
context:
  issue_refund: {identified: [order_id, amount, refundable]}
  check_request: {identified: [status]}
queues: {refunds: {reviewers: [desk]}}
"""
SAYINGS: Mapping[str, Saying] = {
    "executed": "done",
    "in_doubt": "in doubt",
    "pending": "waiting",
    "executing": "waiting",
}
MODULES = ("tillgate.server.cli.main", "tillgate.server.app", "tillgate.guards.review", __name__)
"""What the command needs, imported once for all workers."""
QUIET = 12.0
"""Seconds in which a doubt must not change to be one: a claim lapses after 6, and is looked for every 2."""


def versions() -> str:
    """What is measured."""
    return f"Tillgate {version('tillgate')}"


def shop(orders: Sequence[str]) -> dict[str, Any]:
    """A shop in which one customer has these orders, each of 100.00 paid by card."""
    shop: dict[str, Any] = json.loads((ROOT / "examples" / "quickstart" / "shop.json").read_text("utf-8"))
    like = shop["orders"][0]
    lines = [{"id": "ord-1", "variant_id": "v_1", "quantity": 2, "unit_price": "50.00"}]
    shop["orders"] = [
        {
            **like,
            "id": order,
            "lines": [{**lines[0], "id": f"{order}-1"}],
            "payments": [{"id": f"pay_{order}", "method_id": "pm_1", "amount": "100.00"}],
            "shipments": [],
        }
        for order in orders
    ]
    return shop


class Tillgate:
    """Implements `story.Engine`."""

    rounds_at_once = 10

    def __init__(self, folder: Path, books: Books, orders: Sequence[str]) -> None:
        prepare(*MODULES)
        self._folder = folder
        (folder / "policy.yaml").write_text(POLICY, "utf-8")
        (folder / "shop.json").write_text(json.dumps(shop(orders)), "utf-8")
        self._environment = {
            **os.environ,
            "PYTHONPATH": f"{tillgate_payments.install(folder)}{os.pathsep}{ROOT}",
            "TILLGATE_DATABASE_URL": str(folder / "shop.db"),
        }
        self._command("seed", str(folder / "shop.json"))
        serve = [str(Path(sys.executable).with_name("tillgate")), "serve"]
        serve += ["--customer", "cus_1", "--assurance", "authenticated"]
        serve += ["--policy", str(folder / "policy.yaml"), "--payments", tillgate_payments.setting(books)]
        self._serving = [Serving(serve, self._environment, folder / f"serve-{number}.log") for number in range(2)]

    def ask(self, order: str, amount: str) -> Ticket:
        """Over MCP, in a conversation of its own."""
        arguments = {"order_id": order, "amount": amount, "reason": "broken"}
        answer = self._serving[0].call("issue_refund", arguments, order)
        return {"order": order, "amount": amount, "handle": answer["escalation"]["handle"]}

    def deliver(self, ticket: Ticket, worker: int = 0, start: Callable[[], object] | None = None) -> Worker:
        """`tillgate requests approve`; the other worker is another reviewer's."""
        return Worker(approve, ticket["handle"], worker, self._environment, start=start)

    def victim(self) -> int:
        return 0

    def gun(self) -> Callable[[], object]:
        return barrier()

    def settle(self, ticket: Ticket) -> None:
        """Until it has ended, or is in doubt and stays so."""
        doubtful = 0.0
        until = time.monotonic() + PATIENCE
        while (status := self._status(ticket)) in ("executing", "in_doubt") and time.monotonic() < until:
            doubtful = (doubtful or time.monotonic()) if status == "in_doubt" else 0.0
            if doubtful and time.monotonic() - doubtful > QUIET:
                return
            time.sleep(0.5)

    def says(self, ticket: Ticket) -> tuple[Saying, Doubt]:
        """As `tillgate requests list` shows it to whoever looks."""
        status = self._status(ticket)
        open_ones: list[dict[str, Any]] = json.loads(self._command("requests", "list", "--json"))
        listed = any(row["handle"] == ticket["handle"] and row["status"] == "in_doubt" for row in open_ones)
        return SAYINGS.get(status, "refused"), "listed" if listed else "nowhere"

    def close(self) -> None:
        for serving in self._serving:
            serving.close()

    def _status(self, ticket: Ticket) -> str:
        rows: list[dict[str, Any]] = json.loads(self._command("requests", "list", "--all", "--json"))
        return next(str(row["status"]) for row in rows if row["handle"] == ticket["handle"])

    def _command(self, *arguments: str) -> str:
        return Worker(command, arguments, self._environment).answer()


def approve(handle: str, worker: int, environment: Mapping[str, str]) -> str:
    """What the person who approves is told."""
    person = f"reviewer {worker + 1}"
    told = json.loads(command(["requests", "approve", handle, "--as", person, "--json"], environment))
    return f"{told['status']}: {told['message']}"


def command(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The `tillgate` command with these arguments; what it prints."""
    from tillgate.server.cli.main import app

    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        app(list(arguments), standalone_mode=False)
    return printed.getvalue()


class Serving:
    """One `tillgate serve` process and a client of it that sends one call at a time."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._one = threading.Lock()
        self._ids = itertools.count(1)
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
            )
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "story", "version": "1"}}
        self._request("initialize", hello)
        self._send({"method": "notifications/initialized"})

    def call(self, tool: str, arguments: Mapping[str, Any], conversation: str) -> dict[str, Any]:
        """One tool call; its outcome."""
        meta = {"tillgate/conversation": conversation}
        result = self._request("tools/call", {"name": tool, "arguments": arguments, "_meta": meta})
        outcome: dict[str, Any] = result["structuredContent"]
        return outcome

    def close(self) -> None:
        """Close its input, and wait until it has ended."""
        self._process.communicate(timeout=PATIENCE)

    def _request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        with self._one:
            self._send({"id": next(self._ids), "method": method, "params": params})
            assert self._process.stdout is not None
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())["result"]
            return answer

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._process.stdin.flush()
