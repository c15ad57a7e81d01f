"""The real `tillgate serve` on a place, over stdio or HTTP, on the wall's own clock."""

import contextlib
import http.client
import itertools
import json
import os
import socket
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from battery.stage import POLICY, Place
from e2e.world import TILLGATE, Session, World

PAID = ("--payments", "stub:books.db")
_HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
}
_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
_numbers = itertools.count(1)


class Live(World):
    """A place as its commands see it."""

    def env(self, now: str = "", policy: str | None = None) -> dict[str, str]:
        env = super().env(now, policy or POLICY)
        del env["TILLGATE_NOW"]
        return env


def on_stdio(place: Place, who: int = 1) -> Session:
    """A server for one customer and its client."""
    return Session(Live(place.folder), "--customer", f"cus_{who}", "--assurance", "stepped_up", *PAID)


@dataclass(frozen=True)
class Http:
    """A server on a port, and how to call it, through whatever port leads to it."""

    process: "subprocess.Popen[bytes]"
    port: int
    errors: Path

    def call(self, tool: str, arguments: dict[str, Any], port: int | None = None) -> dict[str, Any]:
        """The answer as a client gets it. Raises OSError or HTTPException where the wire breaks."""
        params = {"name": tool, "arguments": arguments, "_meta": _META}
        body = {"jsonrpc": "2.0", "id": next(_numbers), "method": "tools/call", "params": params}
        headers = {**_HEADERS, "mcp-name": tool, "host": f"127.0.0.1:{self.port}"}
        status, content = self.request("POST", "/mcp", json.dumps(body), headers, port)
        assert status == 200, content
        told: dict[str, Any] = json.loads(content)["result"]["structuredContent"]
        return told

    def request(
        self, method: str, path: str, body: str | None = None, headers: Any = None, port: int | None = None
    ) -> tuple[int, bytes]:
        """One exchange on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()


@contextlib.contextmanager
def on_http(place: Place, who: int = 1) -> Generator[Http]:
    """A server over HTTP that is there when this begins, and gone when it ends."""
    port, live = _free_port(), Live(place.folder)
    flags = ["--http", f"127.0.0.1:{port}", "--unsafe-no-auth", "--customer", f"cus_{who}", "--assurance", "stepped_up"]
    errors = live.path / f"http-{next(_numbers)}"
    with errors.open("wb") as told:
        process = subprocess.Popen([TILLGATE, "serve", *flags, *PAID], stderr=told, cwd=live.path, env=live.env())
    server = Http(process, port, errors)
    try:
        _wait(server)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(server: Http) -> None:
    while True:
        with contextlib.suppress(OSError):
            server.request("GET", "/healthz")
            return
        assert server.process.poll() is None, server.errors.read_text()
        os.sched_yield()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
