"""A log in a file that several readers share: any range of it by itself, and what a reader is told of it.

The rule kept: whoever reads a range, every line is read once, by the reader of the range it begins in.
"""

import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.facts import ToolSurface
from tillgate.guards.policy.load import load_policy
from tillgate.server.backtest import Block, Reading
from tillgate.server.backtest_counts import Days

BLOCK = 2**20
"""Bytes of a block: what comes of it fits into a pipe, so that a worker can be ahead by one."""


@dataclass(frozen=True, slots=True)
class Log:
    """A file as it was when the reading began: what is written to it later is not read."""

    path: Path
    size: int
    identity: tuple[int, int]
    regular: bool

    @classmethod
    def of(cls, path: Path) -> "Log":
        """The log in a file. Raises OSError for one that is not there."""
        found = path.stat()
        return cls(path.resolve(), found.st_size, (found.st_dev, found.st_ino), stat.S_ISREG(found.st_mode))

    @contextmanager
    def opened(self, most: int) -> Generator["Ranges"]:
        """The file, to be read in ranges of `most` bytes. Raises ConfigurationError where it is another one by now."""
        with self.path.open("rb") as file:
            found = os.fstat(file.fileno())
            if (found.st_dev, found.st_ino) != self.identity:
                raise ConfigurationError(f"{self.path}: was replaced while it was read")
            yield Ranges(file, self.path, most)


class Ranges:
    """A log under reading. Every range is read into the same memory: the lines of one are gone with the next."""

    def __init__(self, file: BufferedReader, path: Path, most: int) -> None:
        self._file = file
        self._path = path
        self._memory = bytearray(most + 1)

    def lines(self, start: int, end: int) -> list[bytes | memoryview]:
        """The lines that begin in a range, without their ends. Raises ConfigurationError where the file ends before."""
        before = max(0, start - 1)  # a line begins at the start if what is before ends one
        size = end - before
        self._file.seek(before)
        if self._file.readinto(memoryview(self._memory)[:size]) != size:
            raise ConfigurationError(f"{self._path}: became shorter while it was read")
        at = self._memory.find(b"\n", 0, size) + 1 if start else 0
        return list(self._cut(at, size)) if at or not start else []

    def _cut(self, at: int, end: int) -> Iterator[bytes | memoryview]:
        """The lines from a place on; the last one as far as it goes."""
        memory = memoryview(self._memory)
        while (stop := self._memory.find(b"\n", at, end)) >= 0:
            yield memory[at:stop]
            at = stop + 1
        if at < end:
            yield bytes(memory[at:end]) + self._file.readline().removesuffix(b"\n")


@dataclass(frozen=True, slots=True)
class Task:
    """All a worker is told: the log and how it is cut, the policy's text and name in errors, tools, and the days."""

    log: Log
    policy: tuple[str, str]
    tools: tuple[ToolSurface, ...]
    days: Days
    block: int = BLOCK

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.log.size // self.block)

    def reading(self) -> Reading:
        """What the log is read for. Raises PolicyError."""
        return Reading(load_policy(*self.policy, self.tools), self.days)

    def share(self, reading: Reading, first: int = 0, step: int = 1) -> Iterator[Block]:
        """Every `step`th block from the `first` on, read and decided."""
        with self.log.opened(self.block) as ranges:
            for number in range(first, self.blocks, step):
                start = number * self.block
                end = min(start + self.block, self.log.size)
                yield reading.block(ranges.lines(start, end), end - start)
