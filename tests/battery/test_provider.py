"""A provider that times out, fails after it has done it, answers late or twice: one refund, and no doubt is hidden."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from battery.calling import Call, call, to_card
from battery.stage import Place, Shop, Still, caller, opened
from typer.testing import CliRunner

from tillgate.guards.desk import Received
from tillgate.guards.effects import Answer, UnderWay
from tillgate.guards.finishing import finish, recover
from tillgate.guards.outcome import Outcome
from tillgate.guards.steps import Transact, drive
from tillgate.server.cli.main import app
from tillgate.server.payments.stub import Behaviour
from tillgate.server.store.desk import SqlDesk

TIMES = pytest.mark.parametrize("times", [10, pytest.param(200, marks=pytest.mark.long)])


DONE: tuple[Behaviour] = ("done",)


def refund(number: int) -> Call:
    """One for each delivered order: two a customer."""
    return to_card(number // 2 + 1, f"no {number}", order="ab"[number % 2])


def in_doubt(place: Place) -> set[str]:
    """What an operator sees in doubt."""
    done = CliRunner().invoke(app, ["requests", "list", "--json", "--db", str(place.folder / "shop.db")])
    assert done.exit_code == 0, done.output
    return {row["handle"] for row in json.loads(done.stdout) if row["status"] == "in_doubt"}


def made(shop: Shop) -> dict[str, int]:
    """How often each refund stands in the ledger."""
    return dict(shop.rows("SELECT reason, count(*) FROM transfer WHERE kind = 'refund' GROUP BY 1"))


@TIMES
@pytest.mark.parametrize("behaviour", ["lost_before", "lost_after", "error_after", "late"])
@pytest.mark.parametrize("repeatable", [True, False])
def test_without_an_answer_it_is_in_doubt_for_all_to_see_and_then_made_once_or_not(
    place: Place, behaviour: Behaviour, repeatable: bool, times: int
) -> None:
    clock = Still()
    told: list[Behaviour] = [behaviour] * times + [*DONE] * 9 * times
    place = replace(place, behaviours=told, clock=clock, repeatable=repeatable)
    shop = opened(place, customers=times).open()
    handles: set[str] = set()
    for number in range(times):
        who, tool, arguments = refund(number)
        outcome = call(shop, who, tool, **arguments)
        assert (outcome.status, [reason.code for reason in outcome.reasons]) == ("escalated", ["in_doubt"])
        assert outcome.escalation is not None
        handles.add(outcome.escalation.handle)
    assert in_doubt(place) == handles
    for _ in range(3):
        clock.at += timedelta(minutes=2)
        drive(recover(shop.gate), shop.store, shop.gate.reach)
    settled = repeatable or behaviour != "lost_before"
    assert made(shop) == ({f"no {number}": 1 for number in range(times)} if settled else {})
    assert sum(place.provider.acts().values()) == (times if settled else 0)
    assert in_doubt(place) == set()
    shop.store.close()


@TIMES
def test_an_answer_that_comes_twice_is_entered_once(place: Place, times: int) -> None:
    shop = opened(place, customers=times).open()
    for number in range(times):
        who, tool, arguments = refund(number)
        way = _begun(shop, who, tool, arguments)
        answer = shop.gate.reach(way)
        first, again = [shop.store.run(partial(_finished, shop, way, answer)) for _ in range(2)]
        assert first.status == "completed"
        assert again.escalation is not None
        assert again.escalation.status == "executed"
    assert made(shop) == {f"no {number}": 1 for number in range(times)}
    records = shop.rows("SELECT count(*) FROM audit WHERE json_extract(record, '$.kind') = 'outcome'")
    assert records == [(times,)]
    shop.store.close()


def _finished(shop: Shop, way: UnderWay, answer: Answer, desk: SqlDesk) -> Outcome:
    return finish(shop.gate, desk, way, answer)


def _begun(shop: Shop, who: int, tool: str, arguments: dict[str, str]) -> UnderWay:
    """A call up to where its effect is about to be carried out."""
    steps = shop.gate.steps(Received(tool, arguments, caller(who)))
    first = next(steps)
    assert isinstance(first, Transact)
    way = steps.send(shop.store.run(first.job))
    assert isinstance(way, UnderWay)
    return way
