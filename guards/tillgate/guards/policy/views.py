"""Reads `context`: which fields of an answer leave at which level, and how sensitive ones are masked.

A field that is not listed never leaves, so an unknown path is only a warning; a malformed one is an error.
"""

import re
from collections.abc import Mapping as MappingABC
from types import MappingProxyType
from typing import cast, get_args

from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Assurance
from tillgate.guards.policy.diagnostics import did_you_mean
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.types import MaskKind, View
from tillgate.guards.policy.yaml import Node

_LEVELS = {level.name.lower(): level for level in Assurance}
_PART = r"[a-zA-Z_][a-zA-Z0-9_]*(?:\[\])?"
_PATH = re.compile(rf"{_PART}(?:\.{_PART})*")
_MASKED = re.compile(rf"(?:\*|{_PART})(?:\.(?:\*|{_PART}))*")
_PATH_HINT = "write a, a.b, a[].b, or *level for all paths of a lower level"


class Views:
    """Reads views and masks."""

    def __init__(self, shape: Shape, surfaces: MappingABC[str, ToolSurface]) -> None:
        self._shape = shape
        self._surfaces = surfaces

    def read(self, node: Node) -> tuple[tuple[View, ...], tuple[tuple[str, MaskKind], ...]]:
        """`context:` as views by tool, and masks in the order of the file."""
        section = self._shape.any_mapping(node, "context")
        views: list[View] = []
        masks: tuple[tuple[str, MaskKind], ...] = ()
        for name, body in section.values.items() if section else ():
            if name == "mask":
                masks = self._masks(body)
            elif name in self._surfaces:
                views.append(self._view(name, body))
            elif section:
                hint = did_you_mean(name, [*self._surfaces, "mask"])
                self._shape.error("P031", f"unknown tool `{name}`", section.keys[name].place, hint)
        return tuple(views), masks

    def _masks(self, node: Node) -> tuple[tuple[str, MaskKind], ...]:
        section = self._shape.any_mapping(node, "mask")
        masks: list[tuple[str, MaskKind]] = []
        for pattern, value in section.values.items() if section else ():
            if section and not _MASKED.fullmatch(pattern):
                self._shape.error("P038", f"`{pattern}` is not a path", section.keys[pattern].place, "like *.email")
            kind = self._shape.choice(value, "a mask", get_args(MaskKind))
            if kind is not None:
                masks.append((pattern, cast(MaskKind, kind)))
        return tuple(masks)

    def _view(self, tool: str, node: Node) -> View:
        section = self._shape.any_mapping(node, f"the view of {tool}")
        written: dict[str, list[tuple[str, Node]]] = {}
        for level, body in section.values.items() if section else ():
            if section and level not in _LEVELS:
                hint = did_you_mean(level, _LEVELS)
                self._shape.error("P011", f"'{level}' is not a level", section.keys[level].place, hint)
                continue
            items = self._shape.items(body, f"the view of {tool}", empty=True)
            texts = [(self._shape.text(item, "a path"), item) for item in items]
            written[level] = [(text, item) for text, item in texts if text is not None]
        levels = {_LEVELS[level]: self._expand(tool, level, written) for level in written}
        return View(tool, MappingProxyType(levels))

    def _expand(self, tool: str, level: str, written: MappingABC[str, list[tuple[str, Node]]]) -> tuple[str, ...]:
        """The paths of a level; `*lower` brings in the paths of a lower level, so that no chain can be circular."""
        paths: list[str] = []
        for text, item in written[level]:
            if not text.startswith("*"):
                self._check(tool, text, item)
                paths.append(text)
                continue
            lower = text[1:]
            if lower in written and _LEVELS[lower] < _LEVELS[level]:
                paths.extend(self._expand_quietly(lower, written))
            else:
                known = [f"*{each}" for each in written if _LEVELS[each] < _LEVELS[level]]
                message = f"`{text}` is not a lower level with a view of `{tool}`"
                self._shape.error("P038", message, item.place, did_you_mean(text, known))
        return tuple(dict.fromkeys(paths))

    def _expand_quietly(self, level: str, written: MappingABC[str, list[tuple[str, Node]]]) -> list[str]:
        paths: list[str] = []
        for text, _ in written[level]:
            lower = text[1:]
            if not text.startswith("*"):
                paths.append(text)
            elif lower in written and _LEVELS[lower] < _LEVELS[level]:
                paths.extend(self._expand_quietly(lower, written))
        return paths

    def _check(self, tool: str, path: str, item: Node) -> None:
        if not _PATH.fullmatch(path):
            self._shape.error("P038", f"`{path}` is not a path", item.place, _PATH_HINT)
            return
        results = self._surfaces[tool].results
        if results and not any(_covers(path, result) for result in results):
            hint = did_you_mean(path, sorted(results))
            message = f"`{tool}` answers nothing at `{path}`"
            self._shape.findings.warning("P103", message, item.place, hint)


def _covers(path: str, result: str) -> bool:
    """Whether a path names a result or something that contains it."""
    return result == path or result.startswith((f"{path}.", f"{path}[]"))
