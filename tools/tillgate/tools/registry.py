"""The whole surface, collected once: every tool that stands in a module of this package."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import tillgate.tools
from tillgate.tools.spec import Tool


def tools() -> tuple[Tool[Any], ...]:
    """Every tool, by name. Raises ValueError when two have the same name."""
    found = sorted((tool for module in _modules() for tool in _tools_of(module)), key=lambda tool: tool.name)
    names = [tool.name for tool in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two tools have the same name: {', '.join(twice)}")
    return tuple(found)


def _modules() -> Iterator[ModuleType]:
    for module in pkgutil.iter_modules(tillgate.tools.__path__, "tillgate.tools."):
        if not module.ispkg:
            yield import_module(module.name)


def _tools_of(module: ModuleType) -> Iterator[Tool[Any]]:
    for item in vars(module).values():
        own = getattr(item, "__module__", None) == module.__name__
        if own and isinstance(item, type) and issubclass(item, Tool) and item is not Tool:
            yield item()
