"""`tillgate policy check` as people, programs and code scanners read it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tillgate.server.cli.main import app

ROOT = Path(__file__).parents[2]
GOOD = 'policy: p\nversion: 1\ncurrency: USD\nrules:\n  - {id: all, tools: "*", permit: true}\n'
DEAD = GOOD + '  - {id: dead, tools: [issue_refund], when: "order.disputed && !order.disputed", deny: no}\n'
BAD = (
    GOOD
    + '  - {id: r, tools: [issue_refund], when: "order.disputd", deny: no}\n  - {id: r, tools: [get_ordr], deny: no}\n'
)


def check(folder: Path, text: str, *options: str) -> Any:
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["policy", "check", str(folder / "policy.yaml"), *options])


def test_a_sound_policy(tmp_path: Path) -> None:
    done = check(tmp_path, GOOD)
    assert (done.exit_code, "is sound (sha256:" in done.stdout, done.stderr) == (0, True, "")


def test_a_warning_has_its_place_and_only_strict_makes_it_a_finding(tmp_path: Path) -> None:
    done = check(tmp_path, DEAD)
    assert done.exit_code == 0
    assert "policy.yaml:6:10  P110  warning: rule `dead` never applies" in done.stderr
    assert "is sound, with 1 warning" in done.stdout
    assert check(tmp_path, DEAD, "--strict").exit_code == 1


def test_every_error_at_once_as_text(tmp_path: Path) -> None:
    done = check(tmp_path, BAD)
    assert done.exit_code == 3
    assert re.findall(r"yaml:(\d+:\d+)  (P\d+)", done.stderr) == [("6:49", "P012"), ("7:10", "P030"), ("7:21", "P031")]


def test_as_json(tmp_path: Path) -> None:
    done = check(tmp_path, BAD, "--format", "json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["sound"], told["warnings"]) == (3, False, [])
    assert [(each["line"], each["column"], each["code"]) for each in told["errors"]] == [
        (6, 49, "P012"), (7, 10, "P030"), (7, 21, "P031"),
    ]  # fmt: skip
    assert told["errors"][0]["help"].startswith("did you mean `disputed`?")
    assert told["errors"][0]["link"] == "docs/diagnostics.md#p012"
    sound = json.loads(check(tmp_path, DEAD, "--json").stdout)
    assert (sound["sound"], [each["code"] for each in sound["warnings"]]) == (True, ["P110"])


@pytest.mark.parametrize(("text", "level"), [(BAD, "error"), (DEAD, "warning")])
def test_as_sarif(tmp_path: Path, text: str, level: str) -> None:
    log = json.loads(check(tmp_path, text, "--format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert result["level"] == level
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        where = result["locations"][0]["physicalLocation"]
        assert where["artifactLocation"]["uri"].endswith("policy.yaml")
        assert where["region"]["endColumn"] > where["region"]["startColumn"] >= 1


def test_every_code_is_explained_and_no_other() -> None:
    code = re.compile(r"\bP[0-9]{3}\b")
    guards = ROOT / "guards" / "tillgate" / "guards"
    sources = [*(guards / "policy").glob("*.py"), *(guards / "policy_lint").glob("*.py")]
    used = {found for path in sources for found in code.findall(path.read_text("utf-8"))}
    page = (ROOT / "docs" / "diagnostics.md").read_text("utf-8")
    assert set(re.findall(r'<a id="(p[0-9]{3})"></a>P', page)) == {each.lower() for each in used}


WHERE = (
    GOOD
    + """risk:
  factors:
    - {id: large, when: "impact.amount > money('5.00')", points: 9, because: large}
  tiers: {medium: 5, high: 10, critical: 15}
"""
)


def test_where_each_rule_and_factor_applies_is_listed(tmp_path: Path) -> None:
    writes = "  - {id: w, tools: '*', when: \"call.effect == 'write' && conversation.calls > 5\", deny: no}\n"
    text = WHERE.replace("risk:", f"{writes}risk:")
    lines = check(tmp_path, text, "--verbose").stdout.splitlines()
    assert lines[0] == "rule all: every tool"
    assert lines[1].startswith("rule w: apply_discount, cancel_order,")
    assert "get_order" not in lines[1]
    assert lines[2].startswith("factor large: apply_discount, cancel_order,")
    assert "get_order" not in lines[2]
    told = json.loads(check(tmp_path, text, "--json").stdout)
    assert told["rules"]["w"] == sorted(told["rules"]["w"])
    assert "search_products" not in told["rules"]["w"]


def test_a_place_in_a_file_is_not_taken_for_a_picture(tmp_path: Path) -> None:
    text = GOOD + "\n" * 94 + '  - {id: d, tools: [get_order], when: "order.disputed && !order.disputed", deny: no}\n'
    assert "policy.yaml:100:10  P110" in check(tmp_path, text).stderr


def test_a_finding_says_where_it_is_explained(tmp_path: Path) -> None:
    assert "= docs/diagnostics.md#p110" in check(tmp_path, DEAD).stderr
