"""The payment provider of the story: an SQLite file whose only act is to insert a refund, so each execution is a row.

What goes wrong is arranged beforehand, for one order, and happens once. It needs nothing but Python, so that every
engine's tool can call the same one.
"""

import os
import signal
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Fault: TypeAlias = Literal["dies_before", "dies_after", "no_answer", "waits"]
"""The worker is killed before the refund or after it; the refund is made and no answer comes; or the provider takes
its time, until it is told to go on."""

PATIENCE = 30.0
"""Seconds after which nothing in the story is waited for any longer."""
_TABLES = """
CREATE TABLE IF NOT EXISTS refund (number INTEGER PRIMARY KEY, order_id TEXT, amount TEXT, key TEXT);
CREATE TABLE IF NOT EXISTS fault (order_id TEXT PRIMARY KEY, fault TEXT, victim INTEGER);
CREATE TABLE IF NOT EXISTS held (order_id TEXT PRIMARY KEY);
"""


class NoAnswer(Exception):
    """The provider was asked and did not answer in time."""


@dataclass(frozen=True, slots=True)
class Books:
    """The provider's own books. With `honours`, a key that came before is the same refund; else keys mean nothing."""

    path: Path
    honours: bool

    def refund(self, order: str, amount: str, key: str | None) -> str:
        """Refund once, or once more; the reference of it. Raises NoAnswer."""
        fault, victim = self._fault(order)
        if fault == "dies_before":
            _kill(victim)
        if fault == "waits":
            self._hold(order)
        reference = self._insert(order, amount, key)
        if fault == "dies_after":
            _kill(victim)
        if fault == "no_answer":
            raise NoAnswer("the payment provider did not answer in time")
        return reference

    def arrange(self, order: str, fault: Fault, victim: int = 0) -> None:
        """Let the next refund of this order go wrong; `victim` is the process to kill, 0 for the one that calls."""
        with self._open() as books:
            books.execute("INSERT INTO fault VALUES (?, ?, ?)", (order, fault, victim))

    def refunds(self, order: str) -> tuple[str, ...]:
        """The amount of each refund that was made for this order."""
        with self._open() as books:
            found = books.execute("SELECT amount FROM refund WHERE order_id = ? ORDER BY number", (order,))
            return tuple(str(row[0]) for row in found)

    def wait_until_held(self, order: str) -> None:
        """Until a refund of this order waits at the provider."""
        self._wait(order, held=True)

    def release(self, order: str) -> None:
        """Let the refund that waits go on."""
        with self._open() as books:
            books.execute("DELETE FROM held WHERE order_id = ?", (order,))

    def _insert(self, order: str, amount: str, key: str | None) -> str:
        with self._open() as books:
            if self.honours and key is not None:
                seen = books.execute("SELECT number FROM refund WHERE key = ?", (key,)).fetchone()
                if seen is not None:
                    return f"refund-{seen[0]}"
            added = books.execute("INSERT INTO refund (order_id, amount, key) VALUES (?, ?, ?)", (order, amount, key))
            return f"refund-{added.lastrowid}"

    def _fault(self, order: str) -> tuple[str | None, int]:
        with self._open() as books:
            found = books.execute("DELETE FROM fault WHERE order_id = ? RETURNING fault, victim", (order,)).fetchall()
            return found[0] if found else (None, 0)

    def _hold(self, order: str) -> None:
        with self._open() as books:
            books.execute("INSERT INTO held VALUES (?)", (order,))
        self._wait(order, held=False)

    def _wait(self, order: str, *, held: bool) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with self._open() as books:
                found = books.execute("SELECT 1 FROM held WHERE order_id = ?", (order,)).fetchone() is not None
            if found == held:
                return
            time.sleep(0.02)
        raise TimeoutError(f"{order} did not {'reach' if held else 'leave'} the provider in {PATIENCE:.0f} s")

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        try:
            connection.executescript(_TABLES)
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()


def _kill(victim: int) -> None:
    """At once and for good, as when the power goes. Whoever called for a worker that is no more does nothing either."""
    os.kill(victim or os.getpid(), signal.SIGKILL)
    raise NoAnswer("whoever asked for it is gone")
