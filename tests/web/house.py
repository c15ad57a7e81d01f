"""`tillgate serve --http` in a process of its own, and a client that sends it whatever bytes it is told to."""

import contextlib
import itertools
import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from e2e.world import NOW, TILLGATE, Answer, JsonObject, World

from tillgate.server.web.dev_key import ISSUER, make_key, mint

VERSION = "2026-07-28"
PROTOCOL, CAPABILITIES = "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientCapabilities"
META: JsonObject = {PROTOCOL: VERSION, CAPABILITIES: {}}
ASKABLE: JsonObject = {PROTOCOL: VERSION, CAPABILITIES: {"elicitation": {}}}
"""A client that could be asked something is answered by the SDK's own transport."""
START = 1772366400
"""The seconds of `NOW`, at which these servers stand still."""
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Reply:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def message(self) -> JsonObject:
        """The JSON-RPC message in it; in a stream, its last."""
        text = self.body
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            text = [line[6:] for line in self.body.splitlines() if line.startswith(b"data: {")][-1]
        message: JsonObject = json.loads(text)
        return message

    @property
    def answer(self) -> Answer:
        result = self.message.get("result") or {}
        envelope = result.get("structuredContent") or {}
        return Answer(self.body, envelope, bool(result.get("isError")), self.message.get("error"))

    @property
    def error(self) -> int | None:
        """The code of a JSON-RPC error."""
        return (self.message.get("error") or {}).get("code")


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._file = self.socket.makefile("rb")

    def send(self, raw: bytes) -> None:
        self.socket.sendall(raw)

    def reply(self) -> Reply:
        status = int(self._file.readline().split()[1])
        headers = dict(self._headers())
        if status == 100:
            return self.reply()
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self._file.read(int(headers.get("content-length", 0)))
        return Reply(status, headers, body)

    def begins(self) -> int:
        """The status of a reply that does not end."""
        status = int(self._file.readline().split()[1])
        dict(self._headers())
        return status

    def reply_if_any(self) -> Reply | None:
        """None where the other side has closed without one."""
        try:
            return self.reply() if self._file.peek(1) else None
        except ConnectionResetError:
            return None

    def ended(self) -> bool:
        """Whether the other side has closed; waits until it does or says something."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def _headers(self) -> Iterator[tuple[str, str]]:
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            yield name.lower(), value.strip()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._file.readline() or b"0", 16):
            yield self._file.read(size)
            self._file.readline()
        self._file.readline()


class Web:
    """A server on a shop, with a development key whose tokens it takes."""

    def __init__(self, world: World, *flags: str, policy: str | None = None, key: bool = True, now: str = NOW) -> None:
        self.world = world
        self.key = world.path / "dev-key.json"
        if key and not self.key.exists():
            make_key(self.key)
        ours = ("--dev-key", str(self.key)) if key else ()
        self.process = subprocess.Popen(
            [TILLGATE, "serve", "--http", "127.0.0.1:0", *ours, *flags],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=world.path,
            env=world.env(now, policy),
        )
        self.said: list[str] = []
        self._heard = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = self._port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}/mcp"

    def token(self, customer: str | None = "cus_ana", **claims: Any) -> str:
        """A good token, but for what is said here; a claim that is None is left out."""
        good: JsonObject = {
            "iss": ISSUER, "aud": self.url, "sub": customer or "nobody", "client_id": "agent", "customer_id": customer,
            "scope": "tools:read tools:write", "iat": START, "exp": START + 3600,
        }  # fmt: skip
        return mint(self.key, {name: value for name, value in {**good, **claims}.items() if value is not None})

    def head(self, tool: str = "get_order", token: str | None = "", **more: str | None) -> dict[str, str]:
        """The header fields of a call, but for what is said here; `mcp_name` is Mcp-Name, None leaves one out."""
        bearer = self.token() if token == "" else token
        fields: dict[str, str | None] = {
            "host": self.host, "accept": "application/json, text/event-stream", "content-type": "application/json",
            "mcp-protocol-version": VERSION, "mcp-method": "tools/call", "mcp-name": tool,
            "authorization": f"Bearer {bearer}" if bearer else None,
            **{name.replace("_", "-"): value for name, value in more.items()},
        }  # fmt: skip
        return {name: value for name, value in fields.items() if value is not None}

    def connect(self) -> Wire:
        return Wire(self.port)

    def send(self, raw: bytes) -> Reply:
        """Bytes as they are, and the reply."""
        wire = self.connect()
        try:
            wire.send(raw)
            return wire.reply()
        finally:
            wire.close()

    def post(self, body: bytes | JsonObject, head: Mapping[str, str], path: str = "/mcp") -> Reply:
        return self.send(request("POST", path, head, body))

    def get(self, path: str, **head: str) -> Reply:
        return self.send(request("GET", path, {"host": self.host} | head))

    def call(
        self, tool: str, arguments: JsonObject, token: str | None = "", meta: JsonObject = META, **more: str | None
    ) -> Reply:
        return self.post(message(tool, arguments, meta), self.head(tool, token, **more))

    def wait(self, word: str) -> str:
        """The line on stderr that says it."""
        with self._heard:
            self._heard.wait_for(lambda: any(word in line for line in self.said) or not self._reader.is_alive(), 60)
            found = [line for line in self.said if word in line]
        assert found, self.said
        return found[0]

    def end(self, seconds: float = 20) -> int:
        """Tell it to end, and how it did."""
        self.process.terminate()
        code = self.process.wait(seconds)
        self._reader.join(20)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
            self.process.kill()
            self.process.wait()
        self._reader.join(20)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _port(self) -> int:
        return int(self.wait("tillgate serves").split()[-1])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._heard:
                self.said.append(line.decode())
                self._heard.notify_all()
        with self._heard:
            self._heard.notify_all()


@contextlib.contextmanager
def serving(world: World, *flags: str, policy: str | None = None, key: bool = True, now: str = NOW) -> Iterator[Web]:
    web = Web(world, *flags, policy=policy, key=key, now=now)
    try:
        yield web
    finally:
        web.close()


def records(world: World) -> list[JsonObject]:
    """The log as it lies in the store."""
    return [json.loads(row[0]) for row in world.rows("SELECT record FROM audit ORDER BY seq")]


def calls(world: World) -> list[JsonObject]:
    """What the log tells of calls, and not of requests in which there was none."""
    return [record for record in records(world) if record["kind"] == "call"]


def message(tool: str, arguments: JsonObject, meta: JsonObject = META, key: Any = None) -> JsonObject:
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    return {"jsonrpc": "2.0", "id": next(_NUMBERS) if key is None else key, "method": "tools/call", "params": params}


def request(method: str, path: str, head: Mapping[str, str], body: bytes | JsonObject = b"") -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    if "content-length" not in head and "transfer-encoding" not in head and (text or method == "POST"):
        lines.append(f"content-length: {len(text)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + text
