"""The text of a condition as one piece, put together from the keys that say it, with its named conditions filled in.

The rule it keeps: a finding is placed where its words are written, whichever key or file that is.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tillgate.guards.policy.diagnostics import Findings, Place
from tillgate.guards.policy.expression import Span
from tillgate.guards.policy.lexer import SyntaxProblem
from tillgate.guards.policy.locate import locate
from tillgate.guards.policy.parser import check_depth
from tillgate.guards.policy.syntax import QUANTIFIERS, Call, Name, Select, Syntax, children, with_parts
from tillgate.guards.policy.yaml import Scalar

MAX_PARTS = 10_000
"""Parts of one condition with its named conditions filled in: they could double it at every step."""


class Piece(Struct, frozen=True):
    """A part of a condition, with what goes `before` and `after` it, and the scalar it is written in."""

    node: Scalar
    before: str = "("
    after: str = ")"
    says: str | None = None

    @property
    def text(self) -> str:
        """The part's own words: those of the scalar where it does not stand for others."""
        return self.node.text if self.says is None else self.says


class Written(Struct, frozen=True):
    """A condition's text: where each part begins, where its own words start, and where those stand in the file."""

    text: str
    begins: tuple[int, ...]
    starts: tuple[int, ...]
    nodes: tuple[Scalar, ...]

    def place(self, span: Span, findings: Findings) -> Place:
        """Where a stretch of the text is written; clipped to the scalar it begins in."""
        at = max((at for at, begin in enumerate(self.begins) if begin <= span.start), default=0)
        node, start = self.nodes[at], self.starts[at]
        end = min(span.end - start, len(node.text))
        return locate(node, max(0, min(span.start - start, len(node.text))), end, findings.lines(node.place.file))


def written(pieces: tuple[Piece, ...]) -> Written:
    """The pieces as one condition that holds when all of them do."""
    if len(pieces) == 1 and pieces[0].before == "(":
        return Written(pieces[0].text, (0,), (0,), (pieces[0].node,))
    text, begins, starts = "", list[int](), list[int]()
    for piece in pieces:
        text += " && " if text else ""
        begins.append(len(text))
        text += piece.before
        starts.append(len(text))
        text += piece.text + piece.after
    return Written(text, tuple(begins), tuple(starts), tuple(piece.node for piece in pieces))


def filled_in(syntax: Syntax, named: Mapping[str, Syntax]) -> Syntax:
    """The syntax with named conditions in the place of their names. Raises SyntaxProblem when that grows too large."""
    if _size(syntax) + sum(_size(named[use.name]) for use in _uses(syntax) if use.name in named) > MAX_PARTS:
        raise SyntaxProblem("P021", f"a condition has at most {MAX_PARTS} parts", syntax.span, "use fewer names in it")
    whole = _filled(syntax, named, frozenset())
    check_depth(whole)
    return whole


def _size(node: Syntax) -> int:
    return 1 + sum(map(_size, children(node)))


def _uses(node: Syntax) -> Iterator[Name]:
    if isinstance(node, Name):
        yield node
    for child in children(node):
        yield from _uses(child)


def _filled(node: Syntax, named: Mapping[str, Syntax], bound: frozenset[str]) -> Syntax:
    if isinstance(node, Name):
        found = named.get(node.name) if node.name not in bound else None
        return _at(found, node.span) if found else node
    if isinstance(node, Select):
        return node  # a fact's path: a named condition has no members
    if isinstance(node, Call) and node.name in QUANTIFIERS and node.arguments and isinstance(node.arguments[0], Name):
        variable, *bodies = node.arguments
        inner = bound | {node.arguments[0].name}
        return replace(node, arguments=(variable, *(_filled(body, named, inner) for body in bodies)))
    return with_parts(node, lambda part: _filled(part, named, bound))


def _at(node: Syntax, span: Span) -> Syntax:
    """The syntax as if every part of it stood where its name does."""
    moved = with_parts(node, lambda part: _at(part, span))
    if isinstance(moved, Select):
        return replace(moved, span=span, member_span=span)
    return replace(moved, span=span, name_span=span) if isinstance(moved, Call) else replace(moved, span=span)
