"""Reads YAML nodes as the shapes a policy is made of, and says at the node what is wrong when it is another shape.

Every reader returns None after a finding, so that a load goes on and the operator sees all findings at once.
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingABC

from tillgate.guards.money import Currency
from tillgate.guards.policy.diagnostics import Findings, Place, did_you_mean
from tillgate.guards.policy.yaml import Mapping, Node, Scalar, Sequence, Unclear, Value, value_of

_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?=[0-9])(?:([0-9]{1,5})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,7})m)?(?:([0-9]{1,9})s)?")
_LONGEST = 3660 * 86_400

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Shape:
    """Readers that report to one collection of findings."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def error(self, code: str, message: str, place: Place, hint: str | None = None) -> None:
        """Record a finding at a place."""
        self.findings.error(code, message, place, hint)

    def where(self, node: Node) -> tuple[str, int]:
        """The file and line of a node, for people."""
        return self.findings.files[node.place.file][0], node.place.line + 1

    def mapping(
        self, node: Node, what: str, required: Iterable[str], optional: Iterable[str] = ()
    ) -> MappingABC[str, Node]:
        """The values of the keys that are known; unknown and missing keys are reported."""
        required, optional = tuple(required), tuple(optional)
        found = self.any_mapping(node, what)
        if found is None:
            return {}
        known = (*required, *optional)
        for name, key in found.keys.items():
            if name not in known:
                hint = did_you_mean(name, known, show=20)
                self.error("P008", f"unknown key `{name}` in {what}", key.place, hint)
        for name in required:
            if name not in found.values:
                self.error("P009", f"{what} has no `{name}`", found.place, f"add `{name}: …`")
        return {name: value for name, value in found.values.items() if name in known}

    def any_mapping(self, node: Node, what: str) -> Mapping | None:
        """A mapping with any keys."""
        if isinstance(node, Mapping):
            return node
        self._wrong(node, what, "a mapping")
        return None

    def items(self, node: Node, what: str, *, empty: bool = False) -> tuple[Node, ...]:
        """The items of a list; an empty one is an error unless `empty`."""
        if not isinstance(node, Sequence):
            self._wrong(node, what, "a list")
            return ()
        if not node.items and not empty:
            self.error("P010", f"{what} is an empty list", node.place, "name at least one, or leave the key out")
        return node.items

    def text(self, node: Node, what: str, *, longest: int = 500) -> str | None:
        """Text, not blank and not too long."""
        if not isinstance(node, Scalar):
            self._wrong(node, what, "text")
            return None
        value = value_of(node)
        if not isinstance(value, str):
            self._wrong(node, what, "text")
            return None
        if not value.strip() or len(value) > longest:
            why = "is blank" if not value.strip() else f"is longer than {longest} characters"
            self.error("P010", f"{what} {why}", node.place)
            return None
        return value

    def named(self, node: Node, what: str, pattern: re.Pattern[str] = ID) -> str | None:
        """An identifier."""
        value = self.text(node, what)
        if value is None or pattern.fullmatch(value):
            return value
        letters = "a-z, 0-9 and _, first a letter" if pattern is WORD else "a-z, 0-9, `.`, `_` and `-`"
        self.error("P011", f"{what} must be made of {letters}", node.place)
        return None

    def integer(self, node: Node, what: str, low: int, high: int) -> int | None:
        """A whole number within a range."""
        value = value_of(node) if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(node, what, "a whole number")
            return None
        if not low <= value <= high:
            self.error("P011", f"{what} must be from {low} to {high}", node.place)
            return None
        return value

    def choice(self, node: Node, what: str, values: Iterable[str]) -> str | None:
        """One of a closed list of words."""
        value = self.text(node, what)
        known = tuple(values)
        if value is None or value in known:
            return value
        self.error("P011", f"'{value}' is not {what}", node.place, did_you_mean(value, known, show=20))
        return None

    def duration(self, node: Node, what: str) -> int | None:
        """Seconds of `30d`, `24h`, `10m`, `90s` or a combination in that order."""
        value = self.text(node, what)
        if value is None:
            return None
        match = _DURATION.fullmatch(value)
        total = 0
        if match:
            total = sum(int(n or 0) * s for n, s in zip(match.groups(), _SECONDS.values(), strict=True))
        if not 0 < total <= _LONGEST:
            hint = "write days, hours, minutes or seconds: 30d, 24h, 10m, 90s"
            self.error("P035", f"{what} is not a duration: '{value}'", node.place, hint)
            return None
        return total

    def amount(self, node: Node, what: str, currency: Currency) -> int | None:
        """Minor units of an amount written as text."""
        value = value_of(node) if isinstance(node, Scalar) else None
        if isinstance(value, (Unclear, int)) and not isinstance(value, bool) and isinstance(node, Scalar):
            hint = f'quote it: "{node.text}"'
            self.error("P036", f"{what} is a number, not text", node.place, hint)
            return None
        text = self.text(node, what)
        if text is None:
            return None
        try:
            return currency.parse(text)
        except ValueError as error:
            self.error("P036", f"{what}: {error}", node.place)
            return None

    def _wrong(self, node: Node, what: str, wanted: str) -> None:
        hint = None
        if wanted == "text" and isinstance(node, Scalar) and node.text:
            hint = f'quote it if text is meant: "{node.text}"'
        self.error("P010", f"{what} must be {wanted}, not {_kind(node)}", node.place, hint)


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return _scalar_kind(value_of(node))
    return "a list" if isinstance(node, Sequence) else "a mapping"


def _scalar_kind(value: Value) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int):
        return "a number"
    return f"{value.text}, which YAML reads as something else" if isinstance(value, Unclear) else "text"
