"""What docs/clients.md shows runs as it stands there, with the versions that it names."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from clients.installing import INSTALLED, installed, node_environment, running
from clients.stage import Stage, stage

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/clients.md").read_text("utf-8")
PROGRAMS = re.findall(r"<!-- runs with (\w+) -->\n```(?:js|python)\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = re.findall(r"<!-- runnable -->\n```bash\n(.*?)```", TEXT, re.DOTALL)
SHOWN = "http://127.0.0.1:8080/mcp"


def run(shop: Stage, command: list[str], part: str) -> str:
    env = node_environment(shop.folder)
    env["PATH"] = f"{INSTALLED / 'inspector/node_modules/.bin'}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        command, cwd=INSTALLED / part, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
@pytest.mark.parametrize(("part", "program"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_that_is_shown_runs(tmp_path: Path, part: str, program: str) -> None:
    installed(part)
    shop = stage(tmp_path)
    with shop.serving() as url:
        told = run(shop, running(part, program.replace(SHOWN, url)), part)
    assert re.search("completed|verification_required|issue_refund", told)


@pytest.mark.long
def test_the_commands_that_are_shown_run(tmp_path: Path) -> None:
    installed("node", "inspector")
    shop = stage(tmp_path)
    (commands,) = COMMANDS
    with shop.serving() as url:
        told = run(shop, ["bash", "-ec", commands.replace(SHOWN, url)], "inspector")
    assert '"delivered"' in told


def test_the_versions_that_are_named_are_those_that_are_tested() -> None:
    pinned: dict[str, str] = {}
    for part in ("node", "inspector"):
        pinned |= json.loads((ROOT / f"tests/clients/locks/{part}/package.json").read_text("utf-8"))["dependencies"]
    for part in ("python", "langchain"):
        lines = (ROOT / f"tests/clients/locks/{part}.txt").read_text("utf-8").split()
        pinned |= dict(line.split("==") for line in lines)
    named = re.findall(r"^\| \S.*? \| ([0-9.]+)[ |]", TEXT, re.MULTILINE)
    assert named == [
        pinned[name]
        for name in (
            "@modelcontextprotocol/inspector", "@modelcontextprotocol/client", "@modelcontextprotocol/sdk",
            "fastmcp", "pydantic-ai-slim", "langchain-mcp-adapters",
        )
    ]  # fmt: skip
