"""Gets the engines from PyPI and npm, by name and pinned, into a folder outside the repository; what is there stays."""

import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PYTHON_PACKAGES = (
    "cedarpy==4.12.2",
    "agent-governance-toolkit-core==5.0.0",
    "agent-governance-toolkit-compliance==5.0.0",
    "pyyaml>=6",
)
CERBOS = "0.55.0"


class Missing(Exception):
    """An engine cannot be had on this machine; the text says why."""


def python_for_peers(work: Path) -> Path:
    """The interpreter of a virtual environment with the Python engines. Raises Missing."""
    home = work / "python"
    interpreter = home / "bin" / "python"
    done = home / "installed"
    if done.is_file() and done.read_text("utf-8") == "\n".join(PYTHON_PACKAGES):
        return interpreter
    venv.create(home, with_pip=True, clear=True)
    _run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON_PACKAGES])
    done.write_text("\n".join(PYTHON_PACKAGES), "utf-8")
    return interpreter


def cerbos_binary(work: Path) -> Path:
    """The server of the npm package for this machine. Raises Missing."""
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    name = f"cerbos-{sys.platform}-{machine.get(platform.machine().lower(), platform.machine())}"
    home = work / f"npm-{CERBOS}"
    binary = home / "node_modules" / "@cerbos" / name / name
    if not binary.is_file():
        npm = shutil.which("npm")
        if npm is None:
            raise Missing("npm is not on PATH; it comes with Node.js")
        _run([npm, "install", "--no-audit", "--no-fund", "--prefix", str(home), f"@cerbos/{name}@{CERBOS}"])
    return binary


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Missing(f"`{' '.join(command)}` ended with {done.returncode}: {' '.join(words[-3:])}")
