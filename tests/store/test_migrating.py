"""A store of the layout before is brought to this one whole, once, and with everything that was in it."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from postgresql import Server
from sqlmodel import create_engine
from store.before import contents, database_of_before, file_of_before, layout_marks, schema, told
from worlds import SeededMinter, TestClock, World, customer, policy

from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.errors import ConfigurationError, IntegrityError
from tillgate.guards.gate import Gate
from tillgate.server.app import tool_map
from tillgate.server.cli.migrating import run
from tillgate.server.store import layout
from tillgate.server.store.log import stored_lines
from tillgate.server.store.migrating import upgrade
from tillgate.server.store.opening import open_at

HEAD = {
    "main": (8, "70da73831ae4e911d50320f191d1ecb0ca1367c72fe35e789fc34f83a28cd83d"),
    "next-door": (1, ""),
}
"""How the logs ended when the store was made: the records, and the root of the log as its version gave it."""
AddStep = Callable[[str], None]


@pytest.fixture
def old(place: Path | str, tmp_path: Path) -> str:
    """Where a store of layout 4 is."""
    return database_of_before(place, tmp_path) if isinstance(place, str) else str(file_of_before(place / "tillgate.db"))


@pytest.fixture
def new(place: Path | str) -> str:
    """Where a store is that this version made."""
    url = place if isinstance(place, str) else str(place / "new.db")
    open_at(url, None, SeededMinter()).close()
    return url


@pytest.fixture
def add_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddStep:
    """Makes one more layout, after the last one there is; the argument is what its file does."""
    folder = tmp_path / "migrations"

    def add(does: str) -> None:
        subprocess.run(["cp", "-r", str(layout.MIGRATIONS), str(folder)], check=True)
        last = layout.LAYOUTS[-1]
        told = f'revision, down_revision = "{last + 1}", "{last}"\n\ndef upgrade():\n'
        file = folder / f"versions/layout_{last + 1}.py"
        file.write_text(f'"""One more."""\n\nfrom alembic import op\n\n{told}    {does}\n')
        monkeypatch.setattr(layout, "MIGRATIONS", folder)
        monkeypatch.setattr(layout, "LAYOUTS", layout.layouts(folder))

    return add


@pytest.fixture
def empty(place: Path | str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A place beside the first one, with nothing in it."""
    if isinstance(place, Path):
        yield str(place / "empty.db")
        return
    server: Server = request.getfixturevalue("postgresql")
    name = server.database()
    yield server.url(name)
    server.drop(name)


@pytest.mark.every_store
def test_the_steps_from_nothing_make_what_the_declared_tables_make(new: str, empty: str) -> None:
    how = f"sqlite:///{empty}" if not empty.startswith("postgresql") else "postgresql+psycopg://"
    engine = create_engine(how, creator=lambda: psycopg.connect(empty)) if "psycopg" in how else create_engine(how)
    with engine.begin() as connection:
        upgrade(connection)
    engine.dispose()
    assert schema(empty) == schema(new)
    assert len(schema(new)) > 50


@pytest.mark.every_store
def test_a_store_that_was_migrated_is_laid_out_as_a_new_one(old: str, empty: str) -> None:
    run(old, check=False)
    open_at(empty, None, SeededMinter()).close()
    assert (schema(old), layout_marks(old)) == (schema(empty), layout_marks(empty))


@pytest.mark.every_store
def test_what_was_in_the_store_is_in_it_still_and_its_log_is_sound(old: str) -> None:
    before = contents(old)
    done = run(old, check=False)
    assert (done.found, [step for step, _ in done.steps], done.records) == (4, [5], 9)
    assert contents(old) == before
    for shop, (records, root) in HEAD.items():
        store = open_at(old, TestClock(), SeededMinter(), shop)
        with store.reading() as desk:
            found = verify_lines(stored_lines(desk.sql))
        store.close()
        assert ([str(each) for each in found.problems], found.records) == ([], records)
        assert not root or found.root == root


@pytest.mark.every_store
def test_a_store_that_was_migrated_serves_and_remembers(old: str) -> None:
    run(old, check=False)
    store = open_at(old, TestClock(), SeededMinter())
    rules = policy('policy: p\nversion: 1\ncurrency: USD\nrules:\n  - {id: all, tools: "*", permit: true}\n')
    world = World(Gate(tool_map(), rules, store, SeededMinter()), store, TestClock(), customer(), old)
    again = world.call("issue_refund", order_id="ord_1", amount="12.00", reason="broken")
    assert (again.status, again.replayed) == ("completed", True)
    with store.reading() as desk:
        assert not verify_lines(stored_lines(desk.sql)).problems
    store.close()


@pytest.mark.every_store
def test_a_store_of_before_is_refused_with_the_command_that_mends_it(old: str) -> None:
    before = (schema(old), contents(old), layout_marks(old))
    with pytest.raises(ConfigurationError, match=r"layout 4, and .* works with layout 5; stop") as refused:
        open_at(old, None, SeededMinter())
    assert (schema(old), contents(old), layout_marks(old)) == before
    command = shlex.split(str(refused.value).partition("run: ")[2])
    assert command[:3] == ["tillgate", "store", "migrate"]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("tillgate")), *command[1:]], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "migrated: from layout 4 to 5; the logs end as they did, with 9 records" in done.stdout
    open_at(old, None, SeededMinter()).close()


@pytest.mark.every_store
def test_serving_a_store_of_before_ends_at_once_and_leaves_it(old: str) -> None:
    before = contents(old)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("tillgate")), "serve", "--db", old],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "")
    assert "tillgate store migrate --db" in done.stderr
    assert contents(old) == before


