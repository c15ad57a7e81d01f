"""What is said of a tool to clients, apart from the tool itself."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tillgate.guards.ports import Hints, Tool
from tillgate.guards.scopes import scope_for


class Card(Struct, frozen=True):
    """A tool as it is listed, and the scope a token needs for it."""

    name: str
    description: str
    input_schema: dict[str, Any]
    hints: Hints
    scope: str


def cards_of(tools: Mapping[str, Tool]) -> list[Card]:
    """A card a tool, in the same order."""
    return [
        Card(tool.surface.name, tool.description, tool.input_schema(), tool.hints, scope_for(tool.surface))
        for tool in tools.values()
    ]
