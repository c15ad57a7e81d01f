"""Measures one governed call in an open transaction: microseconds of CPU by tool, and which step they go to.

    python benchmarks/journey.py                          # one line a tool
    python benchmarks/journey.py --against OTHER/python   # the same with another checkout's interpreter, taking turns

64 customers with an order and a cart each call once in a transaction that is then rolled back, so that every round
finds the same shop and no commit is counted. `fastest` is the fastest round and the one to compare: what else the
machine does only adds. `undecided` is a call whose risk and rules are not evaluated. The steps are wall time of a run
of their own, in which the clock itself takes a part; each without the SQL in it.
"""

import argparse
import gc
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tillgate.guards import evaluation, gate
from tillgate.guards.desk import Caller, Received
from tillgate.guards.effects import UnderWay
from tillgate.guards.model import Agent, Assurance, Decision, RiskAssessment, Tier, Verdict
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Asked
from tillgate.server.app import App, build
from tillgate.server.settings import settings
from tillgate.server.store.desk import SqlDesk
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.sqlite import SqliteSql
from tillgate.tools.spec import Tool

ROOT = Path(__file__).resolve().parents[1]
NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)
CALLERS = 64
ROUNDS, WARM_UP = 40, 5
CASES: Mapping[str, Mapping[str, Any]] = {
    "get_order": {"order_id": "ord_1"},
    "get_product": {"product_id": "p_1"},
    "search_products": {"query": "shirt", "limit": 3},
    "edit_cart": {"cart_id": "cart_1", "lines": [{"variant_id": "v_1", "quantity": 3}]},
    "issue_refund": {"order_id": "ord_1", "amount": "12.00", "reason": "shrank"},
}
_FIRST = re.compile(r"\b(cus_|pm_|p_|v_|cart_|ord_|pay_|shp_|ana)1\b|\b1(?= Main)")
_DECIDED = Decision(Verdict.PERMIT, (), (), (), "")
_UNASSESSED = RiskAssessment(0, Tier.LOW, ())


def shop() -> dict[str, Any]:
    """A shop of 64 customers, each with a product, an order and a cart like the first of the quickstart."""
    plain: dict[str, Any] = json.loads((ROOT / "examples" / "quickstart" / "shop.json").read_text("utf-8"))
    plain["carts"] = [
        {"id": "cart_1", "customer_id": "cus_1", "lines": [{"variant_id": "v_1", "quantity": 1}], "offers": []}
    ]
    for kind in ("customers", "products", "carts", "orders"):
        plain[kind] = [numbered(plain[kind][0], n) for n in range(1, CALLERS + 1)]
    return plain


def numbered(value: Any, n: int) -> Any:
    """The same with the number `n` in its ids and addresses, in place of 1."""
    written = _FIRST.sub(lambda found: f"{found[1] or ''}{n}", json.dumps(value).replace("ana@", "ana1@"))
    return json.loads(written)


class TakenBack(Exception):
    """Ends a transaction with nothing done."""


class Bench:
    """64 callers of one gate who have called before, each with a confirmation for the refund they will ask for."""

    def __init__(self, folder: Path) -> None:
        self.app: App = build(settings(policy=ROOT / "policy.yaml", db=str(folder / "bench.db"), now=NOW), serving=True)
        with self.app.store.transaction() as desk:
            seed(desk.sql, json.dumps(shop()), now=NOW)
        self.callers = [
            Caller(Agent("agent", "stdio"), f"stdio:{n}", f"{n}", f"cus_{n}", Assurance.STEPPED_UP, NOW)
            for n in range(1, CALLERS + 1)
        ]
        with self.app.store.transaction() as desk:
            asked = [self.app.gate.journey(desk, call, self._id()) for call in self.calls("issue_refund", [])]
        self.tokens = [
            outcome.confirmation.token for outcome in asked if isinstance(outcome, Outcome) and outcome.confirmation
        ]

    def calls(self, tool: str, tokens: Sequence[str | None]) -> list[Received]:
        """One call of each caller."""
        said = [{"confirmation_token": token} for token in tokens] if tool == "issue_refund" else []
        return [
            Received(tool, {**numbered(CASES[tool], n), **(said[n - 1] if said else {})}, caller)
            for n, caller in enumerate(self.callers, 1)
        ]

    def round(self, tool: str) -> float:
        """Microseconds of CPU of one call, on the average of one of each caller. Raises when one is not completed."""
        calls = [(call, self._id()) for call in self.calls(tool, self.tokens)]
        answers: list[Outcome | UnderWay | Asked] = []
        took = 0
        with suppress(TakenBack), self.app.store.transaction() as desk:
            began = time.thread_time_ns()
            answers = [self.app.gate.journey(desk, call, call_id) for call, call_id in calls]
            took = time.thread_time_ns() - began
            raise TakenBack
        check([answer for answer in answers if isinstance(answer, Outcome)])
        return took / 1000 / CALLERS

    def _id(self) -> str:
        return self.app.minter.id("call")


def check(answers: Sequence[Outcome]) -> None:
    """Raises RuntimeError when a call did not do what is measured."""
    if other := [answer for answer in answers if answer.status != "completed"]:
        raise RuntimeError(f"{other[0].status}: {other[0].reasons}")


