"""Finds where the parts of a policy are written: sections, what has a name in them, and conditions operand by operand.

The rule it keeps: a place points at the words themselves, in whichever file and through whichever names they come to
the rule.
"""

from collections.abc import Iterator

from msgspec import Struct

from tillgate.guards.policy.diagnostics import Findings
from tillgate.guards.policy.expression import Span
from tillgate.guards.policy.files import unpacked
from tillgate.guards.policy.locate import locate
from tillgate.guards.policy.parser import parse
from tillgate.guards.policy.syntax import Call, Logic, Name, Negation, Syntax, Ternary
from tillgate.guards.policy.types import Condition, Policy
from tillgate.guards.policy.yaml import Mapping as MappingNode
from tillgate.guards.policy.yaml import Node, Scalar, Sequence, read_yaml

Way = tuple[int, ...]
"""The way from a condition down to one of its operands: the index of the part at each step."""

_BEFORE = {"when": "(", "unless": "!(", "until": "now < "}


class Spot(Struct, frozen=True):
    """Words of a policy and where they stand; line and column count from 1."""

    words: str
    source: str
    line: int
    column: int

    @property
    def place(self) -> str:
        """`file:line:column`."""
        return f"{self.source}:{self.line}:{self.column}"


class _Text(Struct, frozen=True):
    """The text of a condition, where each part of it begins and its own words start, and the scalars they are in."""

    text: str
    begins: tuple[int, ...]
    starts: tuple[int, ...]
    nodes: tuple[Scalar, ...]


class Places:
    """The places of one policy, read again from the text it was loaded from (packed, where it names other files)."""

    def __init__(self, policy: Policy, text: str) -> None:
        files = unpacked(text)
        self._findings = Findings(policy.source, files.text)
        roots = [read_yaml(files.text, self._findings)]
        for name in _texts(_section(roots[0], "include")):
            if name in files.others:
                number = self._findings.add_file(name, files.others[name])
                roots.append(read_yaml(files.others[name], self._findings, number))
        self._owners: dict[tuple[str, str], MappingNode] = {}
        self._keys: dict[tuple[str, str], Scalar] = {}
        self._named: dict[str, tuple[_Text, Syntax]] = {}
        for root in roots:
            self._collect(root)
        self._read: dict[tuple[str, str], tuple[_Text, Syntax]] = {}

    def _collect(self, root: Node | None) -> None:
        sections = {
            "rule": _section(root, "rules"),
            "factor": _section(_section(root, "risk"), "factors"),
            "budget": _section(root, "budgets"),
        }
        for kind, section in sections.items():
            for item in section.items if isinstance(section, Sequence) else ():
                if isinstance(item, MappingNode) and isinstance(name := item.values.get("id"), Scalar):
                    self._owners[kind, name.text] = item
        for kind, named in (("", root), ("queue", _section(root, "queues")), ("view", _section(root, "context"))):
            for each, key in named.keys.items() if isinstance(named, MappingNode) else ():
                self._keys.setdefault((kind, each), key)
        lets = _section(root, "let")
        for let, body in lets.values.items() if isinstance(lets, MappingNode) else ():
            if isinstance(body, Scalar):
                self._named[let] = _Text(body.text, (0,), (0,), (body,)), parse(body.text)

    def owner(self, kind: str, name: str) -> Spot:
        """Where the id of a rule, factor or budget stands."""
        node = self._owners[kind, name].values["id"]
        return self._spot(name, node, 0, len(name))

    def named(self, kind: str, name: str) -> Spot:
        """Where the name of a rule, factor, budget, queue or view stands; with no kind, where a section begins.

        What is nowhere in the files is said of their beginning.
        """
        if (kind, name) in self._owners:
            return self.owner(kind, name)
        key = self._keys.get((kind, name)) or next(iter(self._keys.values()))
        return self._spot(name, key, 0, len(name))

    def operand(self, kind: str, name: str, condition: Condition, way: Way) -> Spot:
        """Where an operand of a rule's or factor's condition stands; in a named condition, where that is written."""
        if (kind, name) not in self._read:
            text = _text(self._owners[kind, name], condition.text)
            self._read[kind, name] = text, parse(text.text)
        text, node = self._read[kind, name]
        for step in way:
            while isinstance(node, Name) and node.name in self._named:
                text, node = self._named[node.name]
            node = _part(node, step)
        return self._of(text, node.span)

    def _of(self, text: _Text, span: Span) -> Spot:
        at = max(at for at, begin in enumerate(text.begins) if begin <= span.start)
        node, start = text.nodes[at], text.starts[at]
        words = " ".join(_closed(text.text, span).split())
        return self._spot(words, node, max(0, span.start - start), max(0, span.end - start))

    def _spot(self, words: str, node: Node, start: int, end: int) -> Spot:
        source, lines = self._findings.files[node.place.file]
        place = node.place
        if isinstance(node, Scalar):
            place = locate(node, min(start, len(node.text)), min(end, len(node.text)), lines)
        return Spot(words, source, place.line + 1, place.column + 1)


def _text(owner: MappingNode, whole: str) -> _Text:
    """The condition of a rule as it was put together from its keys; `whole` is the text it was given."""
    keys = [key for key in _BEFORE if isinstance(owner.values.get(key), Scalar)]
    nodes = tuple(node for key in keys if isinstance(node := owner.values[key], Scalar))
    if keys == ["when"]:
        return _Text(whole, (0,), (0,), nodes)
    begins: list[int] = []
    starts: list[int] = []
    end = 0
    for key, node in zip(keys, nodes, strict=True):
        begins.append(end)
        starts.append(end + len(_BEFORE[key]))
        end = starts[-1] + len(node.text) + len(") && ")
    return _Text(whole, tuple(begins), tuple(starts), nodes)


def _closed(text: str, span: Span) -> str:
    """The words of a span, with the brackets it opens but leaves to what is around it."""
    end = span.end
    while text.count("(", span.start, end) > text.count(")", span.start, end) and end < len(text):
        end += 1
    return text[span.start : end]


def _part(node: Syntax, step: int) -> Syntax:
    """The part of a condition at a step of the way; the checked form has the same shape."""
    match node:
        case Logic(items=items):
            return items[step]
        case Negation(operand=operand):
            return operand
        case Ternary(test=test, then=then, other=other):
            return (test, then, other)[step]
        case Call(arguments=(_, body)):
            return body
        case _:
            raise ValueError(f"a condition has no part {step} here")


def _section(node: Node | None, name: str) -> Node | None:
    return node.values.get(name) if isinstance(node, MappingNode) else None


def _texts(node: Node | None) -> Iterator[str]:
    for item in node.items if isinstance(node, Sequence) else ():
        if isinstance(item, Scalar):
            yield item.text
