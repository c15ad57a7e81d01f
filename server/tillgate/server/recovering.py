"""Takes up what was begun outside and never settled: at start, and every few seconds, in every serving process."""

from tillgate.guards.finishing import recover
from tillgate.guards.steps import drive
from tillgate.server.app import App
from tillgate.server.reloading import LivePolicy
from tillgate.server.ticking import Ticker

EVERY_SECONDS = 2.0


def recovery(app: App, live: LivePolicy) -> Ticker:
    """A ticker, not started yet. Several processes may do this at once: a claim decides which of them it is."""
    return Ticker("recovery", EVERY_SECONDS, lambda: drive(recover(live.gate), app.store, app.gate.reach))
