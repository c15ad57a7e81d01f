"""An approved refund is made once, or is in doubt and shown to a person: the story of the comparison, Tillgate alone.

The worker that carries it out is a real process, and is really killed; whoever finds what it left behind are two gates
on the same file, a minute later by the clock they are given.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from benchmarks.approved_twice.engines.tillgate import MODULES, POLICY, SAYINGS, approve, command, shop
from benchmarks.approved_twice.engines.tillgate_payments import install, setting
from benchmarks.approved_twice.provider import Books
from benchmarks.approved_twice.story import APPROVED, SCENARIOS, Doubt, Saying, Ticket, play
from benchmarks.approved_twice.table import Wrong, wrong
from benchmarks.approved_twice.workers import Worker, barrier, prepare
from worlds import NOW

from tillgate.guards.audit.verify import verify_lines
from tillgate.guards.desk import Received
from tillgate.guards.finishing import recover
from tillgate.guards.steps import drive
from tillgate.server.app import App, build
from tillgate.server.callers import callers_of
from tillgate.server.seeding import seed_text
from tillgate.server.settings import settings
from tillgate.server.store.log import stored_lines

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "approved_twice" / "results.json"
ORDER = "ord_1"
DOUBTFUL: Mapping[str, tuple[str, ...]] = {"c": (APPROVED,), "d": (), "g": (APPROVED,)}
"""Where a provider that ignores keys leaves a doubt, and what it really did."""


class Tillgate:
    """Implements `story.Engine`, with time that only moves when it settles."""

    rounds_at_once = 1

    def __init__(self, folder: Path, books: Books) -> None:
        prepare(*MODULES)
        self._db, self._packages = str(folder / "shop.db"), install(folder)
        (folder / "policy.yaml").write_text(POLICY, "utf-8")
        seed_text(json.dumps(shop([ORDER])).encode(), db=self._db, replace=False, source="shop.json")
        who = {"customer": "cus_1", "assurance": "authenticated"}
        served = settings(db=self._db, policy=folder / "policy.yaml", payments=setting(books), now=NOW, **who)
        self.app = build(served, serving=True)
        self._caller = callers_of(self.app.settings, "stdio", self.app.minter, self.app.store.now())("talk")

    def ask(self, order: str, amount: str) -> Ticket:
        arguments = {"order_id": order, "amount": amount, "reason": "broken"}
        outcome = self.app.gate.handle(Received("issue_refund", arguments, self._caller))
        assert outcome.escalation is not None
        return {"order": order, "amount": amount, "handle": outcome.escalation.handle}

    def deliver(self, ticket: Ticket, worker: int = 0, start: Callable[[], object] | None = None) -> Worker:
        return Worker(approve, ticket["handle"], worker, self._environment(), start=start)

    def victim(self) -> int:
        return 0

    def gun(self) -> Callable[[], object]:
        return barrier()

    def settle(self, ticket: Ticket) -> None:
        """Twice, two workers look at the same moment for what is left to do."""
        for minutes in (1, 3):
            together = threading.Barrier(2)
            later = [build(settings(db=self._db, now=NOW + timedelta(minutes=minutes))) for _ in range(2)]
            looking = [threading.Thread(target=_recover, args=(app, together)) for app in later]
            for thread in looking:
                thread.start()
            for thread in looking:
                thread.join()

    def says(self, ticket: Ticket) -> tuple[Saying, Doubt]:
        rows = json.loads(Worker(command, ["requests", "list", "--all", "--json"], self._environment()).answer())
        status = next(row["status"] for row in rows if row["handle"] == ticket["handle"])
        listed = Worker(command, ["requests", "list"], self._environment()).answer()
        return SAYINGS.get(status, "refused"), "listed" if "in_doubt" in listed else "nowhere"

    def close(self) -> None:
        self.app.store.close()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{self._packages}{os.pathsep}{ROOT}",
            "TILLGATE_DATABASE_URL": self._db,
            "TILLGATE_NOW": NOW.isoformat(),
            "COLUMNS": "200",
        }


def _recover(app: App, together: threading.Barrier) -> None:
    try:
        together.wait()
        drive(recover(app.gate), app.store, app.gate.reach)
    finally:
        app.store.close()


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bool], tuple[Tillgate, Books]]]:
    """A shop whose payment provider honours keys, or ignores them and cannot be asked."""
    monkeypatch.syspath_prepend(str(install(tmp_path)))
    monkeypatch.setenv("TILLGATE_NOW", NOW.isoformat())
    opened: list[Tillgate] = []

    def tell(honours: bool) -> tuple[Tillgate, Books]:
        books = Books(tmp_path / "books.db", honours)
        opened.append(Tillgate(tmp_path, books))
        return opened[0], books

    yield tell
    for engine in opened:
        engine.close()


Telling = Callable[[bool], tuple[Tillgate, Books]]


def entered(engine: Tillgate) -> list[int]:
    """The refunds the shop's own ledger has."""
    with engine.app.store.reading() as desk:
        return [row[0] for row in desk.sql.rows("SELECT amount FROM transfer WHERE kind = 'refund'")]