class Stopwatch:
    """Nanoseconds by step; a step that stands in another is not counted there too."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._open: list[str] = ["rest"]
        self._since = time.perf_counter_ns()

    def switch(self, step: str | None) -> None:
        """Begin a step inside the present one; with None, the present one ends."""
        now = time.perf_counter_ns()
        self.spent[self._open[-1]] += now - self._since
        self._open.append(step) if step else self._open.pop()
        self._since = now

    def timed(self, step: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same function as a step."""

        def run(*args: Any, **named: Any) -> Any:
            self.switch(step)
            try:
                return act(*args, **named)
            finally:
                self.switch(None)

        return run


STEPS: Sequence[tuple[Any, str, str]] = (
    (SqliteSql, "row", "SQL"),
    (SqliteSql, "rows", "SQL"),
    (SqliteSql, "run", "SQL"),
    (Tool, "parse", "parse"),
    (Tool, "facts", "facts"),
    (evaluation, "assess", "decide"),
    (evaluation, "limit", "decide"),
    (evaluation, "decide", "decide"),
    (gate, "recall", "recall"),
    (gate, "remember", "remember"),
    (gate, "trim", "trim"),
    (gate, "call_record", "record"),
    (SqlDesk, "append", "record"),
    (SqlDesk, "apply", "apply"),
)
"""Where each step is: an owner and the name of its function."""


@contextmanager
def replaced(places: Sequence[tuple[Any, str, Callable[..., Any]]]) -> Generator[None]:
    """Other functions in these places for a while."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    for owner, name, other in places:
        setattr(owner, name, other)
    try:
        yield
    finally:
        for owner, name, other in before:
            setattr(owner, name, other)


def steps(bench: Bench, tool: str) -> dict[str, float]:
    """Microseconds of a call by step, on the average of some rounds."""
    watch = Stopwatch()
    verb: Any = type(bench.app.tools[tool])
    own = [(verb, "look_up", "look up"), (verb, "plan", "plan")]
    places = [(owner, name, watch.timed(step, getattr(owner, name))) for owner, name, step in [*STEPS, *own]]
    act = watch.timed("gate", bench.app.gate.journey.__func__)  # type: ignore[attr-defined]
    with replaced([*places, (gate.Gate, "journey", act)]):
        for _ in range(WARM_UP):
            bench.round(tool)
        watch.spent.clear()
        for _ in range(ROUNDS // 4):
            bench.round(tool)
    del watch.spent["rest"]
    return {name: spent / 1000 / CALLERS / (ROUNDS // 4) for name, spent in watch.spent.items()}


def undecided() -> Any:
    """Calls whose risk and rules are not evaluated."""
    return replaced([(evaluation, "assess", lambda *_: _UNASSESSED), (evaluation, "decide", lambda *_: _DECIDED)])


def measure() -> dict[str, list[float]]:
    """Microseconds of each round by tool, and by `tool undecided`."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        found: dict[str, list[float]] = {}
        for tool in CASES:
            for _ in range(WARM_UP):
                bench.round(tool)
            gc.collect()
            gc.freeze()
            found[tool] = [bench.round(tool) for _ in range(ROUNDS)]
            with undecided():
                found[f"{tool} undecided"] = [bench.round(tool) for _ in range(ROUNDS)]
        bench.app.store.close()
        return found


def report(found: Mapping[str, list[float]]) -> None:
    """One line a tool: CPU of a call, and of one that is not decided."""
    print(f"{'µs of CPU a call':20}{'fastest':>10}{'median':>10}{'undecided':>12}")
    for tool in CASES:
        took, bare = found[tool], found[f"{tool} undecided"]
        print(f"{tool:20}{min(took):10.1f}{statistics.median(took):10.1f}{min(bare):12.1f}")


def report_steps() -> None:
    """One line a tool: the share of each step."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        found = {tool: steps(bench, tool) for tool in CASES}
        bench.app.store.close()
    names = list(dict.fromkeys(step for row in found.values() for step in row))
    print(f"\n{'% of a call':20}" + "".join(f"{name:>10}" for name in names))
    for tool, row in found.items():
        whole = sum(row.values())
        print(f"{tool:20}" + "".join(f"{row.get(name, 0) * 100 / whole:10.0f}" for name in names))


def against(other: str, turns: int) -> None:
    """This checkout and another, taking turns; the fastest round of each counts."""
    rounds: dict[str, list[dict[str, list[float]]]] = {sys.executable: [], other: []}
    for _ in range(turns):
        for python, found in rounds.items():
            told = subprocess.run([python, __file__, "--json"], check=True, capture_output=True, text=True)
            found.append(json.loads(told.stdout))
    print(f"{'fastest µs of CPU':20}{'here':>10}{'there':>10}{'times':>10}")
    for tool in CASES:
        here, there = (min(min(one[tool]) for one in found) for found in rounds.values())
        print(f"{tool:20}{here:10.1f}{there:10.1f}{there / here:10.2f}")


def main() -> None:
    """Measure, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", help="the Python of another checkout")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="every round, for a program")
    chosen = parser.parse_args()
    if chosen.against:
        against(chosen.against, chosen.turns)
    elif chosen.json:
        print(json.dumps(measure()))
    else:
        report(measure())
        report_steps()


if __name__ == "__main__":
    main()
