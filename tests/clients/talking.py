"""A client in a process of its own, in whatever language: a line goes in for each call, and a line comes out."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clients.installing import INSTALLED, node_environment, running
from clients.stage import Outcome, Stage

DRIVERS = Path(__file__).with_name("drivers")
HOMES: Mapping[str, str] = {
    "typescript_v1": "node",
    "typescript_v2": "node",
    "fastmcp_client": "python",
    "pydantic_ai_agent": "python",
    "langchain_agent": "langchain",
}
"""Every driver, and the part of `scripts/clients` it needs."""


@dataclass
class Client:
    """One conversation. `asked` is what the client was told to ask its user."""

    process: "subprocess.Popen[str]"
    asked: list[str] = field(default_factory=list[str])

    def __call__(self, tool: str, **arguments: Any) -> Outcome:
        """One call of a tool and the outcome as the client, or its model, was shown it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"tool": tool, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        told = self.hear()
        self.asked += told["asked"]
        outcome: Outcome = told["outcome"]
        return outcome

    def hear(self) -> dict[str, Any]:
        """What the client says next."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the client has gone: {self.process.communicate()[1][-3000:]}")
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def talking(
    driver: str, shop: Stage, url: str | None, *, agrees: bool = False, era: str = "auto", token: str | None = None
) -> Iterator[Client]:
    """A client at `url`, or at a server that it starts itself. `agrees` says yes to whatever it is told to ask."""
    where = {"url": url} if url else {"command": shop.serve_command(), "env": shop.own_settings()}
    command = [*_program(driver), json.dumps({**where, "agrees": agrees, "era": era, "token": token})]
    with subprocess.Popen(
        command,
        cwd=INSTALLED / HOMES[driver],
        env=node_environment(shop.folder),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        client = Client(process)
        try:
            assert "issue_refund" in client.hear()["tools"]
            yield client
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors[-3000:]
        finally:
            process.kill()


def _program(driver: str) -> list[str]:
    script = DRIVERS / f"{driver}.mjs"
    if script.is_file():
        return running("node", script.read_text("utf-8"))
    return [str(INSTALLED / HOMES[driver] / "bin/python"), str(DRIVERS / f"{driver}.py")]
