"""`tillgate policy test` as people, programs and build servers see it, and the suites that ship."""

import json
import re
import time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from typer.testing import CliRunner

from tillgate.guards.policy.diagnostics import PolicyError
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy_test.run import run
from tillgate.guards.policy_test.suite import open_suite, read_suite
from tillgate.server.app import surfaces, tool_map
from tillgate.server.cli.main import app

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "policy.test.yaml", *sorted(ROOT.glob("examples/*/policy.test.yaml"))]

POLICY = """policy: small
version: 1
currency: USD
rules:
  - {id: all, tools: [edit_cart, issue_refund], permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('10.00')", escalate: refunds}
"""
SUITE = """tests:
  - {name: carts, tool: edit_cart, expect: {outcome: completed, rules: all}}
  - name: by amount
    tool: issue_refund
    table:
      - [impact.amount, expect]
      - ["10.00", completed]
      - ["10.01", escalated]
"""


def given(folder: Path, suite: str = SUITE, policy: str = POLICY) -> Path:
    (folder / "policy.yaml").write_text(policy, encoding="utf-8")
    (folder / "policy.test.yaml").write_text(suite, encoding="utf-8")
    return folder / "policy.test.yaml"


def told_by(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["policy", "test", *map(str, arguments)])


@pytest.mark.parametrize("suite", SHIPPED, ids=lambda suite: suite.parent.name)
def test_a_shipped_policy_does_what_its_suite_says_and_no_rule_is_untested(suite: Path) -> None:
    done = told_by("-q", "--coverage", "--fail-under", 100, suite)
    assert done.exit_code == 0, done.output
    assert "100.0 % of rules fired" in done.stdout


def test_every_shipped_policy_has_a_suite() -> None:
    policies = [ROOT / "policy.yaml", *sorted(ROOT.glob("examples/*/policy.yaml"))]
    assert [policy.with_name("policy.test.yaml") for policy in policies] == SHIPPED


def noticed(suite: Path, text: str) -> bool:
    """Whether the suite refuses the text in its policy's place, or fails."""
    offered = surfaces(tool_map())
    try:
        policy = load_policy(text, "policy.yaml", offered)
        read = read_suite(open_suite(suite.read_text("utf-8"), "policy.test.yaml"), policy, offered)
    except PolicyError:
        return True
    return any(not run(case, policy).ok for case in read.cases)


def changed() -> list[tuple[str, str]]:
    """The shipped policy with one rule less, or one amount a cent off, or one comparison a step off."""
    text = (ROOT / "policy.yaml").read_text("utf-8")
    lines = text.split("\ncontext:")[0].splitlines(keepends=True)
    found: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        if re.match(r"\s+- \{id: ", line):
            found.append((f"without line {number + 1}", text.replace(line, "", 1)))
        for amount in re.findall(r"money\('([0-9.]+)'\)|limit: \"([0-9.]+)\"", line):
            old = "".join(amount)
            for cents in (-1, 1):
                new = f"{float(old) + cents / 100:.2f}"
                found.append((f"line {number + 1}: {new}", text.replace(line, line.replace(old, new), 1)))
        for sign, other in (("<=", "<"), (">=", ">"), (" < ", " <= "), (" > ", " >= ")):
            if "when:" in line and sign in line:
                found.append((f"line {number + 1}: {other}", text.replace(line, line.replace(sign, other), 1)))
    return found


def test_the_shipped_suite_notices_every_change_of_a_threshold_and_every_rule_taken_out() -> None:
    mutants = changed()
    assert len(mutants) > 80
    assert noticed(SHIPPED[0], (ROOT / "policy.yaml").read_text("utf-8")) is False
    assert [name for name, text in mutants if not noticed(SHIPPED[0], text)] == []


def test_everything_as_expected(tmp_path: Path) -> None:
    done = told_by(given(tmp_path))
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "ok      carts",
        "ok      by amount [10.00]",
        "ok      by amount [10.01]",
        f"{tmp_path / 'policy.test.yaml'}: 3 ok, 0 failed",
    ]


def test_a_failure_says_what_came_instead_and_why(tmp_path: Path) -> None:
    suite = given(tmp_path, policy=POLICY.replace("10.00", "10.01"))
    done = told_by("-q", suite)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "FAILED  by amount [10.01]",
        f"        {suite}:8:9  issue_refund",
        "        expected escalated, got completed",
        "        rules that fired: all",
        "        risk: 0 LOW",
        f"{suite}: 2 ok, 1 failed",
    ]


def test_coverage_and_its_floor(tmp_path: Path) -> None:
    suite = given(tmp_path, SUITE.replace('      - ["10.01", escalated]\n', ""))
    done = told_by("-q", "--coverage", suite)
    policy = tmp_path / "policy.yaml"
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == [
        f"{policy}: 50.0 % of rules fired (1 of 2), 0 of 0 factors applied, 0 of 0 budgets were exceeded, "
        "1 of 2 branches were taken",
        f"  {policy}:6:10  rule large never fired",
        f"  {policy}:6:47  rule large: `impact.amount > money('10.00')` was never true",
    ]
    assert told_by("--fail-under", 50, suite).exit_code == 0
    under = told_by("--fail-under", 50.1, suite)
    assert (under.exit_code, "50.0 % of the rules fired, under 50.1 %" in under.stderr) == (1, True)
    assert told_by("--fail-under", 101, suite).exit_code == 2


