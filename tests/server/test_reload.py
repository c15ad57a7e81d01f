"""A serving process follows its policy file, never half of it and never a bad one; and there is a way back."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import SHOP

from tillgate.guards.desk import Received
from tillgate.guards.policy.files import Files
from tillgate.server.app import App, build
from tillgate.server.callers import callers_of
from tillgate.server.cli.main import app as command
from tillgate.server.reloading import LivePolicy, Watcher
from tillgate.server.settings import settings
from tillgate.tools.shops.embedded.seed import seed

HEAD = "policy: p\nversion: 1\ncurrency: USD\nrules:\n"
OPEN = HEAD + '  - {id: all, tools: "*", permit: true}\n'
SHUT = OPEN.replace("version: 1", "version: 2") + "  - {id: shut, tools: [search_products], deny: shut}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(OPEN)
    return path


@pytest.fixture
def app(file: Path) -> Iterator[App]:
    made = build(settings(policy=file, db=str(file.parent / "t.db")), serving=True)
    with made.store.transaction() as desk:
        seed(desk.sql, json.dumps(SHOP), now=desk.now)
    yield made
    made.store.close()


@pytest.fixture
def live(app: App) -> LivePolicy:
    return LivePolicy(app)


def status(live: LivePolicy, app: App) -> str:
    return live.handle(
        Received(
            "search_products", {"query": "shirt"}, callers_of(app.settings, "stdio", app.minter, app.store.now())(None)
        )
    ).status


def records(app: App) -> list[dict[str, Any]]:
    with app.store.reading() as desk:
        return [json.loads(row["record"]) for row in desk.sql.rows("SELECT record FROM audit ORDER BY seq")]


def test_a_changed_file_is_served_once_it_was_the_same_at_two_looks(live: LivePolicy, app: App, file: Path) -> None:
    assert status(live, app) == "completed"
    file.write_text(SHUT)
    live.look()
    assert status(live, app) == "completed"
    live.look()
    assert status(live, app) == "denied"


def test_half_a_file_is_never_served(live: LivePolicy, app: App, file: Path) -> None:
    """The first half of this one is a policy by itself, and permits what the whole denies."""
    file.write_text(SHUT)
    live.look(settled=True)
    for text in (OPEN, SHUT, OPEN, SHUT):
        file.write_text(text)
        live.look()
        assert status(live, app) == "denied"


def test_a_signal_takes_the_file_at_once(live: LivePolicy, app: App, file: Path) -> None:
    file.write_text(SHUT)
    live.look(settled=True)
    assert status(live, app) == "denied"


def test_each_call_is_recorded_under_the_policy_that_decided_it(live: LivePolicy, app: App, file: Path) -> None:
    status(live, app)
    file.write_text(SHUT)
    live.look(settled=True)
    status(live, app)
    told = [(each["kind"], each.get("policy") or each["decision"]["policy"]) for each in records(app)]
    first, second = app.policy.digest, live.policy.digest
    assert first != second
    assert told == [("policy", first), ("call", first), ("policy", second), ("call", second)]


BAD = {
    "an error": OPEN.replace("permit: true", "permit: tru"),
    "nothing": "",
    "another currency than the shop's": OPEN.replace("USD", "EUR"),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_bad_file_changes_nothing_and_is_told(live: LivePolicy, app: App, file: Path, text: str) -> None:
    good = live.policy.digest
    file.write_text(text)
    live.look(settled=True)
    assert (live.policy.digest, status(live, app)) == (good, "completed")
    assert live.health()["current"] is False
    assert "policy.yaml" in str(live.health()["trouble"])
    file.write_text(OPEN)
    live.look(settled=True)
    assert live.health() == {"policy": good, "current": True, "trouble": None}


def test_what_is_wrong_is_said_once(live: LivePolicy, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text("")
    for _ in range(5):
        live.look()
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1


def test_a_file_that_is_gone_is_not_replaced_by_the_packaged_one(live: LivePolicy, app: App, file: Path) -> None:
    file.unlink()
    for _ in range(3):
        live.look()
    assert live.policy.digest == app.policy.digest
    assert "cannot be read" in str(live.health()["trouble"])
    file.write_text(SHUT)
    live.look()
    live.look()
    assert status(live, app) == "denied"


def test_an_included_file_counts(live: LivePolicy, app: App, file: Path) -> None:
    (file.parent / "more.yaml").write_text("rules:\n  - {id: shut, tools: [search_products], deny: shut}\n")
    file.write_text(OPEN + "include: [more.yaml]\n")
    live.look(settled=True)
    assert status(live, app) == "denied"
    (file.parent / "more.yaml").write_text("rules:\n  - {id: shut, tools: [get_product], deny: shut}\n")
    live.look(settled=True)
    assert status(live, app) == "completed"


def test_a_store_that_cannot_be_written_is_tried_again(
    live: LivePolicy, app: App, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(SHUT)
    with monkeypatch.context() as broken:
        broken.setattr(type(app.store), "transaction", None)
        with pytest.raises(TypeError):
            live.look(settled=True)
    assert status(live, app) == "completed"
    live.look()
    assert status(live, app) == "denied"


def test_the_watcher_looks_until_it_is_stopped(live: LivePolicy, app: App, file: Path) -> None:
    watcher = Watcher(live)
    watcher.start()
    file.write_text(SHUT)
    watcher.wake()
    for _ in range(10_000):
        if status(live, app) == "denied":
            break
    watcher.stop()
    assert status(live, app) == "denied"


def run(file: Path, *words: str) -> Any:
    folder = file.parent
    return CliRunner().invoke(command, ["policy", *words, "--db", str(folder / "t.db"), "--policy", str(file)])


def test_the_log_lists_what_was_served_and_prints_any_of_it(live: LivePolicy, app: App, file: Path) -> None:
    file.write_text(SHUT)
    live.look(settled=True)
    told = json.loads(run(file, "log", "--json").stdout)
    assert [each["digest"] for each in told["served"]] == [app.policy.digest, live.policy.digest]
    assert told["file"]["digest"] == live.policy.digest
    assert run(file, "log", app.policy.digest[:15]).stdout == OPEN
    file.write_text("policy: [")
    assert "the file is refused" in run(file, "log").stderr


def test_going_back_puts_the_older_file_in_place_and_keeps_the_newer(live: LivePolicy, app: App, file: Path) -> None:
    file.write_text(SHUT)
    live.look(settled=True)
    done = run(file, "rollback", app.policy.digest[7:17])
    assert done.exit_code == 0, done.stderr
    assert file.read_text() == OPEN
    assert file.with_name("policy.yaml.before-rollback").read_text() == SHUT
    live.look()
    live.look()
    assert status(live, app) == "completed"


def test_going_back_restores_included_files(live: LivePolicy, app: App, file: Path) -> None:
    more = file.parent / "more.yaml"
    more.write_text("rules:\n  - {id: shut, tools: [search_products], deny: shut}\n")
    file.write_text(OPEN + "include: [more.yaml]\n")
    live.look(settled=True)
    digest = live.policy.digest
    more.write_text("rules: []\n")
    live.look(settled=True)
    assert run(file, "rollback", digest).exit_code == 0
    live.look(settled=True)
    assert live.policy.digest == digest


@pytest.mark.parametrize("digest", ["sha256:", "ffffffffffff", "sha256:zz"])
def test_going_back_to_what_was_never_served_is_refused(live: LivePolicy, file: Path, digest: str) -> None:
    done = run(file, "rollback", digest)
    assert (done.exit_code, file.read_text()) == (3, OPEN)


def test_a_stored_policy_that_names_files_elsewhere_writes_nothing(live: LivePolicy, app: App, file: Path) -> None:
    """Who can write the database must not thereby write any file of this account."""
    packed = Files(OPEN, {"../outside.yaml": "rules: []\n"}).packed()
    with app.store.transaction() as desk:
        desk.serve_under("sha256:" + "e" * 64, "policy.yaml", packed)
    done = run(file, "rollback", "eeee")
    assert (done.exit_code, "not beneath" in done.stderr) == (3, True)
    assert not (file.parent.parent / "outside.yaml").exists()
