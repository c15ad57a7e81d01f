"""Compiles the conditions of one tool into one Python function: facts are read and validated once, then all are tested.

Security: the source is built from checked expressions only. Names come from our own counters and the catalogue of
facts, every other text goes through a constants table and never into the source, and the function sees no builtins but
the few it is given.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from tillgate.guards.facts import CATALOGUE, MAX_ITEMS, FactType, Kind
from tillgate.guards.policy.expression import (
    And,
    Arith,
    Choose,
    Compare,
    Const,
    Expr,
    Has,
    Load,
    Not,
    OneOf,
    Or,
    Path,
    Present,
    Quantify,
    Size,
    TextIs,
    Within,
    conjuncts,
)
from tillgate.guards.policy.operators import divide, remainder
from tillgate.guards.policy.scope import Scope
from tillgate.guards.policy.types import Match, Program
from tillgate.guards.policy.uses import NOW_USE, FactUse, GroupUse, Uses, uses_of
from tillgate.guards.policy.validate import valid

_GIVEN: dict[str, Any] = {
    "__builtins__": {},
    "type": type, "int": int, "str": str, "list": list, "dict": dict,
    "len": len, "any": any, "all": all, "sum": sum,
    "Exception": Exception,
    "divide": divide, "remainder": remainder, "valid": valid, "MISSING": object(),
}  # fmt: skip

_NAMES = frozenset({"now", *CATALOGUE, *(name for group in CATALOGUE.values() for name in group.facts)})
"""Names of the catalogue, which no policy writes."""

_MAX_NESTING = 8
"""Python allows about a hundred levels of indentation."""

_METHODS = {"startsWith": "startswith", "endsWith": "endswith"}


def compile_conditions(conditions: Sequence[Expr], scope: Scope) -> Program:
    """One function that gives the indices of the conditions that hold, or None when facts or code are at fault."""
    uses = uses_of(conditions, scope)
    writer = _Writer()
    source = "\n".join(writer.function(conditions, uses)) + "\n"
    names = {**_GIVEN, **writer.constants}
    # The source holds only what `_Writer` writes: see the module's rule.
    exec(compile(source, f"<policy {scope.tool!r}>", "exec"), names)  # noqa: S102
    match: Match = names["match"]
    return Program(match, tuple(conditions), uses, source)


class _Writer:
    """Writes the function; owns the counters and the constants table."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self._seen: dict[tuple[type, Any], str] = {}
        self._locals: dict[Path, str] = {}
        self._variables: dict[str, str] = {}

    def function(self, conditions: Sequence[Expr], uses: Uses) -> Iterator[str]:
        """The lines of the function."""
        yield "def match(facts):"
        yield "    try:"
        yield from (f"        {line}" for line in self._reads(uses))
        yield "        found = []"
        tests = [(index, [self._expr(term) for term in conjuncts(each)]) for index, each in enumerate(conditions)]
        yield from (f"        {line}" for line in _tests(tests))
        yield "        return found"
        # Whatever goes wrong, the caller asks the interpreter; nothing is decided here.
        yield "    except Exception:"
        yield "        return None"

    def _constant(self, value: Hashable) -> str:
        """The name under which the function knows a value."""
        key = (type(value), value)
        if key not in self._seen:
            self._seen[key] = f"c{len(self._seen)}"
            self.constants[self._seen[key]] = value
        return self._seen[key]

    def _key(self, name: str) -> str:
        """How the function asks an object for a name: our own names stand in the source, all others in the table."""
        return repr(name) if name in _NAMES else self._constant(name)

    def _table(self, value: object) -> str:
        name = f"t{len(self.constants)}"
        self.constants[name] = value
        return name

    def _local(self, path: Path) -> str:
        return self._locals.setdefault(path, f"v{len(self._locals)}")

    # Reading and validating facts. They are JSON: a group that is no object raises when it is asked for a name, and
    # nothing but a string is in a closed list, so neither is asked for its type.

    def _reads(self, uses: Uses) -> Iterator[str]:
        for group in uses.groups:
            yield from self._group(group)
        if uses.now:
            yield from self._fact(NOW_USE, "facts")

    def _group(self, group: GroupUse) -> Iterator[str]:
        here = self._local((group.name,))
        yield f"g = facts[{self._key(group.name)}]"
        if group.guarding == "maybe":
            yield f"{here} = g['present']"
            yield f"if {here} is True:"
            inner = [line for use in group.facts for line in self._fact(use, "g")]
            yield from (f"    {line}" for line in inner or ["pass"])
            yield f"elif {here} is False:"
            absent = [f"{self._local(path)} = MISSING" for use in group.facts for path in _all_paths(use)]
            yield from (f"    {line}" for line in absent or ["pass"])
            yield "else: return None"
            return
        if group.guarding == "always":
            yield "if g['present'] is not True: return None"
        for use in group.facts:
            yield from self._fact(use, "g")

    def _fact(self, use: FactUse, inside: str) -> Iterator[str]:
        name, key = self._local(use.path), self._key(use.path[-1])
        if not use.type.optional:
            yield f"{name} = {inside}[{key}]"
            yield from self._checked(use, name)
            return
        yield f"{name} = {inside}.get({key}, MISSING)"
        inner = [self._local(path) for path in _all_paths(use) if path != use.path]
        yield f"if {name} is not MISSING:"
        yield from (f"    {line}" for line in self._checked(use, name))
        if inner:
            yield "else:"
            yield f"    {' = '.join(inner)} = MISSING"

    def _checked(self, use: FactUse, name: str) -> Iterator[str]:
        fact = use.type
        match fact.kind:
            case Kind.INT | Kind.MONEY | Kind.TIMESTAMP | Kind.DURATION:
                low, high = fact.bounds
                yield f"if type({name}) is not int or not {low:d} <= {name} <= {high:d}: return None"
            case Kind.STRING:
                yield f"if type({name}) is not str: return None"
            case Kind.BOOL:
                yield f"if {name} is not True and {name} is not False: return None"
            case Kind.ENUM:
                yield f"if {name} not in {self._constant(frozenset(fact.values))}: return None"
            case Kind.ORDERED:
                yield f"{name} = {self._ranks(fact)}[{name}]"
            case Kind.LIST:
                yield from self._list(fact, name)
            case Kind.RECORD:
                yield f"if type({name}) is not dict: return None"
                for inner in use.inner:
                    yield from self._fact(inner, name)

    def _list(self, fact: FactType, name: str) -> Iterator[str]:
        if fact.element is None or fact.element.kind is not Kind.STRING:
            yield f"if not valid({name}, {self._table(fact)}): return None"
            return
        yield f"if type({name}) is not list or len({name}) > {MAX_ITEMS:d}: return None"
        yield f"for x in {name}:"
        yield "    if type(x) is not str: return None"

    def _ranks(self, fact: FactType) -> str:
        key = (dict, fact.values)
        if key not in self._seen:
            self._seen[key] = self._table({value: rank for rank, value in enumerate(fact.values)})
        return self._seen[key]

    # Expressions; each is closed by parentheses, so precedence cannot change a meaning.

    def _expr(self, expr: Expr) -> str:
        match expr:
            case Const(value=value):
                return self._literal(value)
            case Load():
                return self._bound(expr.path, expr.type) if expr.bound else self._local(expr.path)
            case Has() | Present():
                return self._known(expr)
            case Not(item=item):
                return f"(not {self._expr(item)})"
            case And(items=items) | Or(items=items):
                word = " and " if isinstance(expr, And) else " or "
                return f"({word.join([self._expr(item) for item in items])})"
            case Choose(test=test, then=then, other=other):
                return f"({self._expr(then)} if {self._expr(test)} else {self._expr(other)})"
            case Compare(op=op, left=left, right=right):
                return f"({self._expr(left)} {op} {self._expr(right)})"
            case Arith():
                return self._arith(expr)
            case Size(item=item):
                return f"len({self._expr(item)})"
            case OneOf() | Within() | TextIs() | Quantify():
                return self._over(expr)

    def _over(self, expr: OneOf | Within | TextIs | Quantify) -> str:
        match expr:
            case OneOf():
                return self._one_of(expr)
            case Within(item=item, over=over):
                return f"({self._expr(item)} in {self._expr(over)})"
            case TextIs():
                return self._text(expr)
            case Quantify("exists", name, over, Compare("==", Load(path=path), Const(value=value))) if path == (name,):
                return f"({self._literal(value)} in {self._expr(over)})"  # the same, and much faster
            case Quantify():
                return self._quantify(expr)

    def _literal(self, value: int | str | bool) -> str:
        if value is True or value is False:
            return "True" if value else "False"
        return f"({value:d})" if isinstance(value, int) else self._constant(value)

    def _bound(self, path: Path, fact: FactType) -> str:
        name = self._variables[path[0]] + "".join(f"[{self._constant(member)}]" for member in path[1:])
        return f"{self._ranks(fact)}[{name}]" if fact.kind is Kind.ORDERED else name

    def _known(self, expr: Has | Present) -> str:
        if isinstance(expr, Present):
            return self._local((expr.group,))
        if not expr.bound:
            return f"({self._local(expr.path)} is not MISSING)"
        holder = self._bound(expr.path[:-1], FactType(Kind.RECORD))
        return f"({self._constant(expr.path[-1])} in {holder})"

    def _arith(self, expr: Arith) -> str:
        left, right = self._expr(expr.left), self._expr(expr.right)
        if expr.op in ("/", "%"):
            # CEL rounds towards zero and Python down: they agree where nothing is negative.
            low, by = expr.left.type.bounds[0], expr.right.type.bounds[0]
            if low >= 0 and by > 0:
                return f"({left} {'//' if expr.op == '/' else '%'} {right})"
            return f"{'divide' if expr.op == '/' else 'remainder'}({left}, {right})"
        return f"({left} {expr.op} {right})"

    def _one_of(self, expr: OneOf) -> str:
        item = self._expr(expr.item)
        constants = [each.value for each in expr.items if isinstance(each, Const)]
        if len(constants) == len(expr.items):
            return f"({item} in {self._constant(frozenset(constants))})"
        return f"({item} in ({', '.join(self._expr(each) for each in expr.items)},))"

    def _text(self, expr: TextIs) -> str:
        text, part = self._expr(expr.text), self._expr(expr.part)
        if expr.op == "contains":
            return f"({part} in {text})"
        return f"{text}.{_METHODS[expr.op]}({part})"

    def _quantify(self, expr: Quantify) -> str:
        over = self._expr(expr.over)
        outer = dict(self._variables)
        variable = self._variables[expr.variable] = f"x{len(outer)}"
        body = self._expr(expr.body)
        self._variables = outer
        if expr.kind == "exists_one":
            return f"(sum([1 for {variable} in {over} if {body}]) == 1)"
        return f"{'any' if expr.kind == 'exists' else 'all'}([{body} for {variable} in {over}])"


def _tests(conditions: Sequence[tuple[int, list[str]]], depth: int = 0) -> Iterator[str]:
    """Conditions that begin alike stand under one `if`, so that what they share is tested once."""
    alike: dict[str, list[tuple[int, list[str]]]] = {}
    for index, terms in conditions:
        if terms:
            alike.setdefault(terms[0], []).append((index, terms[1:]))
        else:
            yield f"found.append({index})"
    for first, inner in alike.items():
        if len(inner) > 1 and depth < _MAX_NESTING:
            yield f"if {first}:"
            yield from (f"    {line}" for line in _tests(inner, depth + 1))
            continue
        for index, terms in inner:
            yield f"if {' and '.join([first, *terms])}:"
            yield f"    found.append({index})"


def _all_paths(use: FactUse) -> Iterator[Path]:
    yield use.path
    for inner in use.inner:
        yield from _all_paths(inner)
