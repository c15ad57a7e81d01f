"""The facts of a call as unknowns of the solver: made when a condition first reads them, with all that is surely true
of any valid value.

Texts are whole numbers, one for each text somebody wrote; the others stand for texts nobody did. A list is known by
which of the written values are in it and by how long it is. The rule it keeps: what is required here holds of every
valid fact, so nothing that can happen is ever left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from tillgate.guards.facts import MAX_ITEMS, FactType, Kind
from tillgate.guards.policy.expression import Path, TextTest
from tillgate.guards.solver import Term, Truth, any_of, compared, equivalent, negated, number, truth, weighed

TEXTS = frozenset({Kind.STRING, Kind.ENUM})


@dataclass(eq=False, slots=True)
class Fact:
    """A value that is a number, or a text by its number. `tests` are what conditions ask of the text itself."""

    path: Path
    type: FactType
    term: Term
    tests: dict[tuple[TextTest, str], Term] = field(default_factory=dict[tuple[TextTest, str], Term])
    written: dict[str, int] = field(default_factory=dict[str, int])
    size: Term | None = None


@dataclass(eq=False, slots=True)
class Flag:
    """A fact that is true or false."""

    path: Path
    term: Term


@dataclass(eq=False, slots=True)
class There:
    """Whether an optional fact is known or a group is there."""

    path: Path
    term: Term


@dataclass(eq=False, slots=True)
class Listed:
    """A list: which written values are in it, and how many items it has."""

    path: Path
    element: FactType
    members: dict[str | int, Term] = field(default_factory=dict[str | int, Term])
    size: Term | None = None


@dataclass(eq=False, slots=True)
class Opaque:
    """What the solver is told nothing about: true or false, as it suits the search."""

    text: str
    term: Term


Unknown: TypeAlias = Fact | Flag | There | Listed | Opaque


@dataclass(slots=True)
class Unknowns:
    """Every unknown, by its sort and the name it has for the solver. Tools share them: a search is about one tool."""

    codes: dict[str, int] = field(default_factory=dict[str, int])
    facts: dict[str, Fact] = field(default_factory=dict[str, Fact])
    flags: dict[str, Flag] = field(default_factory=dict[str, Flag])
    theres: dict[str, There] = field(default_factory=dict[str, There])
    lists: dict[str, Listed] = field(default_factory=dict[str, Listed])
    opaques: dict[str, Opaque] = field(default_factory=dict[str, Opaque])

    def code(self, text: str) -> int:
        """The number of a text that somebody wrote."""
        return self.codes.setdefault(text, len(self.codes))

    def fact(self, path: Path, fact: FactType, tag: str = "") -> Fact:
        """A number or a text. `tag` tells apart what is not the same in two calls or under two policies."""
        name = _name(path, fact) + tag
        if name not in self.facts:
            self.facts[name] = Fact(path, fact, number(name))
        return self.facts[name]

    def flag(self, path: Path, tag: str = "") -> Flag:
        """A fact that is true or false."""
        name = ".".join(path) + tag
        if name not in self.flags:
            self.flags[name] = Flag(path, truth(name))
        return self.flags[name]

    def there(self, path: Path, tag: str = "") -> There:
        """Whether an optional fact, or a group, is there."""
        name = f"has({'.'.join(path)}){tag}"
        if name not in self.theres:
            self.theres[name] = There(path, truth(name))
        return self.theres[name]

    def listed(self, path: Path, element: FactType) -> Listed:
        """A list."""
        name = f"{'.'.join(path)} of {element.kind}"
        if name not in self.lists:
            self.lists[name] = Listed(path, element)
        return self.lists[name]

    def opaque(self, text: str) -> Opaque:
        """What the solver is told nothing about."""
        if text not in self.opaques:
            self.opaques[text] = Opaque(text, truth(f"opaque {text}"))
        return self.opaques[text]

    def member(self, listed: Listed, value: str | int) -> Term:
        """Whether a written value is in a list."""
        if value not in listed.members:
            listed.members[value] = truth(f"{value!r} in {'.'.join(listed.path)} of {listed.element.kind}")
        return listed.members[value]

    def test(self, fact: Fact, op: TextTest, part: str) -> Term:
        """Whether a text starts with, ends with or contains a written text."""
        if (op, part) not in fact.tests:
            fact.tests[op, part] = truth(f"{op} {part!r} {_name(fact.path, fact.type)}")
        return fact.tests[op, part]

    def length(self, of: Fact | Listed) -> Term:
        """How many characters a text has, or items a list."""
        if of.size is None:
            kind = of.type if isinstance(of, Fact) else of.element
            of.size = number(f"size of {_name(of.path, kind)}")
        return of.size

    def sound(self, unknown: Unknown) -> Iterator[Truth]:
        """What is true of any valid value."""
        if isinstance(unknown, Fact):
            yield from self._sound_fact(unknown)
        elif isinstance(unknown, Listed) and unknown.size is not None:
            yield compared(">=", unknown.size, weighed((member, 1) for member in unknown.members.values()))
            yield compared("<=", unknown.size, MAX_ITEMS)

    def _sound_fact(self, fact: Fact) -> Iterator[Truth]:
        if fact.type.kind is Kind.ENUM:
            fact.written.update((value, self.code(value)) for value in fact.type.values)
            yield any_of(compared("==", fact.term, code) for code in fact.written.values())
        elif fact.type.kind is not Kind.STRING:
            low, high = fact.type.bounds
            yield compared(">=", fact.term, low)
            yield compared("<=", fact.term, high)
        if fact.size is not None:
            yield compared(">=", fact.size, 0)
        for text, code in fact.written.items() if fact.tests or fact.size is not None else ():
            other = compared("!=", fact.term, code)
            yield from (any_of([other, _is(test, passes(text, *asked))]) for asked, test in fact.tests.items())
            if fact.size is not None:
                yield any_of([other, compared("==", fact.size, len(text))])


def passes(text: str, op: TextTest, part: str) -> bool:
    """What a condition finds when it asks this of a text."""
    if op == "contains":
        return part in text
    return text.startswith(part) if op == "startsWith" else text.endswith(part)


def _is(term: Term, value: bool) -> Truth:
    return equivalent(term, value) if value else negated(term)


def _name(path: Path, fact: FactType) -> str:
    """Arguments of one name can have another type in another tool."""
    kind = f" {fact.kind} {fact.bounds} {'|'.join(fact.values)}" if path[0] == "args" else ""
    return ".".join(path) + kind
