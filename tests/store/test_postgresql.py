"""What only a server can do to a store: end its sessions, lose its answers, be set to forget, or hold other tables."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from postgresql import NEEDED, Server, binaries
from store.cutting import Wire
from worlds import NOW, SHOP, SeededMinter, World, make_world

from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.errors import Busy, ConfigurationError, Unavailable
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.log import stored_lines
from tillgate.server.store.opening import open_at
from tillgate.server.store.postgresql import connecting
from tillgate.tools.shops.embedded.seed import seed

REFUND = {"order_id": "ord_1", "amount": "12.00", "reason": "broken"}


@pytest.fixture
def world(database: str) -> Iterator[World]:
    made = make_world(database)
    yield made
    made.store.close()


def told(database: str, sql: str) -> None:
    """What an administrator of the database says to it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.encode())


def ended(postgresql: Server) -> None:
    """The server ends every session but this one."""
    postgresql.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tillgate'")


def problems(world: World) -> list[str]:
    with world.store.reading() as desk:
        return [str(each) for each in verify_lines(stored_lines(desk.sql)).problems]


def refunds(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'")[0][0])


def test_a_session_that_was_ended_between_calls_is_made_anew(world: World, postgresql: Server) -> None:
    for _ in range(3):
        ended(postgresql)
        assert world.call("get_order", order_id="ord_1").status == "completed"
    assert len(world.records()) == 3


def test_a_session_that_is_ended_during_a_call_leaves_nothing_of_it(world: World, postgresql: Server) -> None:
    def job(desk: SqlDesk) -> None:
        desk.append({"kind": "failure", "at": "2026-01-01T00:00:00Z"}, ())
        desk.sql.run("UPDATE product SET title = 'other'")
        ended(postgresql)
        desk.sql.rows("SELECT 1")

    with pytest.raises(Unavailable):
        world.store.run(job)
    assert (world.records(), world.rows("SELECT title FROM product")) == ([], [("T-Shirt",)])


def test_a_session_that_is_ended_before_the_commit_has_not_kept_it(world: World, postgresql: Server) -> None:
    def job(desk: SqlDesk) -> None:
        desk.append({"kind": "failure", "at": "2026-01-01T00:00:00Z"}, ())
        desk.close()
        ended(postgresql)

    with pytest.raises(Unavailable):
        world.store.run(job)
    assert world.records() == []
    assert world.call("issue_refund", **REFUND).status == "completed"


def test_a_commit_whose_answer_is_lost_is_found_in_the_log_and_told_as_done(postgresql: Server) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(Path(folder), postgresql.folder)
        name = postgresql.database()
        world = make_world(postgresql.url(name).replace(str(postgresql.folder), folder))
        for n in range(1, 6):
            wire.cut_next()
            outcome = world.call("issue_refund", **REFUND | {"amount": f"{n}.00"})
            assert (outcome.status, refunds(world)) == ("completed", n)
        wire.cut_next()
        world.store.run(lambda desk: desk.serve_under("digest", "policy.yaml", "text"))  # it says so by itself
        assert (wire.cuts, problems(world)) == (6, [])
        world.store.close()
        wire.close()
    postgresql.drop(name)


def test_a_commit_that_the_server_turns_into_a_rollback_is_not_taken_for_one(world: World) -> None:
    def job(desk: SqlDesk) -> None:
        desk.append({"kind": "failure", "at": "2026-01-01T00:00:00Z"}, ())
        desk.close()
        with pytest.raises(psycopg.errors.DivisionByZero):
            desk.sql.rows("SELECT 1 / 0")

    with pytest.raises(Unavailable, match="rolled back"):
        world.store.run(job)
    assert world.records() == []


def test_who_waits_too_long_for_the_others_is_told_that_the_store_is_busy(world: World) -> None:
    hurried = open_at(f"{world.url}&options=-c%20lock_timeout%3D50ms", world.clock, SeededMinter())
    with world.store.transaction(), pytest.raises(Busy):
        hurried.run(lambda desk: desk.now)
    assert hurried.run(lambda desk: desk.now) == world.clock.now()
    hurried.close()


def test_a_process_that_says_nothing_in_a_transaction_is_put_out(world: World) -> None:
    def job(desk: SqlDesk) -> None:
        desk.sql.run("UPDATE product SET title = 'other'")
        assert world.call("get_order", order_id="ord_1").status == "completed"
        desk.sql.rows("SELECT 1")

    sleepy = open_at(f"{world.url}&options=-c%20idle_in_transaction_session_timeout%3D50ms", None, SeededMinter())
    with pytest.raises(Unavailable):
        sleepy.run(job)
    assert world.rows("SELECT title FROM product") == [("T-Shirt",)]
    sleepy.close()


def test_time_is_that_of_the_server(database: str) -> None:
    store = open_at(database, None, SeededMinter())
    before, at = _now(database), store.now()
    assert before <= at <= _now(database)
    store.close()


def _now(database: str) -> datetime:
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT date_trunc('second', clock_timestamp())").fetchone()
        assert row is not None
        at: datetime = row[0]
        return at


def test_a_session_that_could_forget_an_answer_is_refused(database: str) -> None:
    with pytest.raises(ConfigurationError, match="synchronous_commit = off"):
        open_at(f"{database}&options=-c%20synchronous_commit%3Doff", None, SeededMinter())


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_could_forget_an_answer_is_refused(setting: str) -> None:
    folder = binaries()
    if folder is None:
        pytest.skip(NEEDED)
    server = Server(folder, f"{setting}=off")
    try:
        with pytest.raises(ConfigurationError, match=f"{setting} = off"):
            open_at(server.url(), None, SeededMinter())
    finally:
        server.stop()


def test_a_server_that_loses_its_power_has_kept_what_was_answered() -> None:
    folder = binaries()
    if folder is None:
        pytest.skip(NEEDED)
    server = Server(folder)
    try:
        world = make_world(server.url(server.database()))
        for n in range(1, 4):
            assert world.call("issue_refund", **REFUND | {"amount": f"{n}.00"}).status == "completed"
            server.kill()
            assert world.call("get_order", order_id="ord_1").status == "failed"
            server.start()
            assert (refunds(world), problems(world)) == (n, [])
        world.store.close()
    finally:
        server.stop()


def test_tables_of_something_else_are_left_alone(database: str) -> None:
    told(database, "CREATE TABLE orders (id text)")
    with pytest.raises(ConfigurationError, match="something else"):
        open_at(database, None, SeededMinter())


def test_nothing_is_done_in_a_shop_whose_place_in_the_log_is_gone(world: World) -> None:
    told(world.url, "DELETE FROM log")
    with pytest.raises(Unavailable, match="no row in log"):
        world.store.run(lambda desk: desk.now)


def test_a_role_that_owns_nothing_can_serve_and_cannot_touch_the_rules(world: World) -> None:
    told(world.url, "DROP ROLE IF EXISTS clerk")
    told(world.url, "CREATE ROLE clerk LOGIN")
    told(world.url, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk")
    served = replace(world, url=world.url.replace("postgres@", "clerk@")).beside("next-door")
    with served.store.transaction() as desk:
        seed(desk.sql, json.dumps(SHOP), now=NOW)
    assert served.call("issue_refund", **REFUND).status == "completed"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        told(served.url, "ALTER TABLE audit DISABLE TRIGGER ALL")
    served.store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET hash = 'x' WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 1",
        "TRUNCATE audit",
        "INSERT INTO audit SELECT * FROM audit ON CONFLICT (shop, seq) DO UPDATE SET hash = 'x'",
    ],
)
def test_the_database_refuses_to_change_the_log(world: World, statement: str) -> None:
    world.call("get_order", order_id="ord_1")
    with pytest.raises(psycopg.IntegrityError, match="only grows"):
        told(world.url, statement)
    assert problems(world) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET record = convert_to(replace(convert_from(record, 'UTF8'), 'ord_1', 'ord_7'), 'UTF8')",
        "UPDATE audit SET hash = repeat('0', 64) WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit WHERE seq > 1",
        "UPDATE personal SET entries = convert_to(replace(convert_from(entries, 'UTF8'), 'broken', 'ok'), 'UTF8')",
    ],
)
def test_a_forced_change_of_the_log_is_found_by_the_command(world: World, tmp_path: Path, statement: str) -> None:
    for n in range(1, 4):
        assert world.call("issue_refund", **REFUND | {"amount": f"{n}.00"}).status == "completed"
    assert tillgate(world.url, tmp_path, "audit", "verify") == 0
    told(world.url, f"SET session_replication_role = replica; {statement}")
    assert tillgate(world.url, tmp_path, "audit", "verify") == 4


