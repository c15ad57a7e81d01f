"""However a log is cut, the result is the same to the byte."""

import json
import pickle
from collections import Counter
from random import Random
from typing import Any

import pytest
from logs import POLICIES, random_log, recorded
from worlds import policy

from tillgate.server.backtest import Block, Reading
from tillgate.server.backtest_counts import MOST_SHOWN, Backtest, Days, as_json
from tillgate.server.backtest_page import page

ALL = Days()
SEEDS = range(5)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return recorded(tmp_path_factory.mktemp("recorded"))


def told(made: Backtest) -> tuple[str, str]:
    """Everything that is said of a backtest."""
    return json.dumps(as_json(made)), page(made, "policy.yaml")


def sent(block: Block) -> Block:
    """A block as it comes from another process."""
    again: Block = pickle.loads(pickle.dumps(block))
    return again


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_log_says_the_same_however_it_is_cut(found: list[dict[str, Any]], name: str, seed: int) -> None:
    chance, lines = Random(seed), random_log(seed, found)
    reading = Reading(policy(POLICIES[name]), ALL)
    whole = told(reading.whole([reading.block(lines)]))
    assert told(reading.whole(sent(reading.block([line])) for line in lines)) == whole
    for _ in range(5):
        at = sorted(chance.choices(range(len(lines) + 1), k=chance.randrange(1, 9)))
        pieces = [lines[start:end] for start, end in zip([0, *at], [*at, len(lines)], strict=True)]
        assert told(reading.whole(sent(reading.block(piece)) for piece in pieces)) == whole


def test_the_examples_are_the_first_ones_however_a_log_is_cut(found: list[dict[str, Any]]) -> None:
    lines = random_log(2, found, talks=2) * 70
    reading = Reading(policy(POLICIES["stricter"]), ALL)
    whole = reading.whole([reading.block(lines)])
    assert max(map(len, whole.shown.values())) == len(whole.damage) == MOST_SHOWN
    for size in (97, 1000):
        pieces = [lines[start : start + size] for start in range(0, len(lines), size)]
        assert told(reading.whole(sent(reading.block(piece)) for piece in pieces)) == told(whole)


def test_those_logs_hold_what_order_decides(found: list[dict[str, Any]]) -> None:
    """Otherwise the test above would say nothing."""
    seen: Counter[str] = Counter()
    for name, text in POLICIES.items():
        for seed in SEEDS:
            reading = Reading(policy(text), ALL)
            made = reading.whole([reading.block(random_log(seed, found))])
            seen["damaged"] += made.damaged
            seen["undecided"] += made.undecided[""]
            seen["moved later"] += made.moved_later
            seen["many of one flip"] += max(map(len, made.shown.values()), default=0) >= 10
            if name == "only budgets":
                seen["no room"] += made.calls["completed", "denied"] + made.calls["escalated", "denied"]
    assert len(seen) == 5
    assert min(seen.values()) >= 10, seen
