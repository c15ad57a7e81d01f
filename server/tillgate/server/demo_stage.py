"""The demo's stage: shows who says what and how each call ends, and keeps a note of all that ends otherwise."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDTH = 100
_ENDINGS: Mapping[str, tuple[str, str]] = {
    "completed": ("✓", "green"),
    "denied": ("✗", "red"),
    "verification_required": ("?", "yellow"),
    "confirmation_required": ("?", "yellow"),
    "escalated": ("↑", "magenta"),
    "failed": ("!", "bold red"),
}
_SPEAKERS: Mapping[str, str] = {"agent": "blue", "Tillgate": "bold", "reviewer": "magenta", "note": "red", "$": "dim"}
_LONG = frozenset({"confirmation_token", "challenge_id", "call_id", "handle"})


def demo_console() -> Console:
    """A console of at most 100 columns, plain when piped or when NO_COLOR is set."""
    console = Console(highlight=False)
    return Console(highlight=False, width=min(_WIDTH, console.width) if console.is_terminal else _WIDTH)


@dataclass
class Stage:
    """Prints the play line by line."""

    console: Console
    calls: int = 0
    scenes: int = 0
    differences: list[str] = field(default_factory=list[str])

    def scene(self, title: str) -> None:
        """A new part of the play."""
        self.scenes += 1
        self.console.print()
        self.console.print(Text(f"{self.scenes}. {title}", style="bold underline"))

    def line(self, who: str, words: Text | str) -> None:
        """Somebody says or does something."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=10, no_wrap=True)
        grid.add_column(ratio=1)
        text = words if isinstance(words, Text) else Text(words)
        grid.add_row(Text(f"  {who}", style=_SPEAKERS.get(who, "cyan")), text)
        self.console.print(grid)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> None:
        """The agent calls a tool."""
        self.calls += 1
        listed = ", ".join(f"{name}={_shown(name, value)}" for name, value in arguments.items())
        self.line("agent", Text.assemble((tool, "bold blue"), (f"({listed})", "dim")))

    def answer(self, outcome: Mapping[str, Any], brief: str) -> None:
        """How it ended, in a few words."""
        status = str(outcome["status"])
        symbol, style = _ENDINGS.get(status, ("!", "bold red"))
        text = Text.assemble((f"{symbol} {status}", style))
        if outcome.get("replayed"):
            text.append(" (replayed: true)", style)
        reasons = " ".join(_reason(reason) for reason in outcome.get("reasons", []))
        for words in (reasons, brief):
            if words:
                text.append(f"  {words}")
        if status not in ("completed", "denied") and outcome.get("next_step"):
            text.append(f"\nnext: {outcome['next_step']}", "dim")
        self.line("Tillgate", text)

    def expect(self, what: str, wanted: object, found: object) -> None:
        """Note what is not as the play says it is."""
        if wanted != found:
            self.differences.append(f"{what}: expected {wanted}, found {found}")
            self.line("!", Text(self.differences[-1], style="bold red"))


def _reason(reason: Mapping[str, Any]) -> str:
    rule = f" [{reason['rule']}]" if reason.get("rule") else ""
    return f"{reason['message']}{rule}"


def _shown(name: str, value: Any) -> str:
    if name in _LONG and isinstance(value, str) and len(value) > 12:
        return f'"{value[:4]}…{value[-4:]}"'
    return json.dumps(value, ensure_ascii=False)
