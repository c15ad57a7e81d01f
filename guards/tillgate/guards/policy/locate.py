"""Where a character of a YAML scalar's value stands in the file, whatever its quoting, folding or indentation.

Quoting and folding change only white space and escapes, so value and source are walked side by side: the rule is that
a position never points at another line than the one its character is written on.
"""

from collections.abc import Sequence

from tillgate.guards.policy.diagnostics import Place
from tillgate.guards.policy.yaml import Scalar

_ESCAPE_DIGITS = {"x": 2, "u": 4, "U": 8}
_BLANK = " \t\n"


def locate(node: Scalar, start: int, end: int, lines: Sequence[str]) -> Place:
    """The place of `node.text[start:end]`; the span is clipped to the line it begins on."""
    positions = _positions(node, lines)
    last = len(positions) - 1
    line, column = positions[min(start, last)]
    end_line, end_column = positions[min(max(end - 1, start), last)]
    span = end_column - column + 1 if end_line == line else max(1, len(lines[line]) - column)
    return Place(line, column, span, node.place.file)


def _positions(node: Scalar, lines: Sequence[str]) -> list[tuple[int, int]]:
    """The place of every character of the value, and of its end."""
    cursor = _Cursor(lines, node.place.line, node.place.column)
    if node.style in ("|", ">"):
        cursor.next_line()
    elif node.style is not None:
        cursor.step()
    positions: list[tuple[int, int]] = []
    for char in node.text:
        if char not in _BLANK:
            cursor.skip_blank(escapes=node.style == '"')
        positions.append(cursor.at)
        cursor.consume(char, node.style)
    positions.append(cursor.at)
    return positions


class _Cursor:
    """A place in the file that steps over source characters."""

    def __init__(self, lines: Sequence[str], line: int, column: int) -> None:
        self._lines = lines
        self._line = line
        self._column = column

    @property
    def at(self) -> tuple[int, int]:
        """Where the cursor stands."""
        return self._line, self._column

    def peek(self, ahead: int = 0) -> str:
        """The character here, a line end as `\\n`, the end of the file as an empty text."""
        if self._line >= len(self._lines):
            return ""
        line = self._lines[self._line]
        at = self._column + ahead
        return line[at] if at < len(line) else "\n"

    def next_line(self) -> None:
        """Go to the beginning of the next line."""
        self._line += 1
        self._column = 0

    def step(self) -> None:
        """Go over one character of the source."""
        if self.peek() == "\n":
            self.next_line()
        else:
            self._column += 1

    def skip_blank(self, *, escapes: bool) -> None:
        """Go over white space, and over joined lines where escapes count."""
        while (here := self.peek()) and (here in _BLANK or (escapes and here == "\\" and self.peek(1) == "\n")):
            self.step()

    def consume(self, char: str, style: str | None) -> None:
        """Step over the source of one character of the value."""
        here = self.peek()
        if style == '"' and here == "\\" and self.peek(1) != "\n":
            for _ in range(2 + _ESCAPE_DIGITS.get(self.peek(1), 0)):
                self.step()
        elif style == "'" and char == "'":
            self.step()
            self.step()
        elif char not in _BLANK or (here == char and here):
            self.step()
