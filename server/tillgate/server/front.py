"""Starts the process that speaks HTTP, and ends it: by itself it has no store, no policy and no secret of either."""

import logging
import os
import signal
import socket
import subprocess
import sys
from types import FrameType, TracebackType

from tillgate.guards.errors import ConfigurationError
from tillgate.server import between
from tillgate.server.between import Hello
from tillgate.server.ending import LAST_SECONDS, end_for_sure
from tillgate.server.settings import Settings

log = logging.getLogger("tillgate.front")
_OURS = ("TILLGATE_", "PG")
"""Settings of ours, and of a PostgreSQL client."""


def bound(settings: Settings) -> socket.socket:
    """The listening socket. Raises ConfigurationError for an address that is none, or is taken."""
    host, port = settings.address
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)  # with the protocol, event loops send small parts at once
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        raise ConfigurationError(f"--http {settings.http}: {error.strerror or error}") from error
    return listening


APART = os.name == "posix"
"""Whether a process can be given sockets that are open already. Elsewhere one process has both sides."""


class Front:
    """The other process, and the socket to it. It ends with this one, and this one with it."""

    def __init__(self, listening: socket.socket) -> None:
        self.line, theirs = socket.socketpair()
        self._told = False
        with theirs:
            numbers = [theirs.fileno(), listening.fileno()]
            command = [sys.executable, "-P", "-m", "tillgate.server.web", *map(str, numbers)]
            self._process = subprocess.Popen(command, pass_fds=numbers, env=_environment())  # noqa: S603

    def __enter__(self) -> "Front":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It sees the socket close, and goes."""
        self.line.close()
        try:
            self._process.wait(LAST_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ends_by_signal(self) -> None:
        """Whatever ends this process ends that one first, which finishes what is in flight."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def ended(self) -> None:
        """Its socket was closed. Raises SystemExit unless it was told to end."""
        if not self._told:
            log.error("the process that speaks HTTP has ended by itself")
            raise SystemExit(1)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._told = True
        end_for_sure()
        self._process.terminate()


def meet(line: socket.socket, hello: Hello) -> str | None:
    """Tell whoever speaks HTTP what it has to know; where the customer's page is, or None when it has gone.

    Raises ConfigurationError when it cannot serve by these settings.
    """
    try:
        line.sendall(between.frame(hello))
    except OSError:
        return None
    if (answer := between.receive(line)) is None:
        return None
    ready = between.ready.decode(answer)
    if ready.fault is not None:
        raise ConfigurationError(ready.fault)
    return ready.pages


def _environment() -> dict[str, str]:
    """It finds the same code, but neither the store nor whoever sends messages: what it may know comes in `Hello`."""
    path = os.pathsep.join(part for part in sys.path if part)
    return {**{name: value for name, value in os.environ.items() if not name.startswith(_OURS)}, "PYTHONPATH": path}
