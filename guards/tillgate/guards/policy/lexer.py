"""Splits a condition into tokens and refuses, by name, the parts of CEL that Tillgate does not speak."""

import re
from typing import Literal, TypeAlias

from msgspec import Struct

from tillgate.guards.policy.expression import Span

MAX_LENGTH = 2000
"""Characters of one condition."""

INT64 = 2**63
"""CEL whole numbers are 64 bits wide; literals beyond that are refused."""

TokenKind: TypeAlias = Literal["name", "int", "string", "op", "end"]


class Token(Struct, frozen=True):
    """One word of a condition. `text` of a string is its value, without quotes and escapes."""

    kind: TokenKind
    text: str
    span: Span


class SyntaxProblem(Exception):
    """A condition cannot be read; carries the finding for the caller to place in the file."""

    def __init__(self, code: str, message: str, span: Span, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.hint = hint


_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r\n\f]+)
      | (?P<comment>//[^\n]*)
      | (?P<float>[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+)
      | (?P<odd>0[xX][0-9a-fA-F]+[uU]?|[0-9]+[uU]\b)
      | (?P<int>[0-9]+)
      | (?P<prefixed>(?:[rR][bB]?|[bB][rR]?)(?=["']))
      | (?P<triple>\"\"\"|''')
      | (?P<quote>["'])
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<op>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])""",
    re.VERBOSE,
)

_UNSUPPORTED = {
    "comment": ("comments inside a condition", "put the comment on a line of its own, as YAML"),
    "float": ("numbers with a fraction", "amounts are written money('25.00'); everything else is whole"),
    "odd": ("hexadecimal and unsigned numbers", "write a plain whole number"),
    "prefixed": ("raw and byte strings", "write a plain string"),
    "triple": ("triple-quoted strings", "write a plain string"),
}

_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_CODE_ESCAPE = re.compile(r"\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))")


_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that take no ink and yet count as letters, marks or symbols."""


def unseen(text: str) -> str | None:
    """The first character that nobody can see or tell from a blank, as `U+00A0`; None when there is none."""
    found = (char for char in text if not char.isprintable() or char in _UNSEEN)
    return next((f"U+{ord(char):04X}" for char in found), None)


def tokens(text: str) -> list[Token]:
    """The tokens of a condition, closed by an `end`. Raises SyntaxProblem."""
    if len(text) > MAX_LENGTH:
        span = Span(MAX_LENGTH, len(text))
        hint = "split it into several rules"
        raise SyntaxProblem("P021", f"a condition has at most {MAX_LENGTH} characters", span, hint)
    found: list[Token] = []
    at = 0
    while at < len(text):
        token, at = _next(text, at)
        if token is not None:
            found.append(token)
    found.append(Token("end", "", Span(len(text), len(text))))
    return found


def _next(text: str, at: int) -> tuple[Token | None, int]:
    match = _TOKEN.match(text, at)
    if match is None:
        raise _unreadable(text, at)
    kind, end = match.lastgroup, match.end()
    if kind == "blank":
        return None, end
    if kind == "quote":
        return _string(text, at)
    if kind in _UNSUPPORTED:
        what, hint = _UNSUPPORTED[kind]
        raise SyntaxProblem("P019", f"{what} are not part of the policy language", Span(at, end), hint)
    if kind == "name":
        return Token("name", match.group(), Span(at, end)), end
    if kind == "int":
        return Token("int", match.group(), Span(at, end)), end
    return Token("op", match.group(), Span(at, end)), end


def _unreadable(text: str, at: int) -> SyntaxProblem:
    hint = {"=": "compare with `==`", "&": "write `&&`", "|": "write `||`"}.get(text[at])
    return SyntaxProblem("P020", f"unexpected character {text[at]!r}", Span(at, at + 1), hint)


def _string(text: str, start: int) -> tuple[Token, int]:
    quote = text[start]
    chars: list[str] = []
    at = start + 1
    while at < len(text) and text[at] not in (quote, "\n", "\r"):
        if text[at] == "\\":
            char, at = _escape(text, at)
            chars.append(char)
        elif name := unseen(text[at]):
            hint = "remove it, or write an escape of the condition: `\\u` and four digits"
            raise SyntaxProblem("P006", f"an invisible character, {name}", Span(at, at + 1), hint)
        else:
            chars.append(text[at])
            at += 1
    if at >= len(text) or text[at] != quote:
        raise SyntaxProblem("P020", "this string does not end", Span(start, at), f"close it with {quote}")
    return Token("string", "".join(chars), Span(start, at + 1)), at + 1


def _escape(text: str, at: int) -> tuple[str, int]:
    match = _CODE_ESCAPE.match(text, at)
    if match is not None:
        digits = next(group for group in match.groups() if group is not None)
        code = int(digits, 8 if match.group(4) else 16)
        # CEL strings are Unicode scalar values: no surrogates, nothing beyond the last plane.
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise SyntaxProblem("P020", "this escape is not a character", Span(at, match.end()))
        return chr(code), match.end()
    simple = _SIMPLE_ESCAPES.get(text[at + 1 : at + 2])
    if simple is None:
        raise SyntaxProblem("P020", "unknown escape", Span(at, min(at + 2, len(text))), "write `\\\\` for a backslash")
    return simple, at + 2
