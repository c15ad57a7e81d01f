"""The file system under a real server fills up and is freed again: nothing is half done, and it goes on."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from battery.acts import ABOUT
from battery.calling import small
from battery.seen import Watch, watching
from battery.served import Http, on_http, on_stdio
from battery.stage import Place, opened

from tillgate.server.world import SystemClock

SIZE = "8m"
"""Room for the store and a log of the size at which it is put into the store."""
Calls = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    path = tmp_path / "small"
    path.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", path], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"NOT CHECKED: no file system can be mounted here: {done.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)  # whoever is still on its way out may hold it


@contextlib.contextmanager
def full(path: Path) -> Generator[None]:
    """No byte is left on it, until this ends."""
    ballast = path / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(os.urandom(512))
    yield
    ballast.unlink()


def refund(number: int) -> tuple[str, dict[str, Any]]:
    _, tool, arguments = small(1, f"{ABOUT}{number}", idempotency_key=f"k{number}")
    return tool, arguments


def filled_and_freed(
    place: Place, seen: Watch, call: Calls, full_now: Callable[[], None], freed: Callable[[], None]
) -> None:
    """Calls before, while and after there is no room; what is answered is held against what is there."""
    for number in range(5):
        seen.answers.append(("act", number, call(*refund(number))))
    with full(place.folder):
        failures = [answer for number in range(5, 20) if (answer := call(*refund(number)))["status"] == "failed"]
        assert {reason["code"] for answer in failures for reason in answer["reasons"]} == {"unavailable"}
        full_now()
    again = [call(*refund(number)) for number in range(20)]
    assert {answer["status"] for answer in again} == {"completed"}
    seen.answers += [("act", number, answer) for number, answer in enumerate(again)]
    freed()
    assert seen.findings_at_rest() == []
    assert seen.shop.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(20,)]


@pytest.fixture
def there(small_disk: Path) -> Place:
    return opened(replace(Place(small_disk), clock=SystemClock()), customers=1)


def test_on_stdio(there: Place) -> None:
    with watching(there) as seen, contextlib.closing(on_stdio(there)) as session:

        def call(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
            return session.call(tool, **arguments).envelope

        filled_and_freed(there, seen, call, lambda: None, lambda: None)


def test_over_http(there: Place) -> None:
    with watching(there) as seen, on_http(there) as server:
        filled_and_freed(there, seen, server.call, lambda: _healthy(server, 503), lambda: _healthy(server, 200))


def _healthy(server: Http, status: int) -> None:
    assert server.request("GET", "/healthz")[0] == status
