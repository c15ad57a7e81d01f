"""A backtest counts what a replay decides: flips, money that would move or stay, and the work it makes."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from worlds import OPEN, World, make_world, policy

from tillgate.guards import review
from tillgate.guards.audit.log import export_lines
from tillgate.server.backtest import backtest
from tillgate.server.backtest_counts import MOST_SHOWN, Backtest, as_json
from tillgate.server.backtest_page import page
from tillgate.server.cli.main import app
from tillgate.server.replay import replay

LARGE = "  - {id: large, tools: [issue_refund], when: \"impact.amount > money('%s')\", escalate: refunds}\n"
ASKS = OPEN.replace("context:", LARGE % "20.00" + "context:")
STRICT = OPEN.replace("context:", LARGE % "5.00" + "  - {id: none, tools: [edit_cart], deny: no_carts}\ncontext:")
LOOSE = OPEN


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[list[bytes]]:
    """A refund of 9.00, one of 30.00 that a person approved, a read, a refusal and a cart."""
    world = make_world(tmp_path, ASKS)
    refund = {"order_id": "ord_1", "reason": "broken"}
    world.call("get_order", order_id="ord_1")
    world.call("get_order", order_id="ord_404")
    world.call("issue_refund", **refund, amount="9.00")
    asked = world.call("issue_refund", **refund, amount="30.00")
    assert asked.escalation is not None
    with world.store.transaction() as desk:
        review.approve(world.gate, desk, asked.escalation.handle, "rosa")
    world.clock.advance(days=1)
    world.call("edit_cart", lines=[{"variant_id": "v_1", "quantity": 1}])
    yield _export(world)
    world.store.close()


def _export(world: World) -> list[bytes]:
    rows = world.rows("SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (seq) ORDER BY a.seq")
    return list(export_lines(rows))


def tried(lines: list[bytes], text: str, **days: str) -> Backtest:
    return backtest(lines, policy(text), **days)


def test_under_its_own_policy_nothing_flips(lines: list[bytes]) -> None:
    made = tried(lines, ASKS)
    assert (made.flips, made.moved(), made.held(), made.kept) == (0, 0, 0, 1)


def test_a_stricter_policy_by_hand(lines: list[bytes]) -> None:
    made = tried(lines, STRICT)
    assert dict(made.calls) == {
        ("completed", "completed"): 2,  # the read, and the refund that was approved
        ("completed", "escalated"): 1,
        ("escalated", "escalated"): 1,
        ("completed", "denied"): 1,
    }
    assert (made.held(), made.moved()) == (900, 0)
    assert (made.old_load.total(), made.new_load.total()) == (1, 2)
    assert (made.a_day(made.new_load), made.new_load.peak(), made.new_load.queues()) == (1.0, 2, {"refunds": 2})
    [shown] = made.shown["completed", "escalated"]
    assert (shown.tool, shown.amount, shown.old_rules, shown.new_rules) == (
        "issue_refund", 900, ("all",), ("all", "large"),
    )  # fmt: skip


def test_money_that_moves_earlier_is_not_money_that_moves_more(lines: list[bytes]) -> None:
    """The approved request completes at once, and its execution, a line of its own, was where the money moved then."""
    made = tried(lines, LOOSE)
    assert made.calls["escalated", "completed"] == 1
    assert made.money["escalated", "completed"] == 3000
    assert (made.moved(), made.held()) == (0, 0)
    unanswered = [line for line in lines if b'"kind":"execution"' not in line]
    assert tried(unanswered, LOOSE).moved() == 3000


def test_money_that_moved_after_an_approval_is_held_where_the_request_is_refused_now(lines: list[bytes]) -> None:
    refusing = OPEN.replace("context:", "  - {id: never, tools: [issue_refund], deny: never}\ncontext:")
    made = tried(lines, refusing)
    assert made.calls["escalated", "denied"] == 1
    assert made.held() == 900 + 3000


@pytest.mark.parametrize("text", [ASKS, STRICT, LOOSE])
def test_the_counts_are_those_of_a_replay(lines: list[bytes], text: str) -> None:
    made, again = tried(lines, text), replay(lines, policy(text))
    decided = [row for row in again.rows if row.new is not None]
    assert made.calls == Counter((row.entry.old.status, row.new.status) for row in decided if row.new)
    assert (made.others, made.kept) == (again.others, len(again.rows) - len(decided))


def test_days_outside_are_left_out_and_still_fill_budgets(lines: list[bytes]) -> None:
    made = tried(lines, STRICT, since="2026-06-02")
    assert (made.decided, made.outside) == (1, 5)
    assert tried(lines, STRICT, until="2026-06-01").decided == 4


def test_a_budget_that_did_not_exist_is_kept_over_the_time_of_the_log(lines: list[bytes]) -> None:
    budget = 'budgets: [{id: b, tools: [issue_refund], per: customer.id, window: 30d, limit: "%s"}]\nrules:'
    assert tried(lines, ASKS.replace("rules:", budget % "39.00")).flips == 0
    assert tried(lines, LOOSE.replace("rules:", budget % "38.99")).calls["escalated", "denied"] == 1


def test_facts_that_were_not_recorded_are_never_guessed(lines: list[bytes]) -> None:
    older: list[dict[str, Any]] = [json.loads(line) for line in lines]
    for record in older:
        facts: dict[str, Any] = record.get("facts") or {}
        facts.get("impact", {}).pop("amount", None)
    made = tried([json.dumps(record).encode() for record in older], STRICT)
    assert made.undecided == {"impact.amount": 3, "": 3}
    assert made.held() == 0


def test_damaged_lines_are_counted_and_told(lines: list[bytes]) -> None:
    made = tried([b"{", *lines, b'{"kind": "call"}\n'], ASKS)
    assert (made.damaged, [each.line for each in made.damage]) == (2, [1, len(lines) + 2])


def test_examples_are_bounded(lines: list[bytes]) -> None:
    made = tried(lines * (MOST_SHOWN + 5), STRICT)
    assert len(made.shown["completed", "denied"]) == MOST_SHOWN
    assert made.calls["completed", "denied"] == MOST_SHOWN + 5


class Reader(HTMLParser):
    """Collects tags, and complains of what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "rect", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing_from_elsewhere(lines: list[bytes]) -> None:
    text = page(tried(lines, STRICT), "policy.yaml")
    reader = Reader()
    reader.feed(text)
    assert (reader.open, reader.links, reader.tags["script"]) == ([], [], 0)
    assert reader.tags["h1"] == 1
    assert reader.tags["caption"] == reader.tags["table"] >= 4
    assert "9.00 USD" in text


