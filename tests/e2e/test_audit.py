"""The log: what it says holds, and no change of it goes unseen; and it can be decided again without a database."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from e2e.world import ESCALATE, NEW_ADDRESS, ROOT, STORE, World

from tillgate.tools.shops.embedded.engine import dbapi as sqlite3

CHECKER = ROOT / "guards" / "tillgate" / "guards" / "audit" / "verify.py"
SWEEP = """
import importlib.util, io, random, sys
spec = importlib.util.spec_from_file_location("checker", sys.argv[1])
checker = importlib.util.module_from_spec(spec); sys.modules["checker"] = checker; spec.loader.exec_module(checker)
data = open(sys.argv[2], "rb").read()
random.seed(7)
starts = [0] + [n + 1 for n, byte in enumerate(data) if byte == 10]
for position in random.sample(range(len(data)), int(sys.argv[3])):
    changed = bytearray(data); changed[position] ^= 1 << random.randrange(8)
    result = checker.verify_lines(io.BytesIO(bytes(changed)))
    line = sum(start <= position for start in starts)
    named = [problem.line for problem in result.problems]
    if result.ok or (named[0] not in (line, line + 1, line - 1)):
        print("unseen" if result.ok else "misnamed", position, line, named[:3])
"""


@pytest.fixture(scope="module")
def told(shared: World) -> World:
    """A shop after a conversation with everything in it."""
    with shared.serve(policy=STORE) as session:
        session.call("identify_customer", email="zq-ana.planted@example.com")
        session.call("get_order", order_id="ord_a1")
        session.call("issue_refund", order_id="ord_b1", reason="not mine")
        session.agreed("issue_refund", order_id="ord_a9", reason="cold", customer_request="my mug was cold")
        sent = session.call("update_address", order_id="ord_a2", address=NEW_ADDRESS).envelope["verification"]
        session.call("verify_identity", challenge_id=sent["challenge_id"], code=shared.code())
        session.agreed("update_address", order_id="ord_a2", address=NEW_ADDRESS)
        first = session.agreed("cancel_order", order_id="ord_a2", reason="other")
        session.agreed("undo_action", call_id=first.call_id, reason="no")
        waits = session.agreed("issue_refund", order_id="ord_a1", amount="101.00", reason="x")
        session.agreed("issue_refund", order_id="ord_a1", amount="20.00", reason="y")
        other = session.agreed("issue_refund", order_id="ord_a4", amount="120.00", reason="x")
        session.call("edit_cart", cart_id="cart_ana", lines=[{"variant_id": "v_mug", "quantity": "2"}])
    shared.run("requests", "approve", other.handle, "--as", "anna")
    shared.run("requests", "deny", waits.handle, "--as", "anna", "--message", "Not this time.")
    assert shared.run("audit", "export", "--out", "log.jsonl").returncode == 0
    return shared


def check(world: World, data: bytes, name: str = "changed.jsonl") -> tuple[int, list[int]]:
    (world.path / name).write_bytes(data)
    done = world.run("audit", "verify", name, "--json")
    return done.returncode, [problem["line"] for problem in json.loads(done.stdout)["problems"]]


def test_an_export_is_sound_and_any_change_of_it_is_named(told: World) -> None:
    data = (told.path / "log.jsonl").read_bytes()
    lines = data.splitlines(keepends=True)
    assert check(told, data) == (0, [])
    middle = len(lines) // 2
    changed: dict[str, tuple[list[bytes], int]] = {
        "a line deleted": (lines[:middle] + lines[middle + 1 :], middle + 1),
        "two swapped": ([*lines[:middle], lines[middle + 1], lines[middle], *lines[middle + 2 :]], middle + 1),
        "one doubled": ([*lines[: middle + 1], lines[middle], *lines[middle + 1 :]], middle + 2),
        "one put in": ([*lines[:middle], b'{"kind":"call"}\n', *lines[middle:]], middle + 1),
        "the end cut off": (lines[:middle], middle + 1),
        "the last record cut off": ([*lines[:-2], lines[-1]], len(lines) - 1),
        "half a line": ([*lines[:-1], lines[-1][:20]], len(lines)),
        "the first deleted": (lines[1:], 1),
        "nothing left": ([], 1),
    }
    for name, (kept, line) in changed.items():
        code, named = check(told, b"".join(kept))
        assert (code, named[:1]) == (4, [line]), name
    assert told.run("audit", "verify", "no-such-file").returncode == 3


@pytest.mark.parametrize("sample", [200, pytest.param(2000, marks=pytest.mark.long)])
def test_no_flipped_bit_goes_unseen(told: World, sample: int) -> None:
    """With the checker alone, as anyone may run it: two thousand processes would take an hour."""
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, str(CHECKER), str(told.path / "log.jsonl"), str(sample)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_every_deletion_and_swap_is_seen(told: World, tmp_path: Path) -> None:
    lines = (told.path / "log.jsonl").read_bytes().splitlines(keepends=True)
    random.seed(3)
    for number in random.sample(range(len(lines)), 8):
        (tmp_path / "cut.jsonl").write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        done = subprocess.run(
            [sys.executable, str(CHECKER), str(tmp_path / "cut.jsonl")], capture_output=True, check=False
        )
        assert done.returncode == 4, number


def unlocked(world: World, to: Path, statement: str) -> World:
    """A copy whose log was changed by somebody who owns the file."""
    broken = world.copy(to)
    connection = sqlite3.connect(broken.db, isolation_level=None)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.close()
    return broken


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET hash = 'x' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "UPDATE OR REPLACE audit SET seq = 4 WHERE seq = 3",
    ],
)
def test_the_database_refuses_to_change_the_log(told: World, tmp_path: Path, statement: str) -> None:
    forced = told.copy(tmp_path / "forced")
    connection = sqlite3.connect(forced.db, isolation_level=None)
    with pytest.raises(sqlite3.DatabaseError, match="only grows"):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET record = CAST(replace(CAST(record AS TEXT), 'ord_', 'orx_') AS BLOB)",
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE personal SET entries = CAST(replace(CAST(entries AS TEXT), 'zq-ana', 'zq-eve') AS BLOB)",
        "UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 4) WHERE seq = 3",
    ],
)
def test_a_forced_change_of_the_log_is_found(told: World, tmp_path: Path, statement: str) -> None:
    done = unlocked(told, tmp_path / "broken", statement).run("audit", "verify")
    assert (done.returncode, b"Traceback" in done.stderr) == (4, False), done.stderr[-300:]


def test_values_can_be_left_out_and_the_rest_still_verifies(told: World) -> None:
    done = told.run("audit", "export", "--without-personal")
    assert b"zq-ana.planted" not in done.stdout
    assert b"my mug was cold" not in done.stdout
    assert check(told, done.stdout, "bare.jsonl") == (0, [])


def test_replay_needs_no_database_and_names_what_a_stricter_policy_changes(told: World, tmp_path: Path) -> None:
    alone = World(tmp_path)
    (tmp_path / "log.jsonl").write_bytes((told.path / "log.jsonl").read_bytes())
    same = alone.run("replay", "log.jsonl", policy=STORE)
    assert same.returncode == 0, same.stdout.decode()
    assert not alone.db.exists()
    stop = "  - {id: stop, tools: [cancel_order, update_address], deny: stopped}\n"
    (tmp_path / "strict.yaml").write_text(STORE.replace("\nrules:\n", f"\nrules:\n{stop}"))
    stricter = alone.run("replay", "log.jsonl", "--policy", "strict.yaml", "--json")
    assert stricter.returncode == 1
    assert not alone.db.exists()
    report = json.loads(stricter.stdout)
    text = json.dumps(report)
    assert "cancel_order" in text
    assert "update_address" in text
    changed = [row for row in report["rows"] if row["change"] != "none"]
    assert {row["tool"] for row in changed} == {"cancel_order", "update_address"}, changed
    assert alone.run("replay", "nothing.jsonl").returncode == 3
    (tmp_path / "bad.jsonl").write_text("{]\n")
    assert alone.run("replay", "bad.jsonl").returncode == 1


def test_escalated_and_approved_calls_replay_too(world: World) -> None:
    with world.serve("cus_ana", policy=ESCALATE) as session:
        waits = session.call("issue_refund", order_id="ord_a1", amount="50.00", reason="x")
        session.call("issue_refund", order_id="ord_a1", amount="50.00", reason="x")
        less = session.call("issue_refund", order_id="ord_a4", amount="90.00", reason="x")
    world.run("requests", "approve", waits.handle, "--as", "anna")
    world.run("requests", "approve", less.handle, "--as", "anna", "--amount", "45.00")
    world.run("audit", "export", "--out", "log.jsonl")
    done = world.run("replay", "log.jsonl")
    assert done.returncode == 0, done.stdout.decode()
