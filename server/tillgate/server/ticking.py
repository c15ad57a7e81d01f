"""Something done every few seconds on a thread of its own, until it is stopped."""

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Ticker:
    """Calls `tick` at once when started, then every so many seconds, and at once whenever it is woken.

    What `tick` raises is logged: one look that fails must not be the last one.
    """

    def __init__(self, name: str, seconds: float, tick: Callable[[], object]) -> None:
        self._seconds = seconds
        self._tick = tick
        self._woken = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Do it now. May be called from a signal handler."""
        self._woken.set()

    def stop(self) -> None:
        """No more; wait until the last one is over."""
        self._stopped = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._tick()
            except Exception:
                log.exception("%s failed", self._thread.name)
            self._woken.wait(self._seconds)
            self._woken.clear()
