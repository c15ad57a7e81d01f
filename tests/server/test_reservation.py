"""Money that a waiting request needs is not there for anybody else, and is free again when the wait is over."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from worlds import SHOP, World, make_world

from tillgate.guards import review
from tillgate.guards.outcome import Outcome

pytestmark = pytest.mark.every_store


RULES = """
  - {id: all, tools: "*", permit: true}
  - {id: asks, tools: [exchange_items], escalate: {queue: refunds, expires: 24h}}
"""


@pytest.fixture
def waiting(place: Path | str) -> Iterator[World]:
    """Two delivered orders whose exchange costs 6.00 each, and 10.00 on the gift card."""
    shop: dict[str, Any] = copy.deepcopy(SHOP)
    shop["products"][0]["variants"].append(
        {"id": "v_3", "options": {"size": "XL"}, "price": "53.00", "cost": None, "stock": 9}
    )
    shop["orders"][3]["disputed"] = False
    made = make_world(place, shop=shop).under(RULES)
    yield made
    made.store.close()


def _exchange(world: World, order: str) -> Outcome:
    lines = [{"line_id": f"{order}-1", "new_variant_id": "v_3"}]
    return world.call("exchange_items", order_id=order, lines=lines, payment_method_id="gift_1")


def _handle(outcome: Outcome) -> str:
    assert outcome.escalation is not None
    return outcome.escalation.handle


def _on_card(world: World) -> int:
    return int(
        world.rows(
            "SELECT sum(CASE WHEN kind IN ('refund', 'credit') THEN amount ELSE -amount END) FROM transfer"
            " WHERE method_id = 'gift_1'"
        )[0][0]
    )


def _codes(outcome: Outcome) -> list[str]:
    return [reason.code for reason in outcome.reasons]


def test_two_exchanges_that_wait_do_not_share_one_gift_card(waiting: World) -> None:
    first = _exchange(waiting, "ord_1")
    assert first.status == "escalated"
    assert _codes(_exchange(waiting, "ord_4")) == ["insufficient_balance"]
    with waiting.store.transaction() as desk:
        assert review.approve(waiting.gate, desk, _handle(first), "rosa", None).status == "executed"
    assert _on_card(waiting) == 400
    assert _codes(_exchange(waiting, "ord_4")) == ["insufficient_balance"]


def test_money_is_free_again_when_the_request_is_withdrawn_or_expires(waiting: World) -> None:
    first = _exchange(waiting, "ord_1")
    waiting.call("withdraw_request", handle=_handle(first))
    assert _exchange(waiting, "ord_4").status == "escalated"
    waiting.clock.advance(hours=25)
    assert _exchange(waiting, "ord_1").status == "escalated"
    assert _on_card(waiting) == 1000


def test_an_exchange_that_acts_at_once_leaves_what_others_wait_for(waiting: World) -> None:
    first = _exchange(waiting, "ord_1")
    assert _codes(_exchange(waiting.under(RULES.splitlines()[1] + "\n"), "ord_4")) == ["insufficient_balance"]
    with waiting.store.transaction() as desk:
        assert review.approve(waiting.gate, desk, _handle(first), "rosa", None).status == "executed"
