"""`tillgate policy routes` as text, JSON and a page."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tillgate.server.cli.main import app

TEXT = """policy: shop
version: 1
currency: USD
rules:
  - {id: all, tools: [issue_refund, get_order], permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('50.00')", escalate: refunds}
"""


def run(folder: Path, *words: str, text: str = TEXT) -> Any:
    (folder / "policy.yaml").write_text(text)
    return CliRunner().invoke(app, ["policy", "routes", str(folder / "policy.yaml"), *words])


def test_as_text_and_json(tmp_path: Path) -> None:
    done = run(tmp_path, "--tool", "issue_refund")
    assert done.exit_code == 0
    assert "goes to refunds (large)" in done.stdout
    [route] = json.loads(run(tmp_path, "--tool", "issue_refund", "--json").stdout)
    assert [(row["amount"], row["verdicts"]) for row in route["rows"]] == [
        ("to 50.00", ["permit"]), ("from 50.01", ["escalate"]),
    ]  # fmt: skip


def test_as_a_page(tmp_path: Path) -> None:
    done = run(tmp_path, "--html", str(tmp_path / "routes.html"))
    page = (tmp_path / "routes.html").read_text("utf-8")
    assert (done.exit_code, "goes to refunds (large)" in page) == (0, True)
    assert not any(word in page for word in ("<script", "src=", "href="))


def test_what_a_condition_says_is_escaped(tmp_path: Path) -> None:
    text = TEXT.replace("impact.amount > money('50.00')", "order.id == '<img src=x>'")
    run(tmp_path, "--html", str(tmp_path / "routes.html"), text=text)
    assert "&lt;img src=x&gt;" in (tmp_path / "routes.html").read_text("utf-8")


def test_a_tool_that_no_rule_names(tmp_path: Path) -> None:
    done = run(tmp_path, "--tool", "get_ordr")
    assert (done.exit_code, "did you mean `get_order`?" in done.stderr) == (3, True)
