"""A process that migrates a store, alone or many times over until it is not killed on the way.

    python -m store.migrator once URL [USER]     migrate when a line comes, as another user if one is named
    python -m store.migrator killed URL          fork and migrate, killed at the first line, then at the second, …

Every answer is a line of JSON; `killed` waits for a line after each.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from tillgate.guards.errors import ConfigurationError
from tillgate.server.cli.migrating import run
from tillgate.server.store import migrating_postgresql, migrating_sqlite

CODE = (str(Path(migrating_sqlite.__file__).with_name("migrat")), str(Path(migrating_postgresql.__file__)))


def kill_at(line: int) -> Callable[[FrameType, str, Any], Any]:
    """kill -9 before this line of the code that migrates, counted as they are run."""
    passed = count(1)

    def look(frame: FrameType, event: str, _arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(CODE):
            return None
        if event == "line" and next(passed) == line:
            os.kill(os.getpid(), signal.SIGKILL)
        return look

    return look


def migrated(url: str) -> dict[str, Any]:
    try:
        done = run(url, check=False)
    except ConfigurationError as error:
        return {"refused": str(error)}
    return {"steps": len(done.steps), "copy": str(done.copy)}


def say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def killed(url: str) -> None:
    for line in count(1):
        if (child := os.fork()) == 0:
            sys.settrace(kill_at(line))
            migrated(url)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say("done" if status == 0 else "killed")
        if status == 0:
            return
        sys.stdin.readline()


def main() -> None:
    how, url, *user = sys.argv[1:]
    if how == "killed":
        return killed(url)
    say("ready")
    sys.stdin.readline()
    if user:
        os.setgroups([])
        os.setuid(int(user[0]))
    say(migrated(url))
    return None


if __name__ == "__main__":
    main()
