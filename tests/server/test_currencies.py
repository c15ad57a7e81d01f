"""Money has as many digits as its currency, from the shop file to the answer."""

import json
from pathlib import Path

import pytest
from worlds import OPEN, SHOP, SeededMinter, TestClock, World, customer, policy

from tillgate.guards.gate import Gate
from tillgate.server.app import tool_map
from tillgate.server.store.sqlite import SqliteStore
from tillgate.tools.shops.embedded.seed import seed


def _world(path: Path, code: str, digits: int) -> World:
    """The small shop with its amounts written in another currency."""
    text = json.dumps(SHOP).replace('"USD"', f'"{code}"')
    for amount in ("50.00", "48.00", "20.00", "100.00", "10.00", "0.00"):
        whole = amount.partition(".")[0]
        text = text.replace(f'"{amount}"', f'"{whole}.{"0" * digits}"' if digits else f'"{whole}"')
    clock, minter = TestClock(), SeededMinter()
    store = SqliteStore(path / "shop.db", clock, minter)
    with store.transaction() as desk:
        seed(desk.sql, text, now=clock.now())
    served = policy(OPEN.replace("USD", code).replace("80.00", "80"))
    return World(Gate(tool_map(), served, store, minter), store, clock, customer())


@pytest.mark.parametrize(
    ("code", "digits", "asked", "minor", "shown", "left", "wrong"),
    [
        ("JPY", 0, "7", 7, "7", "93", "7.0"),
        ("KWD", 3, "7.125", 7125, "7.125", "92.875", "7.1255"),
        ("EUR", 2, "7.5", 750, "7.50", "92.50", "7.505"),
    ],
)
def test_a_refund_is_exact_in_every_currency(
    tmp_path: Path, code: str, digits: int, asked: str, minor: int, shown: str, left: str, wrong: str
) -> None:
    world = _world(tmp_path, code, digits)
    refused = world.call("issue_refund", order_id="ord_1", amount=wrong, reason="x")
    assert refused.reasons[0].code == "invalid_arguments"
    done = world.call("issue_refund", order_id="ord_1", amount=asked, reason="x")
    assert done.data == {"order_id": "ord_1", "amount": shown, "refundable": left}
    assert world.rows("SELECT sum(amount) FROM transfer WHERE kind = 'refund'") == [(minor,)]
    world.store.close()