def test_the_commands_work_on_a_database(database: str, tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(json.dumps(SHOP))
    assert tillgate(database, tmp_path, "seed", "shop.json") == 0
    for command in ("requests list", "audit show", "audit verify", "policy log", "outbox", "pause", "resume"):
        assert tillgate(database, tmp_path, *command.split()) == 0, command


def tillgate(database: str, folder: Path, *arguments: str) -> int:
    """How the command ends; nothing of it is a traceback."""
    command = [str(Path(sys.executable).with_name("tillgate")), *arguments]
    environ = {**os.environ, "TILLGATE_DATABASE_URL": database}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


def test_the_store_works_where_there_is_no_poll(world: World) -> None:
    """Which is on Windows."""
    script = (
        "import select, selectors; del select.poll, selectors.PollSelector\n"
        "from tillgate.server.store.opening import open_at\n"
        "from worlds import SeededMinter\n"
        f"store = open_at({world.url!r}, None, SeededMinter())\n"
        "print(store.run(lambda desk: desk.sql.rows('SELECT title FROM product')[0][0])); store.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("T-Shirt\n", "")


def test_a_server_that_falls_silent_is_given_up_after_ten_seconds_unless_the_url_says_otherwise() -> None:
    usual = connecting("postgresql://tillgate@db.example/shop")
    silent = usual["keepalives_idle"] + usual["keepalives_interval"] * usual["keepalives_count"]
    assert (usual["tcp_user_timeout"], silent) == (10_000, 11)
    assert connecting("postgresql://db.example/shop?tcp_user_timeout=500")["tcp_user_timeout"] == "500"
