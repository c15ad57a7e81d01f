"""The demo ends as it says it does, and what it tells the reader to try next works."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tillgate.server import demo
from tillgate.server.demo_cast import Cast, EndedOtherwise, environment
from tillgate.server.demo_stage import Stage, demo_console

POLICY = Path(__file__).parents[2] / "policy.yaml"
STRICTER = Path(demo.__file__).with_name("stricter.yaml")
OTHERWISE = ("policy: ", "version: ", "  # A discount may not", "  - {id: margin-floor,", "  - {id: refund-verify,",
             "  - {id: refund-large,", "  - {tools: [issue_refund], when_outcome:")  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """The demo as the command plays it, in a terminal without colours."""
    command = [str(Path(sys.executable).with_name("tillgate")), "demo", "--fast"]
    env = {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("demo"))}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=180)


def test_every_step_ends_as_it_must(played: subprocess.CompletedProcess[str]) -> None:
    assert played.returncode == 0, played.stdout + played.stderr
    assert re.search(r"All \d+ calls ended as they must", played.stdout)


def test_every_kind_of_ending_is_shown(played: subprocess.CompletedProcess[str]) -> None:
    for ending in (
        "✓ completed", "✓ completed (replayed: true)", "✗ denied", "? verification_required",
        "? confirmation_required", "↑ escalated", "sound:", "completed → escalated",
    ):  # fmt: skip
        assert ending in played.stdout


def test_it_is_plain_and_legible_at_100_columns(played: subprocess.CompletedProcess[str]) -> None:
    assert "\x1b" not in played.stdout
    assert [line for line in played.stdout.splitlines() if len(line) > 100] == []


def test_what_to_try_next_works(played: subprocess.CompletedProcess[str]) -> None:
    shown = played.stdout.partition("What to try next")[2].splitlines()[1:]
    commands = [line.strip() for line in shown if line.strip()]
    assert len(commands) >= 4
    first, *others = commands
    for command in others:
        done = subprocess.run(["bash", "-c", f"{first} && {command}"], capture_output=True, text=True, check=False)
        wanted = 1 if command.startswith("tillgate replay") else 0
        assert done.returncode == wanted, command + done.stdout + done.stderr


def test_the_users_own_settings_do_not_leak_into_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TILLGATE_CUSTOMER", "cus_9")
    monkeypatch.setenv("TILLGATE_POLICY", "elsewhere.yaml")
    found = environment(tmp_path)
    assert "TILLGATE_CUSTOMER" not in found
    assert found["TILLGATE_POLICY"] == str(tmp_path / "policy.yaml")


def test_a_step_that_ends_otherwise_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(demo_console())
    stage.expect("issue_refund", "denied", "completed")
    assert stage.differences == ["issue_refund: expected denied, found completed"]
    assert "expected denied" in capsys.readouterr().out


def test_a_demo_that_ends_otherwise_exits_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def otherwise(cast: Cast) -> None:
        cast.expect("a refund", "denied", "completed")
        raise EndedOtherwise

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(demo, "_scenes", otherwise)
    assert demo.play(fast=True) == 1
    assert "This did not end as it must" in capsys.readouterr().out


def test_the_stricter_policy_is_the_shipped_one_with_lower_limits() -> None:
    """Mend it by copying policy.yaml over it and lowering the limits again."""
    ours, theirs = POLICY.read_text("utf-8").splitlines(), STRICTER.read_text("utf-8").splitlines()
    changed = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    assert all(mine.startswith(OTHERWISE) and other.startswith(OTHERWISE) for mine, other in changed), changed
    assert len(changed) == len(OTHERWISE)