@pytest.mark.every_store
def test_a_rehearsal_says_what_would_be_done_and_changes_nothing(old: str) -> None:
    before = (schema(old), contents(old), layout_marks(old))
    done = run(old, check=True)
    assert (done.found, [step for step, _ in done.steps], done.copy) == (4, [5], None)
    assert (schema(old), contents(old), layout_marks(old)) == before
    if not old.startswith("postgresql"):
        assert [each.name for each in Path(old).parent.iterdir()] == ["tillgate.db"]


@pytest.mark.every_store
def test_a_store_of_this_layout_is_left_alone(new: str) -> None:
    done = run(new, check=False)
    assert (done.found, done.steps, done.copy) == (5, (), None)


@pytest.mark.every_store
def test_a_store_of_a_newer_version_is_refused_by_every_command(new: str) -> None:
    told(new, "UPDATE layout SET version_num = '99'")
    for does in (lambda: open_at(new, None, SeededMinter()), lambda: run(new, check=False)):
        with pytest.raises(ConfigurationError, match=r"layout 99, .* made by a newer version"):
            does()
    assert "99" in str(layout_marks(new))


def test_a_store_older_than_the_steps_is_kept_for_its_version(tmp_path: Path) -> None:
    path = file_of_before(tmp_path / "tillgate.db")
    told(str(path), "PRAGMA user_version = 3")
    with pytest.raises(ConfigurationError, match=r"layout 3, .* migrates from 4 on; keep it for the version that made"):
        run(str(path), check=False)


@pytest.mark.every_store
def test_one_more_layout_is_one_more_file(old: str, add_step: AddStep) -> None:
    add_step('op.execute("CREATE TABLE more (shop TEXT PRIMARY KEY)")')
    done = run(old, check=False)
    assert ([step for step, _ in done.steps], done.steps[-1][1]) == ([5, 6], "One more.")
    assert "6" in str(layout_marks(old))


@pytest.mark.every_store
@pytest.mark.parametrize(
    "does",
    [
        'op.execute("DROP TABLE outbox"); raise RuntimeError("a bug")',
        'op.execute("DROP TABLE outbox"); op.execute("SELECT nothing FROM nowhere")',
    ],
)
def test_a_step_that_fails_leaves_the_store_as_it_was(old: str, add_step: AddStep, does: str) -> None:
    before = (schema(old), contents(old), layout_marks(old))
    add_step(does)
    with pytest.raises((RuntimeError, ConfigurationError)):
        run(old, check=False)
    assert (schema(old), contents(old), layout_marks(old)) == before


@pytest.mark.every_store
def test_a_step_that_touches_the_log_is_not_kept(old: str, add_step: AddStep) -> None:
    before = (schema(old), contents(old), layout_marks(old))
    table = "ALTER TABLE audit DISABLE TRIGGER ALL" if old.startswith("postgresql") else "DROP TRIGGER audit_no_update"
    change = "UPDATE audit SET hash = 'x' WHERE seq = 1 AND shop = 'next-door'"
    add_step(f'op.execute("{table}"); op.execute("{change}")')
    with pytest.raises(IntegrityError, match="changed the audit log"):
        run(old, check=False)
    assert (schema(old), contents(old), layout_marks(old)) == before


def test_a_step_that_breaks_references_is_not_kept(tmp_path: Path, add_step: AddStep) -> None:
    old = str(file_of_before(tmp_path / "tillgate.db"))
    before = (schema(old), contents(old), layout_marks(old))
    add_step('op.execute("DELETE FROM customer")')
    with pytest.raises(IntegrityError, match="references"):
        run(old, check=False)
    assert (schema(old), contents(old), layout_marks(old)) == before


def test_a_table_that_is_made_anew_keeps_what_refers_to_it(tmp_path: Path, add_step: AddStep) -> None:
    old = str(file_of_before(tmp_path / "tillgate.db"))
    before = contents(old)
    columns = "shop TEXT NOT NULL, id TEXT NOT NULL, title TEXT NOT NULL, category TEXT, PRIMARY KEY (shop, id)"
    add_step(
        f'op.execute("CREATE TABLE anew ({columns}) STRICT"); op.execute("INSERT INTO anew SELECT * FROM product");'
        'op.execute("DROP TABLE product"); op.execute("ALTER TABLE anew RENAME TO product")'
    )
    run(old, check=False)
    assert contents(old) == before


START = """
import atexit, sys
from tillgate.server.cli.main import app
heavy = ("alembic", "sqlalchemy", "sqlmodel", "mako")
atexit.register(lambda: print("loaded", sorted({name.partition(".")[0] for name in sys.modules} & set(heavy))))
app(["serve", "--db", sys.argv[1]])
"""


@pytest.mark.every_store
def test_a_start_on_a_store_of_this_layout_loads_nothing_that_makes_tables(new: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, new],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "loaded []\n", "")


@pytest.mark.parametrize(
    ("db", "shown"),
    [
        ("postgresql://ann:secret@db.example/shop", "postgresql://ann:…@db.example/shop"),
        ("postgresql://db.example/shop?user=ann&password=secret&sslmode=require", "password=…&sslmode=require"),
        ("/shops/my shop.db", "'/shops/my shop.db'"),
    ],
)
def test_the_command_that_mends_it_can_be_run_and_shows_no_password(db: str, shown: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        layout.refuse(4, "here", db)
    assert shown in str(refused.value)
    assert "secret" not in str(refused.value)
