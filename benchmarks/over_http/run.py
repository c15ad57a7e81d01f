"""Calls a second over Streamable HTTP, everything on, beside the SDK's own server with the same answer from memory.

    python benchmarks/over_http/run.py [--clients 16 64] [--seconds 4] [--rounds 5] [--out results.md]
    python benchmarks/over_http/run.py --minutes 10        # how the server's memory grows

Tillgate verifies a token, decides under the shipped policy, and has the record of every call on disk before it is
answered; `edit_cart` also changes a cart each time. The bare servers do nothing of that: `default` is the SDK as it
comes, `fast` the SDK with answers as JSON on an event loop and a parser in C. All three are there all the while and
are asked in turn, by a process that costs little, so that whatever else the machine does falls on all of them.
"""

import argparse
import base64
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.journey import CALLERS, CASES, NOW, ROOT, numbered, shop
from benchmarks.over_http.picture import draw

from tillgate.server.seeding import seed_text
from tillgate.server.web.dev_key import ISSUER, make_key, mint

PICTURE = "![Calls a second of the three servers](over_http.svg)"
HERE = Path(__file__).resolve().parent
TOOLS: Mapping[str, str] = {"get_order": "read", "edit_cart": "durable write"}
VERSION = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}


@dataclass(frozen=True)
class Server:
    """A server that runs, and the tokens it takes."""

    name: str
    port: int
    pid: int
    tokens: Sequence[str] = ()

    def requests(self, tool: str, clients: int) -> list[list[bytes]]:
        """What each client sends in turn, as it goes over the wire."""
        return [[self._request(tool, arguments, n) for arguments in _asked(tool, n)] for n in range(1, clients + 1)]

    def _request(self, tool: str, arguments: dict[str, Any], number: int) -> bytes:
        params = {"name": tool, "arguments": arguments, "_meta": META}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        head = {
            "host": f"127.0.0.1:{self.port}", "accept": "application/json, text/event-stream",
            "content-type": "application/json", "mcp-protocol-version": VERSION, "mcp-method": "tools/call",
            "mcp-name": tool, "content-length": str(len(body)),
        }  # fmt: skip
        if self.tokens:
            head["authorization"] = f"Bearer {self.tokens[number - 1]}"
        return "".join(["POST /mcp HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in head.items()), "\r\n"]).encode() + body


def _asked(tool: str, number: int) -> list[dict[str, Any]]:
    plain = numbered(CASES[tool], number)
    if tool != "edit_cart":
        return [plain]
    return [plain | {"lines": [{**line, "quantity": n} for line in plain["lines"]]} for n in (1, 2, 3)]


@dataclass
class Found:
    """What was seen of one server at one number of clients."""

    seconds: float = 0.0
    took: list[int] = field(default_factory=list[int])
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.took) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """What a call costs the server's processors."""
        return self.cpu * 1000 / len(self.took)

    def ms(self, percent: int) -> float:
        """A percentile of the times, in milliseconds."""
        return sorted(self.took)[len(self.took) * percent // 100] / 1e6


def load(server: Server, tool: str, clients: int, seconds: float) -> Found:
    """So many clients call for so long."""
    requests = [[base64.b64encode(one).decode() for one in each] for each in server.requests(tool, clients)]
    task = json.dumps({"port": server.port, "seconds": seconds, "requests": requests})
    before = spent(server.pid)
    done = subprocess.run([sys.executable, str(HERE / "load.py")], input=task, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{server.name}: {done.stderr[-2000:]}")
    return Found(**json.loads(done.stdout), cpu=spent(server.pid) - before)


@contextmanager
def governed(folder: Path) -> Iterator[Server]:
    """The real server on a shop of 64 customers, each with a token of their own."""
    db, key = folder / "bench.db", folder / "key.json"
    make_key(key)
    seed_text(json.dumps(shop()).encode(), db=str(db), replace=False, source="benchmark")
    command = [str(Path(sys.executable).parent / "tillgate"), "serve", "--http", "127.0.0.1:0", "--dev-key", str(key)]
    command += ["--db", str(db), "--policy", str(ROOT / "policy.yaml")]
    with _running(command) as process:
        port = int(_line(process.stderr).split()[-1])
        claims = {
            "iss": ISSUER, "aud": f"http://127.0.0.1:{port}/mcp", "scope": "tools:read tools:write",
            "client_id": "agent", "tillgate_assurance": "stepped_up", "iat": int(NOW.timestamp()),
            "exp": int(NOW.timestamp()) + 86_400,
        }  # fmt: skip
        who = [f"cus_{n}" for n in range(1, CALLERS + 1)]
        yield Server("tillgate", port, process.pid, [mint(key, {**claims, "sub": c, "customer_id": c}) for c in who])


@contextmanager
def bare(folder: Path, form: str, answer: bytes) -> Iterator[Server]:
    """The SDK's own server."""
    file = folder / "answer.json"
    file.write_bytes(answer)
    with _running([sys.executable, str(HERE / "bare.py"), str(file), form]) as process:
        yield Server(form, int(_line(process.stdout)), process.pid)


@contextmanager
def _running(command: Sequence[str]) -> "Iterator[subprocess.Popen[str]]":
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _line(stream: Any) -> str:
    line = stream.readline()
    if not line:
        raise SystemExit("a server did not start")
    return str(line)


def answer_of(server: Server) -> bytes:
    """The structured answer of one real read: what the bare servers say to every call."""
    import http.client

    head, _, body = server.requests("get_order", 1)[0][0].partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", "/mcp", body, fields)
    told = json.loads(connection.getresponse().read())
    connection.close()
    return json.dumps(told["result"]["structuredContent"]).encode()


def compare(servers: Sequence[Server], clients: Sequence[int], seconds: float, rounds: int) -> list[str]:
    """A line of a table for each tool, number of clients and server."""
    lines = [
        "| call | clients | server | calls/s | p50 ms | p99 ms | CPU ms a call | of `default` | of `fast` |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for tool, what in TOOLS.items():
        for count in clients:
            found = {server.name: Found() for server in servers}
            for turn in range(rounds + 1):  # the first warms up
                for server in [*servers[turn % len(servers) :], *servers[: turn % len(servers)]]:
                    seen = load(server, tool, count, seconds if turn else 1.0)
                    if turn:
                        found[server.name].seconds += seen.seconds
                        found[server.name].took += seen.took
                        found[server.name].cpu += seen.cpu
            for name, each in found.items():
                ratios = [f"{each.rate / found[other].rate:.2f}" for other in ("default", "fast")]
                told = [f"{each.rate:,.0f}", f"{each.ms(50):.1f}", f"{each.ms(99):.1f}", f"{each.cpu_ms:.2f}", *ratios]
                lines.append(f"| `{tool}` ({what}) | {count} | {name} | {' | '.join(told)} |")
                print(lines[-1], flush=True)
    return lines


def memory(server: Server, minutes: int) -> None:
    """Reads and writes of 64 clients in turn; a line a minute."""
    first = 0
    for minute in range(minutes + 1):
        kib = resident(server.pid)
        first = first if minute > 1 else kib  # what the first minute takes is no growth
        files = sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in family(server.pid))
        print(f"minute {minute}: {kib / 1024:.1f} MiB, {kib / first - 1:+.1%}, {files} descriptors", flush=True)
        if minute < minutes:
            reads, writes = (load(server, tool, 64, 30) for tool in TOOLS)
            cost = f"{reads.cpu_ms:.2f} and {writes.cpu_ms:.2f} ms of CPU a call"
            print(f"  {len(reads.took):,} reads and {len(writes.took):,} writes, {cost}", flush=True)


def spent(pid: int) -> float:
    """Seconds that a process and those it started have had of the processors."""
    stats = [Path(f"/proc/{each}/stat").read_text("ascii").rpartition(")")[2].split() for each in family(pid)]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """KiB of memory of a process and those it started."""
    statuses = [Path(f"/proc/{each}/status").read_text("ascii") for each in family(pid)]
    return sum(int(status.split("VmRSS:")[1].split()[0]) for status in statuses)


def family(pid: int) -> list[int]:
    """A process and those it started."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())]


def main() -> None:
    """Prints the table, or how memory grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--minutes", type=int)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        ours = stack.enter_context(governed(folder))
        if options.minutes:
            memory(ours, options.minutes)
            return
        answer = answer_of(ours)
        servers = [ours, *(stack.enter_context(bare(folder, form, answer)) for form in ("default", "fast"))]
        lines = compare(servers, options.clients, options.seconds, options.rounds)
    if options.out:
        options.out.write_text(written(lines, options.seconds, options.rounds), "utf-8")
        draw(options.out)


def written(lines: Sequence[str], seconds: float, rounds: int) -> str:
    """The results with what they are of."""
    where = f"{os.cpu_count()} cores, CPython {platform.python_version()}"
    how = f"{rounds} rounds of {seconds:g} s for each server in turn, one run"
    head = f"Written by `python benchmarks/over_http/run.py` on {date.today()}; {where}; {how}."
    told = (__doc__ or "").split("\n\n")[2].strip()
    return "\n".join(["# Over Streamable HTTP", "", head, "", told, "", PICTURE, "", *lines, ""])


if __name__ == "__main__":
    os.environ["TILLGATE_NOW"] = NOW.isoformat()
    main()
