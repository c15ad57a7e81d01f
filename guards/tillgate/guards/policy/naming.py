"""Reads `lists` and `let`: values and conditions with a name, for the conditions of the rules.

The rule it keeps: a named condition is whole by itself. It is checked where it is written, for every tool that can have
its facts, so a rule that uses it can neither break it nor be surprised by it.
"""

from collections.abc import Mapping

from tillgate.guards.facts import CATALOGUE
from tillgate.guards.policy.conditions import Conditions, Named
from tillgate.guards.policy.diagnostics import did_you_mean
from tillgate.guards.policy.expression import Span
from tillgate.guards.policy.including import text_of
from tillgate.guards.policy.lexer import unseen
from tillgate.guards.policy.scope import LISTS
from tillgate.guards.policy.shape import WORD, Shape
from tillgate.guards.policy.syntax import Literal_, Syntax, names_in
from tillgate.guards.policy.terms import LEVELS
from tillgate.guards.policy.written import Piece
from tillgate.guards.policy.yaml import Mapping as MappingNode
from tillgate.guards.policy.yaml import Node, Scalar, Sequence, visible

MOST_VALUES = 10_000
"""Values in one list; what is longer belongs in the shop's own data."""

_REFUSED = Literal_(value=True, span=Span(0, 0))
"""Stands for a named condition with findings, so that its uses are not reported too."""

_TAKEN = frozenset({*CATALOGUE, *LEVELS, "now", LISTS})


def read_lists(node: Node, files: Mapping[str, str], shape: Shape) -> dict[str, tuple[str, ...]]:
    """`lists:`; each a list of texts, or `{file: name}` with one value a line and `#` for remarks."""
    section = shape.any_mapping(node, "lists")
    lists: dict[str, tuple[str, ...]] = {}
    for name, body in section.values.items() if section else ():
        key = shape.named(section.keys[name], "a list's name", WORD) if section else None
        values = _values(body, name, files, shape)
        if values is not None and not values:
            shape.error("P010", f"list `{name}` is empty", body.place)
        elif values is not None and len(values) > MOST_VALUES:
            shape.error("P043", f"list `{name}` has {len(values)} values; {MOST_VALUES} are allowed", body.place)
        lists[key or name] = values or ()
    return lists


def _values(body: Node, name: str, files: Mapping[str, str], shape: Shape) -> tuple[str, ...] | None:
    if isinstance(body, Sequence):
        found = [_value(item, shape) for item in shape.items(body, f"list `{name}`")]
        return tuple(dict.fromkeys(value for value in found if value is not None)) or None
    fields = shape.mapping(body, f"list `{name}`", ["file"])
    file = shape.text(fields["file"], "file") if "file" in fields else None
    text = text_of(file, fields["file"], files, shape) if file is not None else None
    if file is None or text is None or not visible(shape.findings, shape.findings.add_file(file, text)):
        return None
    lines = (line.strip() for line in text.splitlines())
    values = tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    return values if _seen("".join(values), fields["file"], shape) else None


def _value(item: Node, shape: Shape) -> str | None:
    value = shape.text(item, "a value")
    return value if value is not None and _seen(value, item, shape) else None


def _seen(text: str, node: Node, shape: Shape) -> bool:
    """Whether the text holds only what its reader sees."""
    name = unseen(text)
    if name:
        shape.error("P006", f"an invisible character, {name}", node.place, "remove it")
    return name is None


def read_named(node: Node, conditions: Conditions, shape: Shape) -> None:
    """`let:`; each is checked by itself, and fills in those it mentions, which must not come back to it."""
    section = shape.any_mapping(node, "let")
    found: dict[str, tuple[Scalar, Syntax]] = {}
    for name, body in section.values.items() if section else ():
        key = section.keys[name] if section else None
        if key is None or shape.named(key, "a condition's name", WORD) is None:
            continue
        if name in _TAKEN:
            shape.error("P042", f"`{name}` already means something else", key.place, "choose another name")
            continue
        conditions.named[name] = _REFUSED
        if shape.text(body, f"condition `{name}`", longest=100_000) is not None and isinstance(body, Scalar):
            parsed = conditions.parsed((Piece(body),), fill=False)
            if parsed is not None:
                found[name] = (body, parsed[1])
    for name in _in_order({name: syntax for name, (_, syntax) in found.items()}, found, shape):
        _check(name, found[name][0], conditions)


def _in_order(syntaxes: Mapping[str, Syntax], found: Mapping[str, tuple[Scalar, Syntax]], shape: Shape) -> list[str]:
    """The names, each after those it mentions; a circle is a finding, and its names are left out."""
    needs = {name: {path[0] for path in names_in(syntax)} & syntaxes.keys() for name, syntax in syntaxes.items()}
    order: list[str] = []
    while ready := [name for name in needs if needs[name] <= set(order)]:
        order += ready
        for name in ready:
            del needs[name]
    for name in needs:
        shape.error("P042", f"condition `{name}` comes back to itself", found[name][0].place)
    return order


def _check(name: str, body: Scalar, conditions: Conditions) -> None:
    """Tools that may lack a group are left to the rules: whether it is guarded there, only they can say."""
    parsed = conditions.parsed((Piece(body),))
    if parsed is None:
        return
    groups = {path[0] for path in names_in(parsed[1])}
    surest = tuple(tool for tool, surface in conditions.surfaces.items() if not groups & surface.maybe)
    able = [tool for tool in surest if groups & conditions.by_tool <= conditions.surfaces[tool].always]
    if conditions.read(body, Named(tuple(able or conditions.surfaces), {}, body.place)) is not None:
        conditions.named[name] = parsed[1]


def warn_of_unused(conditions: Conditions, lets: Node | None, lists: Node | None, shape: Shape) -> None:
    """What has a name and is never called by it."""
    used = {path[0] for path in conditions.mentioned}
    used_lists = {path[1] for path in conditions.mentioned if path[0] == LISTS and len(path) > 1}
    for what, node, known in (("condition", lets, used), ("list", lists, used_lists)):
        for name, key in node.keys.items() if isinstance(node, MappingNode) else ():
            if name not in known:
                hint = did_you_mean(name, known) if known else None
                shape.findings.warning("P107", f"{what} `{name}` is never used", key.place, hint)
