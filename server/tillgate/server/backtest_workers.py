"""A log read by several processes at once, each taking every so-manieth block of it.

The rule kept: blocks come back in order, or an error does. Workers read the file themselves and are held back by their
pipes, so nothing piles up; none outlives the reading, and one that ends early ends it.
"""

import copyreg
import io
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from types import MappingProxyType
from typing import IO, TypeAlias

from tillgate.guards.errors import ConfigurationError, TillgateError
from tillgate.guards.facts import FactType, ToolSurface
from tillgate.server.backtest import Block, cut
from tillgate.server.backtest_counts import Backtest, Days
from tillgate.server.backtest_log import Log, Task

SMALL = 64 * 2**20
"""Bytes of a log that is read before workers would have started."""
MOST = 8
"""Workers beyond this wait for the parent, which settles what hangs on order."""


def backtest_file(
    path: Path,
    policy: tuple[str, str],
    tools: tuple[ToolSurface, ...],
    days: Days,
    *,
    workers: int | None = None,
    seen: Callable[[int], None] = lambda _: None,
) -> Backtest:
    """Backtest a log in a file, in this process or, where it is large, in a worker for each core.

    `policy` is the policy's text and the name it has in errors; `seen` hears how many bytes were read. The result is
    the same for any number of `workers`. Raises OSError for a file that cannot be read, ConfigurationError for a policy
    with errors, a file that was replaced meanwhile or a worker that ended early.
    """
    task = Task(Log.of(path), policy, tools, days)
    reading, wanted = task.reading(), workers or worth(task.log)
    if not task.log.regular:
        with path.open("rb") as file:
            return reading.whole(map(reading.block, cut(file)))
    if wanted == 1:
        return reading.whole(task.share(reading), seen)
    with crew(task, wanted) as started:
        return reading.whole(in_order(task, started), seen)


def worth(log: Log) -> int:
    """How many processes it is worth reading a log with."""
    return 1 if log.size < SMALL else min(cores(), MOST)


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Worker: TypeAlias = "subprocess.Popen[bytes]"


@contextmanager
def crew(task: Task, workers: int) -> Generator[list[Worker]]:
    """Workers under way, each in a session of its own: Ctrl-C is for the parent alone, and that ends them."""
    command = [sys.executable, "-m", "tillgate.server.backtest_worker"]
    started: list[Worker] = []
    try:
        for first in range(workers):
            worker = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, start_new_session=True)  # noqa: S603 - our own
            started.append(worker)
            with _pipe(worker.stdin) as pipe:
                pipe.write(_packed((task, first, workers)))
        yield started
    finally:
        for worker in started:
            worker.kill()
        for worker in started:
            worker.wait()
            _pipe(worker.stdout).close()


def in_order(task: Task, workers: list[Worker]) -> Iterator[Block]:
    """The blocks of a log. Raises ConfigurationError for a replaced file or a worker that ended early."""
    for number in range(task.blocks):
        worker = workers[number % len(workers)]
        try:
            block = pickle.load(_pipe(worker.stdout))  # noqa: S301 - from a process of our own
        except (EOFError, pickle.UnpicklingError) as error:
            raise ConfigurationError(
                f"{task.log.path}: a worker process ended before its work was done ({_how(worker.wait())}); "
                "--workers 1 reads the log without any"
            ) from error
        if isinstance(block, TillgateError):
            raise block
        yield block


def _packed(told: object) -> bytes:
    """As bytes. The types of facts hold read-only mappings, which travel as what they show."""
    packed = io.BytesIO()
    pickler = pickle.Pickler(packed)
    pickler.dispatch_table = {**copyreg.dispatch_table, MappingProxyType: lambda shown: (read_only, (dict(shown),))}
    pickler.dump(told)
    return packed.getvalue()


def read_only(shown: dict[str, FactType]) -> Mapping[str, FactType]:
    """A mapping that nobody can change."""
    return MappingProxyType(shown)


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise RuntimeError("every worker is started with pipes")
    return end


def _how(code: int) -> str:
    """How a process ended, for people."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
