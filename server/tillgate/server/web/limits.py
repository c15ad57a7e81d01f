"""What one client may take of a server that others use too: calls at once, and time and room for what it sends.

The rule kept: whoever takes too much is told so before anything is begun, and nobody else waits for it.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CALLS_AT_ONCE = 64
"""More calls than this of one principal are not begun."""
HEAD_SECONDS = 10.0
"""How long the head of a request may take to come, from the first byte or from connecting."""
BODY_SECONDS = 10.0
"""The same of a body."""
MOST_HEAD_BYTES = 64 * 1024
MOST_FIELDS = 200
CONNECTIONS = 4_096
_SPOKEN = frozenset({"1.0", "1.1"})


class Places:
    """So many places for each principal."""

    def __init__(self, each: int = CALLS_AT_ONCE) -> None:
        self._each = each
        self._taken: dict[str, int] = {}

    @contextmanager
    def place(self, principal: str) -> Generator[bool]:
        """Whether there is a place; it is free again at the end."""
        taken = self._taken.get(principal, 0)
        if taken >= self._each:
            yield False
            return
        self._taken[principal] = taken + 1
        try:
            yield True
        finally:
            left = self._taken[principal] - 1
            if left:
                self._taken[principal] = left
            else:
                del self._taken[principal]


class Impatient(HttpToolsProtocol):
    """A connection that is closed when the head of a request does not come, or does not end.

    What comes for a head after the body is dropped: everything was checked by then, or would be read as if it had come
    before.
    """

    head_seconds = HEAD_SECONDS
    _overdue: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_is_whole = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected, and has yet to say anything."""
        super().connection_made(transport)
        self._expect()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_is_whole = False
        self._expect()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field of it, or of what follows the body."""
        if not self._head_is_whole:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is whole. What it is for is a path of this site, in a version of HTTP that is spoken here."""
        self._forget()
        self._head_is_whole = True
        if (
            self.parser is None
            or self.parser.get_http_version() not in _SPOKEN
            or self.url[:1] != b"/"
            or b"#" in self.url
            or len(self.headers) > MOST_FIELDS
            or sum(map(_size, self.headers), len(self.url)) > MOST_HEAD_BYTES
        ):
            raise ValueError("this is not asked here")  # the parser stops, and 400 is answered
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Some of a request, or more than one of them."""
        super().data_received(data)
        if self._overdue is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._forget()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._forget()
        self._overdue = self.loop.call_later(self.head_seconds, self.transport.close)

    def _forget(self) -> None:
        self._head_bytes = 0
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


def _size(field: tuple[bytes, bytes]) -> int:
    return len(field[0]) + len(field[1])
