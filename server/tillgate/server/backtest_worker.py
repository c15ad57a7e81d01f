"""The program of one worker: a task and its share come in by stdin, blocks go out by stdout, in order."""

import pickle
import sys

from tillgate.guards.errors import TillgateError


def work() -> None:
    """Decide this worker's share. A full pipe holds it back, and a pipe that nobody reads any more ends it."""
    task, first, step = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    try:
        for block in task.share(task.reading(), first, step):
            _send(block)
    except TillgateError as error:
        _send(error)
    except BrokenPipeError:
        sys.exit(1)


def _send(result: object) -> None:
    pickle.dump(result, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    work()
