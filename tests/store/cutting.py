"""A wire between a client and a PostgreSQL server that is cut at the worst moment: when a commit is done, not told."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""How the server tells of a commit."""
_SOCKET = ".s.PGSQL.5432"


class Wire:
    """Listens in a folder of its own for clients of the server in `there`. Each connection has two threads."""

    def __init__(self, here: Path, there: Path) -> None:
        self.cuts = 0
        self._there = str(there / _SOCKET)
        self._left = 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(here / _SOCKET))
        self._listening.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut_next(self, count: int = 1) -> None:
        """The next commits are done by the server, and the client does not hear of it."""
        self._left = count

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._there)
                for ends in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, answers: bool) -> None:
        with one, other:
            with suppress(OSError):
                while said := one.recv(65536):
                    if answers and self._left and COMMITTED in said:
                        self._left -= 1
                        self.cuts += 1
                        break
                    other.sendall(said)
            for end in (one, other):
                with suppress(OSError):  # one end may be gone, and whoever waits at the other still has to be told
                    end.shutdown(socket.SHUT_RDWR)
