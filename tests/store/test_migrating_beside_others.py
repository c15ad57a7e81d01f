"""A migration that is killed, or runs beside another one, beside a server, or on a disk that takes nothing more."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from store.before import contents, database_of_before, file_of_before, layout_marks, schema, told
from worlds import SeededMinter, TestClock

from tillgate.guards.errors import ConfigurationError
from tillgate.server.cli.migrating import run
from tillgate.server.store.creating import TURN
from tillgate.server.store.migrating_postgresql import migrate_database
from tillgate.server.store.migrating_sqlite import migrate_file
from tillgate.server.store.opening import open_at
from tillgate.tools.shops.embedded.sqlite import connect

NOBODY = "65534"
PATIENCE = 30


class Migrator:
    """A process that migrates; see `store.migrator`."""

    def __init__(self, *told: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "store.migrator", *told],
            cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> "Migrator":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()


@pytest.fixture
def old(place: Path | str, tmp_path: Path) -> str:
    """Where a store of layout 4 is."""
    return database_of_before(place, tmp_path) if isinstance(place, str) else str(file_of_before(place / "tillgate.db"))


@pytest.mark.every_store
def test_killed_at_any_line_it_leaves_one_layout_or_the_other_whole(old: str, tmp_path: Path) -> None:
    found = {layout_marks(old): schema(old)}
    held = contents(old)
    seen = list[Any]()
    with Migrator("killed", old) as migrator:
        while migrator.hear() == "killed":
            seen.append(layout_marks(old))
            if seen[-1] not in found or not old.startswith("postgresql"):  # where it takes a while
                now = schema(old)
                assert found.setdefault(seen[-1], now) == now
            assert contents(old) == held
            check_copies(tmp_path, *held.values())
            migrator.go()
    before, after = found
    assert seen.count(before) > 20
    assert seen[-1] == after
    open_at(old, TestClock(), SeededMinter()).close()
    assert any("action_arguments" in each and "seq" in each for each in found[after])


def check_copies(folder: Path, *held: Any) -> None:
    """Whatever is there as a copy is a whole one; they are taken away."""
    for copy in folder.glob("tillgate.db.layout-4*"):
        if copy.suffix != ".part":
            assert layout_marks(str(copy)) == (4, None)
            assert list(contents(str(copy)).values()) == list(held)
            copy.unlink()


def test_two_at_once_on_a_file_do_it_once(tmp_path: Path) -> None:
    for turn in range(2):
        folder = tmp_path / str(turn)
        folder.mkdir()
        path = str(file_of_before(folder / "tillgate.db"))
        with Migrator("once", path) as one, Migrator("once", path) as other:
            assert (one.hear(), other.hear()) == ("ready", "ready")
            one.go()
            other.go()
            assert sorted(each.hear()["steps"] for each in (one, other)) == [0, 1]
        looked = {"tillgate.db-shm", "tillgate.db-wal"}  # what whoever only looked may leave
        assert {each.name for each in folder.iterdir()} - looked == {"tillgate.db", "tillgate.db.layout-4"}


def test_two_at_once_on_a_database_do_it_once(database: str, tmp_path: Path) -> None:
    url = database_of_before(database, tmp_path)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(url, autocommit=True) as watch, Migrator("once", url) as one, Migrator("once", url) as other:
        with psycopg.connect(url) as first:
            first.execute(TURN)
            for each in (one, other):
                assert each.hear() == "ready"
                each.go()
            until = time.monotonic() + PATIENCE
            while watch.execute(waiting).fetchone() != (2,):
                assert time.monotonic() < until, "they do not wait for each other"
        assert sorted(each.hear()["steps"] for each in (one, other)) == [0, 1]
    assert layout_marks(url) == ('{"version_num": "5"}',)


def test_a_file_that_somebody_has_open_is_not_migrated(tmp_path: Path) -> None:
    path = file_of_before(tmp_path / "tillgate.db")
    with closing(connect(path)) as served:
        before = (schema(str(path)), contents(str(path)))
        assert served.execute("SELECT count(*) FROM audit").fetchone() == (9,)
        with pytest.raises(ConfigurationError, match="another process has the store open; stop what serves it"):
            migrate_file(path, patience=0)
        assert migrate_file(path, check=True).steps  # which is done on a copy
        assert (schema(str(path)), contents(str(path))) == before
    assert migrate_file(path, patience=0).steps


def test_a_database_that_is_served_is_not_migrated(database: str, tmp_path: Path) -> None:
    url = database_of_before(database, tmp_path)
    told(url, "DROP ROLE IF EXISTS keeper")
    told(url, "CREATE ROLE keeper LOGIN")
    told(url, "GRANT ALL ON ALL TABLES IN SCHEMA public TO keeper")
    before = (schema(url), contents(url))
    with (
        psycopg.connect(url.replace("postgres@", "keeper@"), application_name="tillgate") as served,
        pytest.raises(ConfigurationError, match=rf"backends {served.info.backend_pid}\); stop what serves it"),
    ):
        migrate_database(url, patience=0)
    assert (schema(url), contents(url)) == before
    assert migrate_database(url).steps


def test_who_could_serve_a_database_before_can_after(database: str, tmp_path: Path) -> None:
    url = database_of_before(database, tmp_path)
    told(url, "DROP ROLE IF EXISTS server")
    told(url, "CREATE ROLE server LOGIN")
    told(url, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO server")
    as_server = url.replace("postgres@", "server@")
    with pytest.raises(ConfigurationError, match="must be owner"):
        migrate_database(as_server)
    migrate_database(url)
    open_at(as_server, None, SeededMinter()).close()


def test_a_copy_can_be_read_by_nobody_who_could_not_read_the_store(tmp_path: Path) -> None:
    path = file_of_before(tmp_path / "tillgate.db")
    path.chmod(0o600)
    held = (schema(str(path)), contents(str(path)))
    copy = migrate_file(path).copy
    assert copy is not None
    assert copy.stat().st_mode & 0o777 == 0o600
    assert (schema(str(copy)), contents(str(copy))) == held
    told(str(path), "UPDATE layout SET version_num = '4'")  # as if somebody had put the copy back
    told(str(path), "CREATE TABLE log (shop TEXT)")
    again = migrate_file(path).copy
    assert again is not None
    assert again != copy


def test_a_file_that_cannot_be_written_is_said_and_left(tmp_path: Path) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = file_of_before(folder / "tillgate.db")
        before = path.read_bytes()
        path.chmod(0o444)
        folder.chmod(0o555)
        with Migrator("once", str(path), *([NOBODY] if os.geteuid() == 0 else [])) as migrator:
            assert migrator.hear() == "ready"
            migrator.go()
            said = migrator.hear()["refused"]
        assert said.startswith(f"{path}: it could not be migrated, and is as it was: ")
        assert path.read_bytes() == before
        folder.chmod(0o755)


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system with room for the store and so many bytes more."""
    path = tmp_path / "small"
    path.mkdir()
    room = file_of_before(tmp_path / "sized.db").stat().st_size + request.param
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", path], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"NOT CHECKED: no file system can be mounted here: {done.stderr.decode().strip()}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


@pytest.mark.parametrize("small_disk", [0, 16_384, 200_000, 480_000, 500_000], indirect=True)
@pytest.mark.parametrize("check", [False, True])
def test_a_disk_that_is_full_is_said_and_the_store_is_as_it_was(small_disk: Path, check: bool) -> None:
    path = small_disk / "tillgate.db"
    path.write_bytes((small_disk.parent / "sized.db").read_bytes())
    said = r"(could not be migrated, and is as it was|the commit failed).*: (database or disk is full|disk I/O error)"
    with pytest.raises(ConfigurationError, match=said):
        run(str(path), check=check)
    assert not [each for each in small_disk.iterdir() if each.suffix == ".part" or "rehearsal" in each.name]
    for each in small_disk.glob("tillgate.db*"):  # there is no room to look at it where it is
        (small_disk.parent / each.name).write_bytes(each.read_bytes())
    left = str(small_disk.parent / "tillgate.db")
    assert (layout_marks(left), schema(left)) == ((4, None), schema(str(small_disk.parent / "sized.db")))
