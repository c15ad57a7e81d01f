"""A disk in memory that keeps only what was synced when its power is cut, and that can be full or fail.

What was written since the last sync of a file is kept or lost sector by sector, in any mixture.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

SECTOR, PAGE = 512, 4096
Write: TypeAlias = tuple[int, bytes]
"""What was put where; no bytes at all cut the file off there."""


@dataclass
class File:
    """`seen` is what a reader finds, `kept` what is safe, and `waiting` leads from the one to the other."""

    kept: bytearray = field(default_factory=bytearray)
    seen: bytearray = field(default_factory=bytearray)
    waiting: list[Write] = field(default_factory=list[Write])
    forgotten: set[int] = field(default_factory=set[int])
    """Pages that could not be synced: they are read as they were written, and are not on their way to the disk."""

    def write(self, offset: int, content: bytes) -> None:
        for page in self.forgotten & _pages(offset, content):
            self.waiting.append((page * PAGE, bytes(self.seen[page * PAGE : (page + 1) * PAGE])))
            self.forgotten.remove(page)
        self.waiting.append((offset, content))
        _put(self.seen, offset, content)

    def forget(self) -> None:
        """What a sync that fails does to everything that waits for it: it is asked of the disk once and not again."""
        for offset, content in self.waiting:
            self.forgotten |= _pages(offset, content)
        self.waiting.clear()

    def pages(self) -> int:
        """About how many pages of a database it holds."""
        return len(self.seen) // 4096

    def sync(self) -> None:
        for offset, content in self.waiting:
            _put(self.kept, offset, content)
        self.waiting.clear()

    def found(self, chance: Random) -> "File":
        """What a power cut would leave of it: nothing that waits, all of it, or some sectors of it."""
        left, share = bytearray(self.kept), chance.choice([0.0, 0.3, 0.7, 1.0])
        for offset, content in self.waiting:
            for start in range(0, len(content) or 1, SECTOR):
                if chance.random() < share:
                    _put(left, offset + start, content[start : start + SECTOR])
        return File(left, bytearray(left))


def _pages(offset: int, content: bytes) -> set[int]:
    return set(range(offset // PAGE, (offset + len(content) - 1) // PAGE + 1))


def _put(into: bytearray, offset: int, content: bytes) -> None:
    if not content:
        del into[offset:]
        return
    into.extend(bytes(max(0, offset - len(into))))
    into[offset : offset + len(content)] = content


class Disk:
    """Files by name. `before` is told of every operation before it is done, and may raise instead of it."""

    def __init__(self, files: dict[str, File]) -> None:
        self.files = files
        self.operations = 0
        self.before: Callable[[str], None] = lambda _what: None

    def write(self, name: str, offset: int, content: bytes) -> None:
        self._count("write")
        self.files[name].write(offset, content)

    def cut(self, name: str, size: int) -> None:
        self._count("cut")
        self.files[name].write(size, b"")

    def sync(self, name: str) -> None:
        try:
            self._count("sync")
        except Exception:
            self.files[name].forget()
            raise
        self.files[name].sync()

    def delete(self, name: str) -> None:
        self._count("delete")
        self.files.pop(name, None)

    def found(self, chance: Random) -> "Disk":
        """The disk as it is found after a power cut at this very moment."""
        return Disk({name: file.found(chance) for name, file in self.files.items()})

    def _count(self, what: str) -> None:
        self.operations += 1
        self.before(what)


def holding(name: str, content: bytes) -> Disk:
    """A disk with one file that is safe on it."""
    return Disk({name: File(bytearray(content), bytearray(content))})
