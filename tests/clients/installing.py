"""Other people's clients, installed once for all test processes; what cannot be had here is skipped out loud."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".clients"
NODE = INSTALLED / "node/node_modules/node/bin"


def installed(*parts: str) -> None:
    """What `scripts/clients` installs under these names is there when this returns; else the test ends here.

    It is skipped where there is no npm, and where nothing can be installed, unless that is continuous integration.
    """
    if {"node", "inspector"} & set(parts) and shutil.which("npm") is None:
        pytest.skip("NOT TESTED WITH REAL CLIENTS: there is no npm on PATH")
    INSTALLED.mkdir(exist_ok=True)
    for part in parts:
        with (INSTALLED / f"{part}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = subprocess.run(
                [str(ROOT / "scripts/clients"), part], capture_output=True, text=True, check=False, timeout=600
            )
        if done.returncode:
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up(f"NOT TESTED WITH REAL CLIENTS: scripts/clients {part} failed:\n{done.stderr[-2000:]}")


def node_environment(home: Path) -> dict[str, str]:
    """For programs in JavaScript: the Node that they need, and a home of their own."""
    return {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}


def running(part: str, program: str) -> list[str]:
    """The command that runs a program, given as text so that it finds the packages of the directory it runs in."""
    if part == "node":
        return [str(NODE / "node"), "--input-type=module", "-e", program]
    return [str(INSTALLED / part / "bin/python"), "-c", program]
