"""A policy and the files it names, carried as one text: what is hashed, stored and served is always the whole of it.

The rule it keeps: a policy reads files beside and beneath itself only, and only when it is opened; a packed policy
reads none.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import cast

from msgspec import Struct, field

from tillgate.guards.policy.diagnostics import Findings
from tillgate.guards.policy.yaml import MAX_BYTES, Node, Scalar, Sequence, read_yaml
from tillgate.guards.policy.yaml import Mapping as MappingNode

MARK = "# A tillgate policy with the files it includes.\n"
"""The first line of a packed policy; the rest is JSON."""


class Files(Struct, frozen=True):
    """The main file's text, and the texts of the files it names by the names it uses."""

    text: str
    others: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def packed(self) -> str:
        """One text that `unpacked` reads back; a policy that names no file is its own text."""
        if not self.others:
            return self.text
        return MARK + json.dumps({"policy": self.text, "files": dict(sorted(self.others.items()))}, ensure_ascii=False)


def unpacked(text: str) -> Files:
    """What `Files.packed` gave. Raises ValueError when a packed policy is damaged."""
    if not text.startswith(MARK):
        return Files(text)
    content = json.loads(text[len(MARK) :])
    main, others = content["policy"], content["files"]
    if not isinstance(main, str) or not isinstance(others, dict):
        raise TypeError("a packed policy holds a text and files")
    return Files(main, MappingProxyType(dict(cast("dict[str, str]", others))))


def gathered(text: str, folder: Path) -> Files:
    """The policy in `text` with the files it names, read from beneath `folder`; what cannot be read is left out.

    The load says at its place what is missing, so this never fails.
    """
    others: dict[str, str] = {}
    whole = _sections(text)
    for name in _included(whole):
        _read(name, folder, others)
    for sections in (whole, *map(_sections, tuple(others.values()))):
        for name in _listed(sections):
            _read(name, folder, others)
    return Files(text, MappingProxyType(others))


def is_beneath(name: str) -> bool:
    """Whether a name stays beneath the policy's folder."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


def _read(name: str, folder: Path, others: dict[str, str]) -> None:
    if not is_beneath(name):
        return
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return
    try:
        with path.open("rb") as file:
            others[name] = file.read(MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return  # the load says so where the file is named


def _included(sections: Mapping[str, Node]) -> Iterator[str]:
    include = sections.get("include")
    for item in include.items if isinstance(include, Sequence) else ():
        if isinstance(item, Scalar):
            yield item.text


def _listed(sections: Mapping[str, Node]) -> Iterator[str]:
    lists = sections.get("lists")
    for body in lists.values.values() if isinstance(lists, MappingNode) else ():
        file = body.values.get("file") if isinstance(body, MappingNode) else None
        if isinstance(file, Scalar):
            yield file.text


def _sections(text: str) -> Mapping[str, Node]:
    root = read_yaml(text, Findings("", text))
    return root.values if isinstance(root, MappingNode) else {}
