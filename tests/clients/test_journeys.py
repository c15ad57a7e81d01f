"""Real clients on the real server: each plays the demo's journey, over both transports and in both protocol eras."""

from pathlib import Path
from typing import Any

import pytest
from clients.journey import play
from clients.stage import stage
from clients.talking import HOMES, talking

QUICK = {"typescript_v1", "typescript_v2"}
"""Those that are played every time: what they need is there anyway, for the conformance suite."""
CLIENT_ASKS = ('confirm: agent, message: "Please confirm', 'confirm: client, message: "Please confirm')


def marked(driver: str, *more: Any) -> Any:
    return pytest.param(driver, *more, marks=() if driver in QUICK else pytest.mark.long)


EVERY = pytest.mark.parametrize("driver", [marked(driver) for driver in HOMES])
IN_BOTH_ERAS = [marked(driver, era) for driver in ("typescript_v2", "fastmcp_client") for era in ("legacy", "auto")]


@EVERY
def test_the_journey_over_stdio(driver: str, tmp_path: Path) -> None:
    shop = stage(tmp_path)
    with talking(driver, shop, None) as client:
        play(client, shop)


@EVERY
def test_the_journey_over_http(driver: str, tmp_path: Path) -> None:
    shop = stage(tmp_path)
    with shop.serving() as url, talking(driver, shop, url) as client:
        play(client, shop)


@pytest.mark.long
@pytest.mark.parametrize(("driver", "era"), [("typescript_v2", "legacy"), ("fastmcp_client", "legacy")])
def test_the_journey_in_the_older_era(driver: str, era: str, tmp_path: Path) -> None:
    shop = stage(tmp_path)
    with shop.serving() as url, talking(driver, shop, url, era=era) as client:
        play(client, shop)


@pytest.mark.parametrize("over_http", [False, True], ids=["stdio", "http"])
@EVERY
def test_a_client_that_can_ask_is_told_what_to_ask_and_its_yes_is_enough(
    driver: str, over_http: bool, tmp_path: Path
) -> None:
    shop = stage(tmp_path, CLIENT_ASKS)
    if not over_http:
        with talking(driver, shop, None, agrees=True) as client:
            play(client, shop, asks=True)
    else:
        with shop.serving() as url, talking(driver, shop, url, agrees=True) as client:
            play(client, shop, asks=True)
    forms = [question for question in client.asked if question.startswith("Refund")]
    assert [form.split(" of ")[0] for form in forms] == ["Refund 18.00 USD", "Refund 318.00 USD"]
