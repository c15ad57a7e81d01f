"""Keeps a serving process under the policy file as it stands: looked at every second and on SIGHUP.

The rules kept: a call is decided under one policy from its beginning to its end. A file that cannot be served changes
nothing: the last good policy stays, and why is said. A file is taken only when it was the same at two looks, so that
half a file, which may well read as a policy with rules missing, is never served.
"""

import logging
import signal
import threading
from dataclasses import replace
from types import FrameType

from tillgate.guards.desk import Received
from tillgate.guards.errors import ConfigurationError
from tillgate.guards.gate import Gate
from tillgate.guards.outcome import Outcome
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.server.app import App, policy_file, policy_text, same_currency, surfaces
from tillgate.server.ticking import Ticker
from tillgate.tools.shops.embedded.shop import shop_currency

LOOKS_EVERY = 1.0
"""Seconds between two looks at the file."""

log = logging.getLogger(__name__)


class LivePolicy:
    """The gate of a serving process under the newest good policy."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._gate = app.gate
        self._file = policy_file(app.settings.policy)
        self._seen = self._settled = app.text
        self._look = threading.Lock()
        self.trouble: str | None = None

    @property
    def gate(self) -> Gate:
        """The gate that the next call passes."""
        return self._gate

    @property
    def policy(self) -> Policy:
        """The policy that calls are decided under now."""
        return self._gate.policy

    def handle(self, received: Received) -> Outcome:
        """Answer one call, all of it under the policy that is served as it begins."""
        return self._gate.handle(received)

    def health(self) -> dict[str, str | bool | None]:
        """The digest that is served, and what is wrong with the file when it is another one."""
        return {"policy": self.policy.digest, "current": self.trouble is None, "trouble": self.trouble}

    def look(self, *, settled: bool = False) -> None:
        """Look at the file once; `settled` takes it at its first sight, as an operator asks for by a signal."""
        with self._look:
            if self._file is None:
                return  # the packaged policy does not change, and a file that appears was not asked for
            try:
                text, source = policy_text(self._file)
            except ConfigurationError as error:
                self._refuse(str(error))
                self._seen = self._settled = ""
                return
            steady, self._seen = settled or text == self._seen, text
            if steady and text != self._settled:
                self._take(text, source)
                self._settled = text

    def _take(self, text: str, source: str) -> None:
        """Written down before it decides anything."""
        try:
            policy = load_policy(text, source, surfaces(self._app.tools))
            with self._app.store.transaction() as desk:
                same_currency(shop_currency(desk.sql), policy)
                desk.serve_under(policy.digest, policy.source, text)
        except ConfigurationError as error:
            self._refuse(str(error))
            return
        if policy.digest != self._gate.policy.digest:
            log.warning("serving %s version %s (%s)", policy.name, policy.version, policy.digest)
        self._gate = replace(self._gate, policy=policy)
        self.trouble = None

    def _refuse(self, why: str) -> None:
        if why != self.trouble:
            log.error("the policy file is refused; %s stays served\n%s", self.policy.digest, why)
        self.trouble = why


class Watcher:
    """Looks at the file every second until it is stopped, and at once when asked to."""

    def __init__(self, live: LivePolicy) -> None:
        self._live = live
        self._hurry = False
        self._ticker = Ticker("policy-watcher", LOOKS_EVERY, self._look)

    def start(self) -> None:
        """Begin to look; also at once whenever the process gets SIGHUP, where there is such a signal."""
        if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGHUP, self._on_signal)
        self._ticker.start()

    def wake(self) -> None:
        """Look now."""
        self._hurry = True
        self._ticker.wake()

    def stop(self) -> None:
        """Stop looking, and wait until nobody looks."""
        self._ticker.stop()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.wake()

    def _look(self) -> None:
        hurry, self._hurry = self._hurry, False
        self._live.look(settled=hurry)
