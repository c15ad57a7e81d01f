"""A load generator of its own process: keep-alive connections that send their next request when they have an answer.

    python benchmarks/over_http/load.py < task.json

The task names the port, the seconds, and for each connection the requests it sends in turn (base64). What it costs is
far below what a server spends on a request: raw sockets, requests made before the clock runs, and of an answer only
what says where it ends and whether it is a good one. Prints how many answers came, and every time in microseconds.
"""

import base64
import json
import select
import socket
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

GOOD = b'"isError":false'
_END, _LENGTH = b"\r\n\r\n", b"content-length: "
_CHUNK = 256 * 1024


class Connection:
    """One socket that always has one request under way."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests: Iterator[bytes] = cycle(requests)
        self._heard = b""
        self.began = 0

    def send(self) -> None:
        """The next request."""
        self._heard = b""
        self.began = time.perf_counter_ns()
        self.socket.sendall(next(self._requests))

    def hear(self) -> bytes | None:
        """The whole answer, once it is there. Raises RuntimeError when the other side closes."""
        part = self.socket.recv(_CHUNK)
        if not part:
            raise RuntimeError(f"the server closed a connection after {self._heard[:200]!r}")
        self._heard = heard = self._heard + part
        end = heard.find(_END)
        if end < 0:
            return None
        head = heard[:end].lower()
        at = head.find(_LENGTH)
        if at < 0:
            raise RuntimeError(f"an answer without a length: {heard[:200]!r}")
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        return heard if len(heard) >= end + len(_END) + length else None


def run(port: int, seconds: float, requests: Sequence[Sequence[bytes]]) -> list[int]:
    """Nanoseconds of every call. Raises RuntimeError at the first answer that is not a good one."""
    connections = {c.socket.fileno(): c for c in (Connection(port, each) for each in requests)}
    poll = select.epoll()
    for descriptor in connections:
        poll.register(descriptor, select.EPOLLIN)
    took = array("q")
    until = time.perf_counter_ns() + int(seconds * 1e9)
    for connection in connections.values():
        connection.send()
    waiting = len(connections)
    while waiting:
        for descriptor, _ in poll.poll():
            connection = connections[descriptor]
            if (answer := connection.hear()) is None:
                continue
            now = time.perf_counter_ns()
            took.append(now - connection.began)
            if GOOD not in answer:
                raise RuntimeError(answer[:2000].decode("utf-8", "replace"))
            if now < until:
                connection.send()
            else:
                waiting -= 1
    for connection in connections.values():
        connection.socket.close()
    return list(took)


def main() -> None:
    """Reads a task, loads, and prints what it saw."""
    task: dict[str, Any] = json.load(sys.stdin)
    requests = [[base64.b64decode(one) for one in each] for each in task["requests"]]
    began = time.perf_counter()
    took = run(task["port"], task["seconds"], requests)
    json.dump({"seconds": time.perf_counter() - began, "took": took}, sys.stdout)


if __name__ == "__main__":
    main()
