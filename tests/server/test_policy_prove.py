"""`tillgate policy prove` and `diff` as an operator meets them."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tillgate.server.cli.main import app

pytest.importorskip("z3", reason="the solver is not installed: nothing is proved here")
ROOT = Path(__file__).parents[2]
SHIPPED = sorted([ROOT / "policy.yaml", *ROOT.glob("examples/*/policy.yaml")])
TEXT = (ROOT / "policy.yaml").read_text("utf-8")


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["policy", *words])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_the_shipped_policies_claim_is_proved(path: Path) -> None:
    done = run("prove", str(path), "--all")
    assert done.exit_code == 0, done.stdout
    assert "refuted" not in done.stdout


LARGE = "impact.amount > money('100.00') || risk.tier >= HIGH"
DISPUTED = 'tools: [issue_refund, cancel_order, return_items, exchange_items], when: "order.disputed"'
FAULTS = {
    "a loophole for one segment": (LARGE, LARGE.replace(" ||", " && !('vip' in customer.tags) ||")),
    "a threshold typo": (LARGE, LARGE.replace("100.00", "1000.00")),
    "a denial for too few tools": (DISPUTED, DISPUTED.replace(", cancel_order, return_items, exchange_items", "")),
}


@pytest.mark.parametrize(("right", "wrong"), FAULTS.values(), ids=FAULTS.keys())
def test_a_seeded_fault_is_refuted_and_shown_as_a_difference(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in TEXT
    bad = tmp_path / "policy.yaml"
    bad.write_text(TEXT.replace(right, wrong))
    proved = run("prove", str(bad), "--json")
    assert proved.exit_code == 1
    assert "refuted" in [each["result"] for each in json.loads(proved.stdout)]
    told = run("diff", str(ROOT / "policy.yaml"), str(bad), "--json")
    assert told.exit_code == 1
    turns = json.loads(told.stdout)["turns"]
    assert turns
    assert all(each["confirmed"] for each in turns)


def test_a_tool_that_is_forgotten_is_a_difference(tmp_path: Path) -> None:
    bad = tmp_path / "policy.yaml"
    lines = TEXT.splitlines(keepends=True)
    bad.write_text("".join(line for line in lines if "{id: address, " not in line))
    text = run("diff", str(ROOT / "policy.yaml"), str(bad)).stdout
    assert "update_address: verification_required -> denied" in text
    assert "update_address: completed -> denied" in text


def test_the_same_policy_has_no_difference() -> None:
    done = run("diff", str(ROOT / "policy.yaml"), str(ROOT / "policy.yaml"))
    assert (done.exit_code, done.stdout.strip()) == (0, "no call would end otherwise")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("window: 30d", "window: 30h", "budget refunds_per_customer: per customer.id in 30 d"),
        (
            "refunds: {reviewers: [refund-desk]",
            "refunds: {reviewers: [interns]",
            "queue refunds: reviewed by refund-desk",
        ),
        (
            'four_eyes_over: "500.00"',
            'four_eyes_over: "5000.00"',
            "two of them over 500.00 -> reviewed by refund-desk, two",
        ),
        (
            "identified: [id, status, placed_at,",
            "identified: [id, status, total, placed_at,",
            "get_order at IDENTIFIED also",
        ),
        ('{"*.email": email, ', "{", "mask *.email: email -> not there"),
        ('then: "!order.disputed"', 'then: "order.present"', "no longer claimed: completed => !order.disputed"),
    ],
)
def test_what_no_call_can_show_is_listed(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    assert TEXT.count(right) == 1
    (tmp_path / "policy.yaml").write_text(TEXT.replace(right, wrong))
    done = run("diff", str(ROOT / "policy.yaml"), str(tmp_path / "policy.yaml"))
    assert done.exit_code == 1
    assert told in done.stdout
    assert "no call would end otherwise" in done.stdout


def test_a_call_is_told_by_what_is_not_plain_about_it(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(TEXT.replace(LARGE, LARGE.replace(" ||", " && !('vip' in customer.tags) ||")))
    lines = run("prove", str(tmp_path / "policy.yaml")).stdout.splitlines()
    assert lines[0] == "refuted  issue_refund: completed => impact.amount <= money('100.00') || approval.granted"
    assert lines[1].startswith(
        "  a call of 100.01 USD: completed by refunds, refund-verify, refund-confirm; risk 0 LOW"
    )
    assert "    customer.tags [vip]" in lines
    assert not any("age_days" in line for line in lines)


def test_a_policy_that_only_watches_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(TEXT.replace("mode: enforce", "mode: shadow"))
    done = run("prove", str(tmp_path / "policy.yaml"))
    assert done.exit_code == 1
    assert "only watches" in done.stderr
