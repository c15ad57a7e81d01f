"""mcp-airlock, between an agent and the shop's MCP server: tier L2, a person confirms.

By default it is one process with its memory, and the client's own yes approves. Strictly, there are two replicas on
PostgreSQL with `--strict`, a JWT for the agent, and a person at the link that the approval channel gets. A worker is
the replica at which the agent repeats its call with the `requestState` it was given. Runs where mcp-airlock is.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from socket import create_server
from typing import Any
from urllib.error import HTTPError, URLError

import jwt
from benchmarks.approved_twice.engines.catalogue import DATABASE
from benchmarks.approved_twice.provider import PATIENCE, Books
from benchmarks.approved_twice.story import AT_ONCE, Doubt, Saying, Ticket

POLICY = """version: 1
environment: prod
blast_radius: {max_per_call: 1, max_per_principal: 1000000, window_s: 3600}
tools:
  issue_refund: {description: pay money back, tiers: {prod: L2}}
"""
PROTOCOL = "2026-07-28"
CONFIRMED = {"airlock-confirm": {"action": "accept", "content": {"confirm": True}}}


def versions() -> str:
    """What is measured."""
    return f"mcp-airlock {version('mcp-airlock')} (mcp {version('mcp')})"


class Airlock:
    """Implements `story.Engine`."""

    rounds_at_once = 1

    def __init__(self, folder: Path, books: Books, _orders: Sequence[str], *, strict: bool = False) -> None:
        self._strict = strict
        self._folder = folder
        self._agents = ThreadPoolExecutor(AT_ONCE)
        self._heard: dict[str, list[str]] = {}
        self._channel = Channel()
        self._secret = secrets.token_hex(32)
        upstream = Program([sys.executable, "-m", "benchmarks.approved_twice.engines.airlock_upstream"], os.environ)
        upstream.start([str(books.path), "honours" if books.honours else "ignores", *(["keyed"] if strict else [])])
        self._upstream = upstream
        (folder / "policy.yaml").write_text(POLICY, "utf-8")
        self._replicas = [self._replica(number) for number in range(AT_ONCE if strict else 1)]

    def ask(self, order: str, amount: str) -> Ticket:
        """The agent's first call: it is asked to wait for a confirmation."""
        result = self._call({"order": order, "amount": amount}, 0)
        return {"order": order, "amount": amount, "state": result["requestState"], "link": self._channel.last}

    def deliver(self, ticket: Ticket, worker: int = 0, start: Callable[[], object] | None = None) -> "Answered":
        """The yes, and the agent's call again. A process that died was started again by whatever watches it."""
        if not self._strict:
            worker = 0
            self._replicas[0].start_again()
        return Answered(self._agents.submit(self._confirmed, ticket, worker, start))

    def victim(self) -> int:
        return self._replicas[0].pid

    def gun(self) -> Callable[[], object]:
        return threading.Barrier(AT_ONCE).wait

    def settle(self, ticket: Ticket) -> None:
        """Nothing moves that the agent does not ask for; all replicas are up again."""
        for replica in self._replicas:
            replica.start_again()

    def says(self, ticket: Ticket) -> tuple[Saying, Doubt]:
        """What the agent was told, and whether the audit log has a call that was let through and never ended."""
        heard = self._heard[ticket["order"]]
        return said(heard), "in the log" if self._unfinished(ticket["order"]) else "nowhere"

    def close(self) -> None:
        for program in (*self._replicas, self._upstream):
            program.kill()
        self._channel.close()

    def _confirmed(self, ticket: Ticket, worker: int, start: Callable[[], object] | None) -> str:
        if start is not None:
            start()
        if self._strict:
            self._press(ticket["link"], worker)
        answers = {} if self._strict else {"inputResponses": CONFIRMED}
        try:
            result = self._call(ticket, worker, {"requestState": ticket["state"], **answers})
        except (URLError, ConnectionError) as error:
            self._replicas[worker].wait()
            heard = f"no answer: {type(error).__name__}"
        else:
            texts = [block["text"] for block in result.get("content", [])]
            heard = " ".join([*(["error:"] if result.get("isError") else []), *texts]) or str(result["resultType"])
        self._heard.setdefault(ticket["order"], []).append(heard)
        return heard

    def _call(self, ticket: Ticket, worker: int, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One stateless `tools/call` of the agent at one replica; its result."""
        arguments = {"order_id": ticket["order"], "amount": ticket["amount"]}
        if self._strict:
            arguments["request_id"] = f"refund of {ticket['order']}"
        meta = {
            "io.modelcontextprotocol/protocolVersion": PROTOCOL,
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        }
        params = {"name": "issue_refund", "arguments": arguments, "_meta": meta, **(more or {})}
        headers = {
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": PROTOCOL,
            "mcp-method": "tools/call",
            "mcp-name": "issue_refund",
            **self._identity(),
        }
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        request = urllib.request.Request(f"{self._replicas[worker].url}/mcp", body, headers)
        with urllib.request.urlopen(request, timeout=2 * PATIENCE) as response:
            result: dict[str, Any] = json.loads(response.read())["result"]
            return result

    def _press(self, link: str, worker: int) -> None:
        """The button on the approve page, at whatever replica."""
        path = link[link.index("/approve/") :]
        try:
            urllib.request.urlopen(urllib.request.Request(f"{self._replicas[worker].url}{path}", b""), timeout=PATIENCE)
        except HTTPError as error:
            if error.code != 409:  # it was executed already, and is said to be
                raise

    def _identity(self) -> dict[str, str]:
        if not self._strict:
            return {"x-airlock-principal": "agent"}
        token = jwt.encode({"sub": "agent", "exp": time.time() + 3600}, self._secret, algorithm="HS256")
        return {"authorization": f"Bearer {token}"}

    def _unfinished(self, order: str) -> bool:
        """An intent to execute, without the outcome that belongs to it."""
        found: dict[str, set[str]] = {}
        for log in self._folder.glob("audit-*.jsonl"):
            for line in log.read_text("utf-8").splitlines():
                record = json.loads(line)
                if record["rule_id"] == "tier.L2.confirmed" and record["args"]["order_id"] == order:
                    found.setdefault(record["call_id"], set()).add(record["phase"])
        return {"intent"} in found.values()

    def _replica(self, number: int) -> "Program":
        settings = {"AIRLOCK_TRUST_PRINCIPAL_HEADER": "1"}
        if self._strict:
            settings = {
                "AIRLOCK_JWT_SECRET": self._secret,
                "AIRLOCK_SECRET": self._secret,
                "AIRLOCK_STORE_DSN": os.environ[DATABASE],
                "AIRLOCK_APPROVAL_WEBHOOK": self._channel.url,
                "AIRLOCK_PUBLIC_URL": "http://airlock.example",
            }
        command = [str(Path(sys.executable).with_name("mcp-airlock")), *(["--strict"] if self._strict else [])]
        command += ["--policy", str(self._folder / "policy.yaml"), "--upstream", f"{self._upstream.url}/mcp"]
        command += ["--audit", str(self._folder / f"audit-{number}.jsonl"), "--port"]
        program = Program(command, {**os.environ, **settings})
        program.start([])
        return program


def said(heard: Sequence[str]) -> Saying:
    """The best word the agent heard of it."""
    if any(words.startswith("refunded") for words in heard):
        return "done"
    last = heard[-1]
    if last.startswith("error: airlock: denied"):
        return "refused"
    return "waiting" if last == "input_required" else "failed"


class Answered:
    """Implements `story.Delivery`."""

    def __init__(self, future: Future[str]) -> None:
        self._future = future

    def answer(self) -> str:
        return self._future.result()


class Program:
    """A server on a port of its own, which is started again there when it died."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        with create_server(("127.0.0.1", 0)) as found:
            self._port = int(found.getsockname()[1])
        self._command, self._environment = [*command, str(self._port)], environment
        self.url = f"http://127.0.0.1:{self._port}"
        self._more: Sequence[str] = ()

    @property
    def pid(self) -> int:
        """The process."""
        return int(self._process.pid)

    def start(self, more: Sequence[str]) -> None:
        """Start it, and wait until it listens."""
        self._more = more
        self._process = subprocess.Popen(
            [*self._command, *more], env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=PATIENCE)
            except HTTPError:
                return
            except URLError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"{self._command[:2]} did not start")

    def start_again(self) -> None:
        """If it died."""
        if self._process.poll() is not None:
            self.start(self._more)

    def wait(self) -> None:
        """Until it has died of what befell it."""
        self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class Channel:
    """Where approval links are posted to, as to a chat; a person reads the last one."""

    def __init__(self) -> None:
        self.last = ""

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(receiver) -> None:
                text = json.loads(receiver.rfile.read(int(receiver.headers["content-length"])))["text"]
                self.last = re.findall(r"Approve: (\S+)", text)[-1]
                receiver.send_response(200)
                receiver.end_headers()

            def log_message(receiver, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