def test_suites_of_one_policy_are_covered_together(tmp_path: Path) -> None:
    given(tmp_path, SUITE.replace('      - ["10.01", escalated]\n', ""))
    (tmp_path / "more").mkdir()
    more = "policy: ../policy.yaml\n" + SUITE.replace("carts", "x").replace('      - ["10.00", completed]\n', "")
    (tmp_path / "large.test.yaml").write_text(more.replace("../", ""), encoding="utf-8")
    done = told_by("-q", "--fail-under", 100, tmp_path)
    assert (done.exit_code, done.stdout.count("% of rules fired")) == (0, 1)


def test_as_json(tmp_path: Path) -> None:
    told = json.loads(told_by("--json", "--coverage", given(tmp_path)).stdout)
    assert (told["ok"], told["failed"]) == (3, 0)
    assert told["cases"][2] == {
        "name": "by amount [10.01]", "tool": "issue_refund", "file": str(tmp_path / "policy.test.yaml"), "line": 8,
        "column": 9, "ok": True, "expected": "escalated", "outcome": "escalated", "rules": ["all", "large"],
        "codes": ["approval_required"], "queue": "refunds", "risk": {"score": 0, "tier": "LOW", "factors": {}},
        "failures": [],
    }  # fmt: skip
    assert told["coverage"][0]["rules"] == {"all": 3, "large": 1}
    assert told["coverage"][0]["branches"] == {"seen": 2, "all": 2}


def test_junit_is_well_formed_whatever_a_test_is_called(tmp_path: Path) -> None:
    names = ['\\x01 \\e[31m & <b> \\"q\\" \\uFFFE \\0', "Grüße \\U0001F600"]
    tests = "".join(f'  - {{name: "{name}", tool: edit_cart, expect: denied}}\n' for name in names)
    done = told_by("--junit", tmp_path / "out.xml", given(tmp_path, f"tests:\n{tests}"))
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout
    root = fromstring((tmp_path / "out.xml").read_bytes())
    assert (root.tag, root.attrib) == ("testsuites", {"tests": "2", "failures": "2", "errors": "0"})
    [suite] = root
    assert [case.attrib["name"] for case in suite] == [
        '\\x01 \\x1b[31m & <b> "q" \\ufffe \\x00', "Grüße \N{GRINNING FACE}",
    ]  # fmt: skip
    assert (suite[0].attrib["classname"], suite[0].attrib["line"]) == ("edit_cart", "2")
    assert suite[0][0].attrib["message"] == "expected denied, got completed"


def test_only_some(tmp_path: Path) -> None:
    suite = given(tmp_path)
    assert told_by("--filter", "AMOUNT", suite).stdout.count("ok  ") == 2
    none = told_by("--filter", "nothing", suite)
    assert (none.exit_code, "no test has 'nothing' in its name" in none.stderr) == (2, True)


def test_another_policy_against_the_same_suite(tmp_path: Path) -> None:
    suite = given(tmp_path)
    other = tmp_path / "stricter.yaml"
    other.write_text(POLICY.replace("'10.00'", "'5.00'"), encoding="utf-8")
    assert told_by("--policy", other, suite).exit_code == 1


def test_findings_of_every_suite_and_policy_at_once(tmp_path: Path) -> None:
    given(tmp_path, SUITE.replace("edit_cart", "edit_crt").replace("escalated", "escalatd"))
    (tmp_path / "a.test.yaml").write_text("policy: none.yaml\ntests: []\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(POLICY.replace("impact.amount", "impact.amont"), encoding="utf-8")
    (tmp_path / "b.test.yaml").write_text("policy: bad.yaml\n" + SUITE, encoding="utf-8")
    done = told_by(tmp_path)
    assert (done.exit_code, done.stdout) == (3, "")
    assert re.findall(r"([\w.]+yaml:\d+:\d+)  (P\d+)", done.stderr) == [
        ("a.test.yaml:1:9", "P040"), ("bad.yaml:6:54", "P012"), ("policy.test.yaml:2:25", "P031"),
        ("policy.test.yaml:8:19", "P011"),
    ]  # fmt: skip


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    assert told_by(tmp_path / "none.yaml").exit_code == 3
    assert told_by(tmp_path).exit_code == 3
    assert told_by("--junit", tmp_path / "no" / "out.xml", given(tmp_path)).exit_code == 3
    (tmp_path / "policy.test.yaml").write_bytes(b"tests: \xff")
    assert told_by(tmp_path).exit_code == 3


def test_a_thousand_cases_take_two_seconds_at_most(tmp_path: Path) -> None:
    case = (
        "  - {{name: case {n}, tool: issue_refund, facts: {{order: o, customer: {{age_days: {n}}}, "
        'impact: {{amount: "9.{c:02d}"}}}}, expect: {{outcome: completed, rules: [all]}}}}\n'
    )
    cases = "".join(case.format(n=n, c=n % 100) for n in range(1000))
    suite = given(tmp_path, "fixtures: {orders: {o: {status: delivered, delivered_days: 3}}}\ntests:\n" + cases)
    told_by(suite)  # what is imported once does not count
    begun = time.process_time()
    assert told_by("-q", "--coverage", suite).exit_code == 0
    assert time.process_time() - begun < 2
