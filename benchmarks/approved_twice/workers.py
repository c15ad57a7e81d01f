"""Workers that can be killed: each is a process of its own, forked from one that has imported what they need."""

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.approved_twice.provider import PATIENCE
from benchmarks.approved_twice.story import AT_ONCE

KILLED = "killed"
_CONTEXT = multiprocessing.get_context("forkserver")


def prepare(*modules: str) -> None:
    """Have these modules imported once, before the first worker starts."""
    _CONTEXT.set_forkserver_preload(list(modules))


class Worker:
    """Implements `story.Delivery`: one function call in a process of its own."""

    def __init__(self, job: Callable[..., str], *arguments: Any, start: Callable[[], object] | None = None) -> None:
        self._ours, theirs = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=_run, args=(theirs, start, job, arguments), daemon=True)
        self._process.start()
        theirs.close()

    def answer(self) -> str:
        """What the function returned, or that its process was killed before it could. Raises when it failed."""
        if not self._ours.poll(2 * PATIENCE):
            raise TimeoutError("a worker said nothing")
        try:
            said: str = self._ours.recv()
        except EOFError:
            said = KILLED
        self._process.join(PATIENCE)
        if said == KILLED and self._process.exitcode != -signal.SIGKILL:
            raise ChildProcessError(f"a worker failed: it ended with {self._process.exitcode}")
        return said


def barrier() -> Callable[[], object]:
    """A start for several workers: returns for all when the last has called it."""
    return _CONTEXT.Barrier(AT_ONCE).wait


def _run(
    ours: Connection, start: Callable[[], object] | None, job: Callable[..., str], arguments: Sequence[Any]
) -> None:
    if start is not None:
        start()
    ours.send(job(*arguments))
