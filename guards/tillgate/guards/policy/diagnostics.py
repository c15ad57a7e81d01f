"""What is wrong with a policy file and where, in words an operator can act on.

Findings are collected over the whole file and shown together, sorted by place: nobody mends a file one error at a time.
"""

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from difflib import get_close_matches
from typing import Literal, TypeAlias

from msgspec import Struct

from tillgate.guards.errors import ConfigurationError

Severity: TypeAlias = Literal["error", "warning"]


class Diagnostic(Struct, frozen=True):
    """One finding. `line` and `column` count from 1; `span` is the length of the carets under `excerpt`."""

    code: str
    message: str
    source: str
    line: int
    column: int
    excerpt: str = ""
    span: int = 1
    hint: str | None = None
    severity: Severity = "error"

    @property
    def place(self) -> str:
        """`file:line:column`, as editors understand it."""
        return f"{self.source}:{self.line}:{self.column}"

    @property
    def link(self) -> str:
        """Where the code is explained."""
        return f"docs/diagnostics.md#{self.code.lower()}"

    def __str__(self) -> str:
        """The place, code and message; the line of the file; carets under what is meant, and a mend; the link."""
        warning = "warning: " if self.severity == "warning" else ""
        head = f"{self.place}  {self.code}  {warning}{self.message}"
        number = f"{self.line:>4}"
        help_text = f" help: {self.hint}" if self.hint else ""
        marker = " " * (self.column - 1) + "^" * max(1, self.span) + help_text
        margin = " " * len(number)
        return f"{head}\n{number} | {self.excerpt}\n{margin} | {marker}\n{margin} = {self.link}"


class PolicyError(ConfigurationError):
    """A policy file was refused whole. `diagnostics` holds every finding, sorted by place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__("\n".join(str(found) for found in self.diagnostics))


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings sorted by file and place, each said once."""
    return tuple(dict.fromkeys(sorted(diagnostics, key=lambda d: (d.source, d.line, d.column, d.code, d.message))))


class Place(Struct, frozen=True):
    """A stretch of one line of a file. Line and column count from 0; file 0 is the main one."""

    line: int
    column: int
    span: int = 1
    file: int = 0


@dataclass(slots=True)
class Findings:
    """Collects diagnostics against the main file and those it includes; the only mutable thing of a load."""

    source: str
    text: InitVar[str]
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    files: list[tuple[str, list[str]]] = field(default_factory=list[tuple[str, list[str]]])

    def __post_init__(self, text: str) -> None:
        self.add_file(self.source, text)

    def add_file(self, source: str, text: str) -> int:
        """One more file that findings can point into; its number is what its places carry."""
        self.files.append((source, text.replace("\r\n", "\n").replace("\r", "\n").split("\n")))
        return len(self.files) - 1

    def lines(self, file: int) -> list[str]:
        """The lines of a file, without their ends."""
        return self.files[file][1]

    def error(self, code: str, message: str, place: Place, hint: str | None = None) -> None:
        """Record an error: the file will be refused."""
        self._add(code, message, place, hint, "error")

    def warning(self, code: str, message: str, place: Place, hint: str | None = None) -> None:
        """Record a warning: the file loads, and `policy check` shows it."""
        self._add(code, message, place, hint, "warning")

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The errors so far, in order of place."""
        return in_order(found for found in self.found if found.severity == "error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings so far, in order of place."""
        return in_order(found for found in self.found if found.severity == "warning")

    def _add(self, code: str, message: str, place: Place, hint: str | None, severity: Severity) -> None:
        # The parser counts one line more when the file ends in the middle of something.
        source, lines = self.files[place.file]
        line = min(place.line, len(lines) - 1)
        excerpt = lines[line]
        column = min(place.column, len(excerpt)) if line == place.line else len(excerpt)
        span = max(1, min(place.span, len(excerpt) - column))
        self.found.append(Diagnostic(code, message, source, line + 1, column + 1, excerpt, span, hint, severity))


def did_you_mean(name: str, known: Iterable[str], *, show: int = 8) -> str | None:
    """`did you mean `x`? known: …`, or only what is known when nothing is close; None when nothing is known."""
    names = list(dict.fromkeys(known))
    close = get_close_matches(name, names, n=1, cutoff=0.6) or [n for n in names if n.lower() == name.lower()]
    listing = ", ".join(names[:show]) + (", …" if len(names) > show else "")
    parts = [f"did you mean `{close[0]}`?"] if close else []
    return " ".join([*parts, f"known: {listing}"]) if names else None
