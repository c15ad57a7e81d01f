"""Where clients come in: the demo's shop in a directory, `tillgate serve` on it, and the people around it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tillgate.server.demo_cast import environment, tillgate_command
from tillgate.server.seeding import seed_text
from tillgate.tools.shops.embedded.demo import demo_shop_text

Outcome = dict[str, Any]
OPEN, KEY = ("--unsafe-no-auth",), "key.json"
ROOT = Path(__file__).parents[2]
SERVES = re.compile(r"tillgate serves (http://\S+)")


@dataclass(frozen=True)
class Stage:
    """A shop in a directory."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What every process of this shop is started with: its store, its policy and the day of the demo."""
        return environment(self.folder)

    def own_settings(self) -> dict[str, str]:
        """The same for a client that adds to an environment of its own."""
        return {name: value for name, value in self.environment.items() if name.startswith("TILLGATE_")}

    def serve_command(self, *words: str) -> list[str]:
        """What a client starts."""
        return [*tillgate_command(), "serve", *words]

    def command(self, *words: str) -> str:
        """`tillgate` as a colleague uses it."""
        done = subprocess.run(
            [*tillgate_command(), *words],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def token(self, url: str) -> str:
        """For a client of the server at that URL, signed with the key of this shop; it speaks for no customer."""
        return self.command("token", "--dev-key", KEY, "--resource-url", url, "--agent", "client").strip()

    def code(self) -> str:
        """The code in the newest message to the customer."""
        mails: list[dict[str, str]] = json.loads(self.command("outbox", "--json"))
        return str(re.findall(r"\b[0-9]{6}\b", mails[-1]["body"])[0])

    @contextmanager
    def serving(self, *command: str) -> Iterator[str]:
        """The URL of a server over HTTP on a port that is free; `command` starts it, or else it is this shop's own."""
        words = [*(command or self.serve_command(*OPEN)), "--http", "127.0.0.1:0"]
        own = {"PYTHONPATH": str(ROOT / "tests")}
        served = subprocess.Popen(words, cwd=self.folder, env=self.environment | own, stderr=subprocess.PIPE, text=True)
        try:
            yield _url(served.stderr)
        finally:
            served.terminate()
            served.communicate(timeout=30)


def stage(folder: Path, change: tuple[str, str] = ("", "")) -> Stage:
    """The demo's shop under the policy of this repository, in which one text may be replaced by another."""
    text = (ROOT / "policy.yaml").read_text("utf-8")
    assert change[0] in text
    (folder / "policy.yaml").write_text(text.replace(*change) if change[0] else text, encoding="utf-8")
    made = Stage(folder)
    seed_text(demo_shop_text().encode(), db=str(folder / "tillgate.db"), replace=False, source="the demo shop")
    return made


def _url(said: IO[str] | None) -> str:
    assert said is not None
    heard: list[str] = []
    for line in said:
        heard.append(line)
        if found := SERVES.search(line):
            return found[1]
    raise AssertionError(f"{sys.executable}: no server: {''.join(heard)}")
