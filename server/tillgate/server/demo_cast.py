"""Who acts in the demo: a real MCP client of a real `tillgate serve`, and the `tillgate` command for the people."""

import os
import shlex
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from rich.text import Text

from tillgate.server.demo_stage import Stage

NOW = "2026-11-23T09:00:00Z"
Brief = Callable[[dict[str, Any]], str]


def tillgate_command() -> list[str]:
    """The `tillgate` of this very installation."""
    script = Path(sys.executable).with_name("tillgate")
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-c", "from tillgate.server.cli.main import main; main()"]


def environment(folder: Path) -> dict[str, str]:
    """This process's environment with the demo's settings and nobody else's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TILLGATE_")}
    return kept | {
        "TILLGATE_DATABASE_URL": str(folder / "tillgate.db"),
        "TILLGATE_POLICY": str(folder / "policy.yaml"),
        "TILLGATE_NOW": NOW,
        "COLUMNS": "86",
    }


class EndedOtherwise(Exception):
    """A step did not end as it must, so there is nothing to go on with; the stage says how it ended."""


@dataclass
class Cast:
    """Acts out a step, shows it, and notes whether it ended as it must. `waiting` is a request left for the reader."""

    stage: Stage
    folder: Path
    pause: float
    client: Client | None = None
    waiting: str = ""

    @asynccontextmanager
    async def serving(self, customer: str) -> AsyncGenerator[None]:
        """A process that serves one customer, signed in, for as long as the block lasts."""
        command = tillgate_command()
        server = StdioServerParameters(
            command=command[0],
            args=[*command[1:], "serve", "--customer", customer, "--assurance", "authenticated", "--agent", "demo"],
            env=environment(self.folder),
            cwd=str(self.folder),
        )
        async with Client(server) as client:
            self.client = client
            yield
        self.client = None

    async def scene(self, title: str) -> None:
        """Begin a part."""
        self.stage.scene(title)
        await anyio.sleep(self.pause)

    async def says(self, who: str, words: str) -> None:
        """Somebody speaks."""
        self.stage.line(who, f"“{words}”")
        await anyio.sleep(self.pause)

    async def aside(self, words: str) -> None:
        """A word to the audience."""
        self.stage.line("", Text(words, style="italic dim"))
        await anyio.sleep(self.pause)

    async def prints(self, text: str) -> None:
        """What a command printed."""
        for line in text.strip().splitlines():
            if line.strip():
                self.stage.line("", line.rstrip())
        await anyio.sleep(self.pause)

    async def call(
        self, tool: str, status: str, brief: Brief | None = None, *, why: str | None = None, **arguments: Any
    ) -> dict[str, Any]:
        """One tool call and its outcome, which must have this status and, where given, this first reason."""
        if self.client is None:
            raise RuntimeError("nobody is served")
        self.stage.call(tool, arguments)
        result = await self.client.call_tool(tool, arguments)
        outcome: dict[str, Any] = result.structured_content or {"status": "missing"}
        fits = outcome["status"] == status
        self.stage.answer(outcome, brief(outcome) if brief and fits else "")
        self.stage.expect(tool, status, outcome["status"])
        if why is not None:
            self.stage.expect(tool, why, next((reason["code"] for reason in outcome["reasons"]), None))
        if not fits:
            raise EndedOtherwise
        await anyio.sleep(self.pause)
        return outcome

    async def command(self, *words: str, exits: int = 0) -> str:
        """Run `tillgate` as a person would; its standard output."""
        self.stage.line("$", Text(f"tillgate {shlex.join(words)}", style="bold"))
        done = await anyio.run_process(
            [*tillgate_command(), *words], check=False, env=environment(self.folder), cwd=str(self.folder)
        )
        self.stage.expect(f"tillgate {words[0]}", exits, done.returncode)
        if done.returncode != exits:
            await self.prints(done.stderr.decode(errors="replace"))
            raise EndedOtherwise
        return done.stdout.decode(errors="replace")

    def expect(self, what: str, wanted: object, found: object) -> None:
        """As the stage's."""
        self.stage.expect(what, wanted, found)
