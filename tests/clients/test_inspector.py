"""The Inspector's command line: a process for each call, and one conversation all the same."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clients.installing import INSTALLED, installed, node_environment
from clients.journey import Call, looking_around, play, small_refund
from clients.stage import Outcome, Stage, stage

pytestmark = pytest.mark.long
INSPECTOR = INSTALLED / "inspector/node_modules/.bin/mcp-inspector"


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
    told = json.loads(done.stdout)
    inner: dict[str, Any] = told.get("result", told)
    return inner


def test_it_has_nothing_to_say_against_the_schemas_of_the_tools(shop: Stage) -> None:
    told = inspect(shop, shop.serve_command(), "--method", "tools/list", "--strict")
    assert "issue_refund" in [tool["name"] for tool in told["tools"]]


def caller(shop: Stage, url: str, *words: str) -> Call:
    def call(tool: str, **arguments: Any) -> Outcome:
        told = inspect(shop, [url], *called(tool, arguments), *words)
        outcome: Outcome = told["structuredContent"]
        return outcome

    return call


def called(tool: str, arguments: dict[str, Any]) -> list[str]:
    return ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)]


def test_the_journey_in_the_older_era_where_each_process_names_the_conversation(shop: Stage) -> None:
    with shop.serving() as url:
        play(caller(shop, url, "--tool-metadata", "tillgate/conversation=mira"), shop)


def test_the_journey_in_the_newer_era_until_it_would_wait_for_a_colleague(shop: Stage) -> None:
    """It speaks tasks there, and asks again until there is a result."""
    with shop.serving() as url:
        call = caller(shop, url, "--protocol-era", "modern")
        looking_around(call)
        small_refund(call, shop, asks=False)


def test_a_customer_who_is_known_to_the_process_that_it_starts(shop: Stage) -> None:
    command = shop.serve_command("--customer", "cus_1001", "--assurance", "authenticated")
    told = inspect(shop, command, *called("get_order", {"order_id": "ord_2001"}))
    assert told["structuredContent"]["data"]["total"] == "74.00"
