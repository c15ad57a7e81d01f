"""What goes on beside the calls of a serving process."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

from tillgate.server.app import App
from tillgate.server.notify import dispatcher_for
from tillgate.server.recovering import recovery
from tillgate.server.reloading import LivePolicy, Watcher


@contextmanager
def running(app: App) -> Generator[LivePolicy]:
    """While this is entered, the policy is kept up with, messages are sent, and what was left half done is taken up."""
    live = LivePolicy(app)
    watcher, recovering = Watcher(live), recovery(app, live)
    dispatcher = None
    try:
        dispatcher = dispatcher_for(app.settings, app.store)
        settle_memory()
        watcher.start()
        recovering.start()
        yield live
    finally:
        watcher.stop()
        recovering.stop()
        if dispatcher is not None:
            dispatcher.stop()


def settle_memory() -> None:
    """What is there now stays, and a call leaves little behind: rarer collections are most of the tail of its time.

    What a start left to collect stays too: looking for it would take as long as reading the policy.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    gc.enable()
