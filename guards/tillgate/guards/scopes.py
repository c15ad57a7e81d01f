"""Scopes: what a token lets its client ask for at all. They cap what policy may permit, and permit nothing themselves.

`tools:read` is for tools that look, `tools:write` for tools that change something, `tool:NAME` for that one tool.
"""

from tillgate.guards.facts import ToolSurface

READ, WRITE = "tools:read", "tools:write"


def scope_for(surface: ToolSurface) -> str:
    """The scope that a client needs for this tool, unless it has the tool's own."""
    return READ if surface.effect == "read" else WRITE


def covers(scopes: frozenset[str] | None, surface: ToolSurface) -> bool:
    """Whether these scopes let a client call the tool; None is a client that no token caps."""
    return scopes is None or scope_for(surface) in scopes or f"tool:{surface.name}" in scopes
