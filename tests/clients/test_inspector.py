"""The Inspector's command line: a process for each call, and one conversation all the same."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clients.installing import INSTALLED, installed, node_environment
from clients.journey import play
from clients.stage import Outcome, Stage, stage

pytestmark = pytest.mark.long
INSPECTOR = INSTALLED / "inspector/node_modules/.bin/mcp-inspector"
SAME_CONVERSATION = ["--tool-metadata", "tillgate/conversation=mira"]


@pytest.fixture
def shop(tmp_path: Path) -> Stage:
    installed("node", "inspector")
    return stage(tmp_path)


def inspect(shop: Stage, target: list[str], *words: str) -> dict[str, Any]:
    own = [word for name, value in shop.own_settings().items() for word in ("-e", f"{name}={value}")]
    command = [str(INSPECTOR), "--cli", *own, *target, "--format", "json", "-q", *words]
    done = subprocess.run(
        command, cwd=shop.folder, env=node_environment(shop.folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or '"isError":true' in done.stdout.replace(" ", ""), done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told.get("result", told)


def test_it_has_nothing_to_say_against_the_schemas_of_the_tools(shop: Stage) -> None:
    told = inspect(shop, shop.serve_command(), "--method", "tools/list", "--strict")
    assert "issue_refund" in [tool["name"] for tool in told["tools"]]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_journey_over_http(shop: Stage, era: str) -> None:
    with shop.serving() as url:

        def call(tool: str, **arguments: Any) -> Outcome:
            words = ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)]
            told = inspect(shop, [url], "--protocol-era", era, *words, *SAME_CONVERSATION)
            outcome: Outcome = told["structuredContent"]
            return outcome

        play(call, shop)


def test_a_customer_who_is_known_to_the_process_that_it_starts(shop: Stage) -> None:
    command = shop.serve_command("--customer", "cus_1001", "--assurance", "authenticated")
    words = ["--method", "tools/call", "--tool-name", "get_order", "--tool-args-json", '{"order_id": "ord_2001"}']
    assert inspect(shop, command, *words)["structuredContent"]["data"]["total"] == "74.00"