def verified(engine: Tillgate) -> list[Any]:
    with engine.app.store.reading() as desk:
        return list(verify_lines(stored_lines(desk.sql)).problems)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_with_a_provider_that_honours_keys_it_is_made_exactly_once(telling: Telling, scenario: str) -> None:
    engine, books = telling(True)
    ended = play(engine, books, scenario, ORDER)
    assert (ended.refunds, ended.says, ended.doubt) == ((APPROVED,), "done", "nowhere"), ended.answers
    assert entered(engine) == [4000]
    assert verified(engine) == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_with_one_that_ignores_them_it_is_made_at_most_once_and_a_person_sees_the_doubt(
    telling: Telling, scenario: str
) -> None:
    engine, books = telling(False)
    ended = play(engine, books, scenario, ORDER)
    made, says, doubt = ended.refunds, ended.says, ended.doubt
    if scenario in DOUBTFUL:
        assert (made, says, doubt) == (DOUBTFUL[scenario], "in doubt", "listed"), ended.answers
        assert entered(engine) == []
    else:
        assert (made, says, doubt) == ((APPROVED,), "done", "nowhere"), ended.answers
        assert entered(engine) == [4000]
    assert verified(engine) == []


def row(*refunds: str, says: Saying = "done", doubt: Doubt = "nowhere", scenario: str = "c") -> dict[str, Any]:
    return {"refunds": refunds, "says": says, "doubt": doubt, "scenario": scenario}


def test_the_comparison_calls_wrong_what_is_wrong() -> None:
    assert wrong(row(APPROVED)) is None
    assert wrong(row(APPROVED, APPROVED)) == "twice"
    assert wrong(row("90.00", scenario="f")) == "never approved"
    assert wrong(row(APPROVED, says="refused", doubt="in the log")) == "untold"
    assert wrong(row(APPROVED, says="waiting")) == "untold"
    assert wrong(row(APPROVED, says="in doubt")) == "untold"
    assert wrong(row(says="refused")) == "lost"
    assert wrong(row()) == "lost"
    assert [wrong(row(*made, says="in doubt", doubt="listed")) for made in ((), (APPROVED,))] == [None, None]
    assert [wrong(row(says=says, scenario="f")) for says in ("refused", "waiting")] == [None, None]


def test_the_published_results_are_of_this_story_and_every_engine_could_tell_it() -> None:
    published = json.loads(RESULTS.read_text("utf-8"))
    page = RESULTS.with_name("README.md").read_text("utf-8")
    assert published["date"] in page
    for engine in published["engines"]:
        ends = engine["ends"]
        assert engine["version"] in RESULTS.with_name("results.md").read_text("utf-8")
        for keys in ("honours", "ignores"):
            for scenario in SCENARIOS:
                of_it = [end for end in ends if (end["keys"], end["scenario"]) == (keys, scenario)]
                assert sum(end["rounds"] for end in of_it) == published["rounds"]
        assert all(end["says"] == "done" for end in ends if end["scenario"] == "a")
        assert all(end["wrong"] == wrong(end) for end in ends)
        found = [sum(end["rounds"] for end in ends if end["wrong"] == kind) for kind in get_args(Wrong)]
        counted = sum(end["rounds"] for end in ends)
        assert f"| {engine['title']} | {counted} | {' | '.join(f'**{each}**' for each in found)} |" in page
        if engine["name"] == "tillgate":
            assert [end for end in ends if end["wrong"]] == []
