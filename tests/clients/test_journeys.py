"""Real clients on the real server: each plays the demo's journey, over both transports and in both protocol eras."""

from pathlib import Path
from typing import Any

import pytest
from clients.installing import installed
from clients.journey import play
from clients.stage import KEY, stage
from clients.talking import HOMES, talking

from tillgate.server.web.dev_key import make_key

QUICK = "typescript_v1"
"""It is played every time: what it needs is there anyway, for the conformance suite."""
CLIENT_ASKS = ('confirm: agent, message: "Please confirm', 'confirm: client, message: "Please confirm')


def marked(driver: str) -> Any:
    return pytest.param(driver, marks=() if driver == QUICK else pytest.mark.long)


EVERY = pytest.mark.parametrize("driver", [marked(driver) for driver in HOMES])


@pytest.fixture
def folder(driver: str, tmp_path: Path) -> Path:
    """Where the shop will be, once there is a client for it."""
    installed(HOMES[driver])
    return tmp_path


@EVERY
def test_the_journey_over_stdio(driver: str, folder: Path) -> None:
    shop = stage(folder)
    with talking(driver, shop, None) as client:
        play(client, shop)


@EVERY
def test_the_journey_over_http(driver: str, folder: Path) -> None:
    shop = stage(folder)
    with shop.serving() as url, talking(driver, shop, url) as client:
        play(client, shop)


@EVERY
def test_the_journey_with_a_token(driver: str, folder: Path) -> None:
    """As on a server that asks for one; the client is nobody in particular until it has identified a customer."""
    shop = stage(folder)
    make_key(folder / KEY)
    with shop.serving(*shop.serve_command("--dev-key", KEY)) as url:
        with talking(driver, shop, url, token=shop.token(url)) as client:
            play(client, shop)
        with pytest.raises(AssertionError, match="the client has gone"), talking(driver, shop, url):
            pass
        with pytest.raises(AssertionError, match="the client has gone"), talking(driver, shop, url, token="x.y.z"):
            pass


@pytest.mark.long
@pytest.mark.parametrize("driver", ["typescript_v2", "fastmcp_client"])
def test_the_journey_in_the_older_era(driver: str, folder: Path) -> None:
    shop = stage(folder)
    with shop.serving() as url, talking(driver, shop, url, era="legacy") as client:
        play(client, shop)


@pytest.mark.parametrize("over_http", [False, True], ids=["stdio", "http"])
@EVERY
def test_a_client_that_can_ask_is_told_what_to_ask_and_its_yes_is_enough(
    driver: str, over_http: bool, folder: Path
) -> None:
    shop = stage(folder, CLIENT_ASKS)
    if not over_http:
        with talking(driver, shop, None, agrees=True) as client:
            play(client, shop, asks=True)
    else:
        with shop.serving() as url, talking(driver, shop, url, agrees=True) as client:
            play(client, shop, asks=True)
    forms = [question for question in client.asked if question.startswith("Refund")]
    assert [form.split(" of ")[0] for form in forms] == ["Refund 18.00 USD", "Refund 318.00 USD"]
