"""A strict reading of YAML 1.2: every node keeps its place, and nothing is converted silently.

libyaml only splits the text into events; what they mean is decided here. Duplicate keys, anchors, aliases, merge keys,
tags, several documents, tabs and invisible characters are refused, because each lets a file mean something other than
what its reader sees.
"""

import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import yaml
from msgspec import Struct

from tillgate.guards.policy.diagnostics import Findings, Place

MAX_BYTES = 1_048_576
MAX_DEPTH = 24

Event: TypeAlias = Any
"""An event of PyYAML, which libyaml's parser leaves untyped."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INVISIBLE = re.compile("[\t\x85\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_NULL = re.compile(r"null|~|")
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NOT_TEXT = re.compile(
    r"Null|NULL|True|TRUE|False|FALSE|[-+]?[0-9][0-9_]*|0o[0-7_]+|0x[0-9a-fA-F_]+"
    r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


class Scalar(Struct, frozen=True):
    """Text with its style: plain (`None`), `'`, `"`, `|` or `>`; lines and columns count from 0."""

    text: str
    style: str | None
    place: Place
    end: tuple[int, int]


class Sequence(Struct, frozen=True):
    """An ordered list of nodes."""

    items: tuple["Node", ...]
    place: Place


class Mapping(Struct, frozen=True):
    """Keys, each once, with their values; `keys` keeps the place of every key."""

    values: dict[str, "Node"]
    keys: dict[str, Scalar]
    place: Place


Node: TypeAlias = Scalar | Sequence | Mapping


class Unclear(Struct, frozen=True):
    """A plain scalar that YAML 1.2 reads as something a policy has no use for: a float, `0x1F`, `True`."""

    text: str


Value: TypeAlias = bool | int | str | Unclear | None


def value_of(node: Scalar) -> Value:
    """What a scalar says: null, true, false and whole numbers when plain; everything else is text or `Unclear`."""
    if node.style is not None:
        return node.text
    if _NULL.fullmatch(node.text):
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    if _INT.fullmatch(node.text):
        return int(node.text)
    return Unclear(node.text) if _NOT_TEXT.fullmatch(node.text) else node.text


def read_yaml(text: str, findings: Findings, file: int = 0) -> Node | None:
    """The one document of a text, or None after saying why not; `file` is the number its places carry."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        findings.error("P007", f"the file is larger than {MAX_BYTES} bytes", Place(0, 0, file=file))
        return None
    if not visible(findings, file):
        return None
    try:
        return _Reader(text, findings, file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line, mark.column, file=file) if mark else Place(0, 0, file=file)
        findings.error("P001", f"this is not YAML: {error.problem or error.context}", place)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        findings.error("P001", f"this is not YAML: {str(error).splitlines()[0]}", Place(0, 0, file=file))
    except _Refused:
        pass
    return None


def visible(findings: Findings, file: int) -> bool:
    """Whether a file holds nothing that its reader cannot see; what there is, is a finding."""
    clean = True
    for number, line in enumerate(findings.lines(file)):
        for match in _INVISIBLE.finditer(line):
            clean = False
            place = Place(number, match.start(), file=file)
            if match.group() == "\t":
                hint = 'indent with spaces; inside text write "\\t" in double quotes'
                findings.error("P006", "a tab", place, hint)
            else:
                name = f"U+{ord(match.group()):04X}"
                message = f"an invisible character, {name}"
                findings.error("P006", message, place, "remove it, or write an escape")
    return clean


class _Refused(Exception):
    """The rest of the file cannot be read; the finding is already recorded."""


class _Reader:
    """Builds nodes from parser events, one document deep."""

    def __init__(self, text: str, findings: Findings, file: int) -> None:
        self._events: Iterator[Event] = iter(yaml.parse(text, Loader=_LOADER))
        self._findings = findings
        self._file = file
        self._depth = 0

    def document(self) -> Node | None:
        """The root of the one document, or None when there is none."""
        next(self._events)  # the stream begins
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self._findings.error(
                "P009", "the file is empty", Place(0, 0, file=self._file), "begin with `policy: <name>`"
            )
            return None
        if start.tags:
            self._findings.error("P004", "%TAG directives are not allowed", self._place(start))
        root = self._node(next(self._events))
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._findings.error("P005", "a second document begins here", self._place(after), "one policy a file")
        return root

    def _node(self, event: Event) -> Node:
        self._refuse_decoration(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._findings.error("P007", f"nested deeper than {MAX_DEPTH} levels", self._place(event))
            raise _Refused
        node = self._sequence(event) if isinstance(event, yaml.SequenceStartEvent) else self._mapping(event)
        self._depth -= 1
        return node

    def _refuse_decoration(self, event: Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            name = f"*{event.anchor}"
            hint = f'quote it if text is meant: "{name}"'
            self._findings.error("P003", f"aliases are not allowed: {name}", self._place(event, len(name)), hint)
            raise _Refused
        if event.anchor is not None:
            span = len(event.anchor) + 1
            self._findings.error("P003", f"anchors are not allowed: &{event.anchor}", self._place(event, span))
        if event.tag is not None:
            self._findings.error("P004", f"tags are not allowed: {event.tag}", self._place(event))

    def _sequence(self, start: Event) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event))
        return Sequence(tuple(items), self._place(start))

    def _mapping(self, start: Event) -> Mapping:
        values: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            value = self._node(next(self._events))
            if key.text in keys:
                first = keys[key.text].place.line + 1
                self._findings.error("P002", f"`{key.text}` is here twice", key.place, f"first on line {first}")
                continue
            keys[key.text], values[key.text] = key, value
        return Mapping(values, keys, self._place(start))

    def _key(self, event: Event) -> Scalar:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse_decoration(event)
            self._findings.error("P010", "a key must be plain text", self._place(event))
            raise _Refused
        self._refuse_decoration(event)
        key = self._scalar(event)
        if key.text == "<<":
            self._findings.error("P003", "merge keys are not allowed", key.place)
        return key

    def _place(self, event: Event, span: int = 1) -> Place:
        return Place(event.start_mark.line, event.start_mark.column, span, self._file)

    def _scalar(self, event: Event) -> Scalar:
        start, end = event.start_mark, event.end_mark
        span = end.column - start.column if end.line == start.line else 1
        style = event.style if event.style in ("'", '"', "|", ">") else None
        place = Place(start.line, start.column, max(1, span), self._file)
        return Scalar(event.value, style, place, (end.line, end.column))
