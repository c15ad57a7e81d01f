"""The wire of one client on stdin and stdout: whole lines in, whole lines out, and nothing else on either.

While it is open, the process's own stdin is empty and its stdout is stderr, so no stray print can reach the protocol.
Descriptors are waited for on the event loop, without a thread for every line.
"""

import os
import select
import sys
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager

import anyio
import anyio.to_thread

from tillgate.server.ending import Told
from tillgate.server.screen import MOST_BYTES, screen, screen_oversize

_CHUNK = 64 * 1024
_AT_ONCE: int = getattr(select, "PIPE_BUF", 512)  # what a pipe that is ready takes without blocking
_TAIL = 1024


@contextmanager
def private_wire() -> Generator[tuple[int, int]]:
    """Descriptors of the real stdin and stdout, for the protocol alone."""
    wire_in, wire_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    try:
        yield wire_in, wire_out
    finally:
        os.dup2(wire_in, 0)
        os.dup2(wire_out, 1)
        for descriptor in (nothing, wire_in, wire_out):
            os.close(descriptor)


async def lines(descriptor: int, told: Told) -> AsyncIterator[str]:
    """Screened messages, one a line, until the client closes its end or the process is told to end.

    Of a line that is too long only its two ends are kept, so no client can fill the memory.
    """
    buffer, tail, dropped = bytearray(), b"", False
    while chunk := await _read(descriptor, told):
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            buffer += part
            if dropped:
                yield screen_oversize(bytes(buffer[:MOST_BYTES]), (tail + part)[-_TAIL:])
            elif buffer.strip():
                yield screen(bytes(buffer))
            buffer, tail, dropped = bytearray(), b"", False
        buffer += rest
        if len(buffer) > MOST_BYTES + _TAIL:
            tail, dropped = bytes(buffer[-_TAIL:]), True
            del buffer[MOST_BYTES:]
    if buffer.strip() and not dropped and not told.so:
        yield screen(bytes(buffer))


class LineWriter:
    """What the SDK writes to: text goes out whole, waiting only while the client does not read."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(descriptor, select.POLLOUT)

    async def write(self, text: str) -> int:
        """Write the whole text. Raises ClosedResourceError when the client has gone: the SDK then ends in peace."""
        try:
            await self._write(memoryview(text.encode()))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise anyio.ClosedResourceError from error
        return len(text)

    async def _write(self, left: memoryview) -> None:
        if self._poll is None:
            await anyio.to_thread.run_sync(_write_all, self._descriptor, left)
            return
        while left:
            if not self._poll.poll(0):
                await anyio.wait_writable(self._descriptor)
            left = left[os.write(self._descriptor, left[:_AT_ONCE]) :]

    async def flush(self) -> None:
        """Nothing is held back."""


async def _read(descriptor: int, told: Told) -> bytes:
    if told.so:
        return b""
    if sys.platform == "win32":
        return await anyio.to_thread.run_sync(os.read, descriptor, _CHUNK, abandon_on_cancel=True)
    try:
        await anyio.wait_readable(descriptor)
    except PermissionError:  # a plain file is always readable and cannot be waited for
        return await anyio.to_thread.run_sync(os.read, descriptor, _CHUNK, abandon_on_cancel=True)
    except anyio.ClosedResourceError:
        return b""
    return os.read(descriptor, _CHUNK)


def _write_all(descriptor: int, left: memoryview) -> None:
    while left:
        left = left[os.write(descriptor, left) :]
