"""A commit that fails may have been kept: nobody is told that nothing was done before somebody has looked."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from worlds import World

from tillgate.guards.errors import Unsure
from tillgate.guards.outcome import Outcome

REFUND = {"order_id": "ord_1", "amount": "5.00", "reason": "late"}


@pytest.fixture
def refunded(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """A refund whose commits end as said, one after the other: kept, and then reported lost; lost; or as usual."""

    def refund(*ends: str) -> Outcome:
        left, commit, store = list(ends), world.store._commit, world.store

        def ending(*desk: Any) -> None:
            end = left.pop(0) if left else "well"
            if end == "lost":
                store._roll_back()
            else:
                commit(*desk)
            if end != "well":
                raise Unsure("the disk did not answer")

        monkeypatch.setattr(store, "_commit", ending)
        return world.call("issue_refund", **REFUND)

    return refund


def told(world: World) -> Sequence[tuple[str, str]]:
    return [(record["kind"], record["outcome"]["status"]) for record in world.records()]


def refunds(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'")[0][0])


def test_what_was_kept_after_all_is_answered_as_it_is(world: World, refunded: Callable[..., Outcome]) -> None:
    outcome = refunded("kept")
    assert (outcome.status, outcome.executed, outcome.replayed) == ("completed", True, False)
    assert told(world) == [("call", "completed")]
    assert refunds(world) == 1


def test_what_was_lost_is_answered_as_not_done(world: World, refunded: Callable[..., Outcome]) -> None:
    outcome = refunded("lost")
    assert [reason.code for reason in outcome.reasons] == ["unavailable"]
    assert told(world) == [("failure", "failed")]
    assert refunds(world) == 0


@pytest.mark.parametrize(("end", "done"), [("kept", 1), ("lost", 0)])
def test_while_nobody_can_look_nothing_is_said_of_what_was_done(
    world: World, refunded: Callable[..., Outcome], end: str, done: int
) -> None:
    outcome = refunded(end, "lost")
    assert (outcome.status, [reason.code for reason in outcome.reasons]) == ("failed", ["unsettled"])
    assert refunds(world) == done
    again = world.call("issue_refund", **REFUND)
    assert (again.status, again.replayed) == ("completed", bool(done))
    assert refunds(world) == 1
