"""`tillgate policy explain` for a recorded call and for one that nobody made."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import OPEN, World, make_world

from tillgate.server.cli.main import app

ASKS = OPEN.replace(
    "context:",
    "  - {id: large, tools: [issue_refund], when: \"impact.amount > money('20.00')\", escalate: refunds}\ncontext:",
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path, ASKS)
    with made.store.transaction() as desk:
        desk.serve_under(made.gate.policy.digest, "policy.yaml", ASKS)
    yield made
    made.store.close()


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["policy", "explain", *words])


def test_a_recorded_call_under_the_policy_that_decided_it(world: World, tmp_path: Path) -> None:
    asked = world.call("issue_refund", order_id="ord_1", amount="20.01", reason="x")
    assert asked.status == "escalated"
    done = run(asked.call_id, "--db", str(tmp_path / "tillgate.db"))
    assert done.exit_code == 0, done.stderr
    assert "issue_refund waits for a person" in done.stdout
    assert "true   impact.amount > money('20.00')   (impact.amount = 20.01 USD)" in done.stdout
    assert "it completes if impact.amount were 20.00 USD instead of 20.01 USD" in done.stdout


def test_a_call_nobody_made(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(ASKS)
    facts = "{impact: {amount: '20.01'}}"
    words = ["--tool", "issue_refund", "--facts", facts, "--policy", str(tmp_path / "policy.yaml"), "--json"]
    told = json.loads(run(*words).stdout)
    assert (told["verdict"], told["nearest"][0]) == (
        "escalate", {"verdict": "permit", "changes": ["impact.amount were 20.00 USD instead of 20.01 USD"]},
    )  # fmt: skip
    (tmp_path / "facts.yaml").write_text(facts)
    assert json.loads(run(*words[:3], str(tmp_path / "facts.yaml"), *words[4:]).stdout) == told


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "name a recorded call"),
        (["call_1", "--tool", "get_order"], 2, "name a recorded call"),
        (["--tool", "get_ordr"], 3, "did you mean `get_order`?"),
        (["--tool", "issue_refund", "--facts", "{order: {totl: '1.00'}}"], 3, "did you mean `total`?"),
        (["--tool", "issue_refund", "--facts", "{"], 3, "P001"),
    ],
)
def test_what_cannot_be_explained_is_said(words: list[str], code: int, says: str) -> None:
    done = run(*words)
    assert (done.exit_code, says in done.stderr) == (code, True)


def test_a_call_that_is_not_recorded(world: World, tmp_path: Path) -> None:
    done = run("call_none", "--db", str(tmp_path / "tillgate.db"))
    assert (done.exit_code, "no such call" in done.stderr) == (3, True)
