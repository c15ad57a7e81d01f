"""A wire that breaks: passes connections on to a port, and cuts some of them at a random byte of either direction."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from random import Random

_CHUNK = 1024


class Wire:
    """Listens on `port`; `cuts` counts the connections it cut."""

    def __init__(self, to: int, share: float, seed: int) -> None:
        self._to, self._share, self._chance = to, share, Random(seed)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.cuts = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._socket.accept()
                there = socket.create_connection(("127.0.0.1", self._to))
                cut = self._chance.random() < self._share
                self.cuts += cut
                backwards = cut and self._chance.random() < 0.6
                at = self._chance.randrange(1200)
                for source, target, ends in ((here, there, cut and not backwards), (there, here, backwards)):
                    left = at if ends else None
                    threading.Thread(target=_pass_on, args=(source, target, left), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, left: int | None) -> None:
    """Bytes from one to the other until there are no more, or none are left to pass on: then both ends break."""
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk if left is None else chunk[:left])
            left = None if left is None else left - len(chunk)
            if left is not None and left <= 0:
                break
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def breaking(to: int, share: float, seed: int) -> Generator[Wire]:
    """A wire to a port."""
    wire = Wire(to, share, seed)
    try:
        yield wire
    finally:
        wire.close()