def test_what_was_recorded_cannot_write_into_the_page(lines: list[bytes]) -> None:
    hostile = lines[2].replace(b'"call_id":"', b'"call_id":"<script>alert(1)</script>')
    text = page(tried([hostile], STRICT), '"><img src=x>.yaml')
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;" in text


def test_a_page_of_nothing_and_a_page_of_more_days_than_a_chart_has_room_for(lines: list[bytes]) -> None:
    assert "No call would have ended otherwise" in page(tried([], STRICT), "policy.yaml")
    year = [
        lines[2].replace(b'"at":"2026-06-01', f'"at":"2026-{month:02d}-{day:02d}'.encode())
        for month in range(1, 13)
        for day in range(1, 29)
    ]
    text = page(tried(year, STRICT), "policy.yaml")
    assert "336 days from 2026-01-01 to 2026-12-28" in text
    assert "the last 90 days, 1 at most" in text
    assert text.count("<title>2026-12-28: ") == 2
    assert "<title>2026-01-01: " not in text


def test_every_end_has_two_bars_as_long_as_its_calls_are_many(lines: list[bytes]) -> None:
    text = page(tried(lines, STRICT), "policy.yaml")
    bars = re.findall(r'<rect class="(was|now)" x="180" y="\d+" width="([\d.]+)" height="11"/>', text)
    assert bars == [
        ("was", "620.0"), ("now", "310.0"),  # completed: 4 and 2
        ("was", "0.0"), ("now", "155.0"),  # denied: 0 and 1
        ("was", "155.0"), ("now", "310.0"),  # escalated: 1 and 2
    ]  # fmt: skip


def test_lines_that_are_unreadable_are_listed_with_the_reason() -> None:
    text = page(tried([b'{"kind":"<b>"}', b"{"], STRICT), "policy.yaml")
    assert "&#x27;&lt;b&gt;&#x27; is not a kind of record" in text
    assert "2 lines are unreadable" in text


def run(folder: Path, lines: list[bytes], text: str, *options: str) -> Any:
    (folder / "new.yaml").write_text(text)
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    files = ["--policy", str(folder / "new.yaml"), "--log", str(folder / "log.jsonl")]
    return CliRunner().invoke(app, ["policy", "backtest", *files, *options])


def test_the_command(tmp_path: Path, lines: list[bytes]) -> None:
    done = run(tmp_path, lines, STRICT)
    assert (done.exit_code, "2 of 5 calls would have ended otherwise" in done.stdout) == (0, True)
    assert json.loads(run(tmp_path, lines, STRICT, "--json").stdout) == json.loads(
        json.dumps(as_json(tried(lines, STRICT)))
    )
    assert "issue_refund 9.00 all -> all large" in run(tmp_path, lines, STRICT, "--show", "completed:escalated").stdout
    assert run(tmp_path, lines, STRICT, "--html", str(tmp_path / "r.html")).exit_code == 0
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")
    assert run(tmp_path, lines, STRICT, "--fail-on-flips").exit_code == 1
    assert run(tmp_path, lines, ASKS, "--fail-on-flips").exit_code == 0


@pytest.mark.parametrize("options", [["--since", "soon"], ["--show", "completed"], ["--html", "/nowhere/r.html"]])
def test_what_cannot_be_is_said(tmp_path: Path, lines: list[bytes], options: list[str]) -> None:
    done = run(tmp_path, lines, STRICT, *options)
    assert (done.exit_code, options[0] in done.stderr or "nowhere" in done.stderr) == (3, True)
