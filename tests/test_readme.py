"""What the README says works, works: marked commands run, shown files are the files, links lead somewhere."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
OURS = re.compile(r"^(?:tillgate|/path/to/\S*tillgate) .*|(?<=-- )/path/to/\S*tillgate .*", re.MULTILINE)


def blocks(marker: str) -> list[str]:
    """The fenced blocks under an HTML comment with this word."""
    return re.findall(rf"<!-- {marker} -->\n```\w+\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Everything the runnable blocks print, run one after the other in a directory that has only the examples."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "examples", folder / "examples")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TILLGATE_")}
    env = kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}", "COLUMNS": "100"}
    command = ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("runnable"))]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_marked_commands_run(ran: str) -> None:
    assert len(blocks("runnable")) == 3
    assert "sound: 9 records" in ran


def test_they_print_what_is_shown(ran: str) -> None:
    [shown] = blocks("prints")
    assert shown in ran


def test_the_shown_policy_is_the_example() -> None:
    [shown] = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert shown == (ROOT / "examples/quickstart/policy.yaml").read_text("utf-8")


def test_every_shown_command_has_options_that_exist() -> None:
    """Commands that are not run here are at least spoken of truly: each flag is in that command's help."""
    commands = [line for block in re.findall(r"```bash\n(.*?)```", README, re.DOTALL) for line in OURS.findall(block)]
    assert len(commands) >= 8
    for command in commands:
        words = command.partition("#")[0].split()[1:]
        verbs = words[:2] if words[0] in ("requests", "audit", "policy") else words[:1]
        script = Path(sys.executable).with_name("tillgate")
        shown = subprocess.run([script, *verbs, "--help"], capture_output=True, text=True, check=True, timeout=60)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout)
        assert [word for word in words if word.startswith("--") and word not in plain] == [], command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)(#[^)]*)?\)", page.read_text("utf-8"))
    assert [link for link, _ in links if not (page.parent / link).exists()] == []
