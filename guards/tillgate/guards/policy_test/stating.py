"""Reads what a test states of the world: fixtures, facts in place, and the cells of a table, one over the other.

The rule it keeps: a fact is stated only where the tool has it, and what follows from other facts is never stated.
`null` states nothing: it takes back what a fixture says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tillgate.guards.facts import CATALOGUE, NOW, FactType, ToolSurface
from tillgate.guards.model import Json
from tillgate.guards.policy.diagnostics import Place, did_you_mean
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.types import Policy
from tillgate.guards.policy.yaml import Mapping as MappingNode
from tillgate.guards.policy.yaml import Node, Scalar, Sequence, value_of
from tillgate.guards.policy_test.types import Used
from tillgate.guards.policy_test.values import Values, is_nothing

_FOLLOWS: Mapping[str, str] = {
    "risk": "it is assessed from the other facts; expect a `tier` or a `score`",
    "call.tool": "it is the test's `tool`",
    "call.effect": "it is the tool's own",
    "call.intent": "it is the tool's own",
    "call.intent_matches": "state call.stated_intent",
}
"""What a test cannot state, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What a test says of one call, checked: facts by group, what budgets held before it, and the time."""

    groups: Mapping[str, Mapping[str, Json]]
    used: Mapping[str, Used]
    now: int | None


@dataclass(slots=True)
class Facts:
    """Reads facts for the tools of one policy; findings go to `shape`."""

    shape: Shape
    values: Values
    policy: Policy
    fixtures: dict[str, dict[str, MappingNode]] = field(default_factory=dict[str, dict[str, MappingNode]])

    def read_fixtures(self, node: Node) -> None:
        """`fixtures:`; by group (`order` or `orders`), named sets of facts. Each is checked, also when none uses it."""
        section = self.shape.any_mapping(node, "fixtures")
        for name, body in section.values.items() if section else ():
            group = name if name in CATALOGUE else name.removesuffix("s")
            key = section.keys[name] if section else None
            if key is None or not self._known_group(name, group, key):
                continue
            if group in self.fixtures:
                self.shape.error("P030", f"a second set of fixtures for `{group}`", key.place, "put them together")
            named = self.shape.any_mapping(body, f"fixtures of `{group}`")
            sets = {each: self._set(group, each, facts) for each, facts in (named.values.items() if named else ())}
            self.fixtures[group] = {each: facts for each, facts in sets.items() if facts is not None}

    def _known_group(self, name: str, group: str, key: Scalar) -> bool:
        if group in CATALOGUE and group not in _FOLLOWS:
            return True
        hint = _FOLLOWS.get(group) or did_you_mean(name, [each for each in CATALOGUE if each != "risk"], show=20)
        self.shape.error("P012", f"`{name}` is not a group of facts that can be stated", key.place, hint)
        return False

    def _set(self, group: str, name: str, node: Node) -> MappingNode | None:
        found = self.shape.any_mapping(node, f"fixture `{name}`")
        if found is not None and group not in ("args", "usage"):  # those differ by tool, so their uses are checked
            self._group(group, found, CATALOGUE[group].facts)
        return found

    def whole(self, node: Node) -> MappingNode | None:
        """`facts:` with fixtures in the place of their names; groups stay apart."""
        section = self.shape.any_mapping(node, "facts")
        if section is None:
            return None
        known = (*CATALOGUE, "now")
        values: dict[str, Node] = {}
        for name, body in section.values.items():
            if name not in known:
                hint = did_you_mean(name, known, show=20)
                self.shape.error("P012", f"unknown group `{name}`", section.keys[name].place, hint)
            elif name == "now":
                values[name] = body
            elif is_nothing(body):
                continue  # the same as not stating it
            elif (filled := self.filled(name, body)) is not None:
                values[name] = filled
        return MappingNode(values, section.keys, section.place)

    def filled(self, group: str, node: Node) -> MappingNode | None:
        """The facts of a group: a mapping, a fixture's name, or a list of both of which the later ones win."""
        if isinstance(node, MappingNode):
            return node
        if isinstance(node, Sequence):
            parts = [self.filled(group, item) for item in self.shape.items(node, group)]
            known = [part for part in parts if part is not None]
            whole = MappingNode({}, {}, node.place)
            for part in known:
                whole = over(whole, part)
            return whole if len(known) == len(parts) else None
        name = self.shape.text(node, f"{group}: facts, or a fixture's name,")
        fixtures = self.fixtures.get(group, {})
        if name is not None and name not in fixtures:
            hint = did_you_mean(name, fixtures) or f"declare it under `fixtures`, `{group}`"
            self.shape.error("P024", f"no fixture of `{group}` is named `{name}`", node.place, hint)
        return fixtures.get(name) if name is not None else None

    def read(self, node: MappingNode, surface: ToolSurface) -> Stated:
        """The facts a test states of one call of this tool."""
        groups: dict[str, Mapping[str, Json]] = {}
        used: dict[str, Used] = {}
        now: int | None = None
        for name, body in node.values.items():
            place = node.keys[name].place
            if name == "now":
                now = self.values.time(body, NOW, "now")
            elif name in _FOLLOWS:
                self._refuse(name, place)
            elif isinstance(body, MappingNode) and name == "usage":
                used = self._usage(body, surface)
            elif isinstance(body, MappingNode) and self._has(name, surface, body, place):
                fields = surface.args.fields if name == "args" else CATALOGUE[name].facts
                groups[name] = self._group(name, body, fields, surface.name)
        return Stated(groups, used, now)

    def _has(self, group: str, surface: ToolSurface, node: MappingNode, place: Place) -> bool:
        """Whether the call has the group; a `present: false` takes away one the tool may lack."""
        if CATALOGUE[group].availability == "always":
            return True
        if group not in surface.always | surface.maybe:
            had = ", ".join(sorted(surface.always | surface.maybe)) or "none of these groups"
            self.shape.error("P012", f"`{surface.name}` never has `{group}`", place, f"it has {had}")
            return False
        present = node.values.get("present")
        if present is None or self.values.truth(present, f"{group}.present") is not False:
            return True
        if group in surface.always:
            self.shape.error("P011", f"`{surface.name}` always has `{group}`", present.place)
        return False

    def _group(
        self, group: str, node: MappingNode, fields: Mapping[str, FactType], tool: str | None = None
    ) -> Mapping[str, Json]:
        by_tool = CATALOGUE[group].availability == "by_tool"
        made: dict[str, Json] = {}
        for name, body in node.values.items():
            fact, key = fields.get(name), node.keys[name]
            path = f"{group}.{name}"
            if path in _FOLLOWS:
                self._refuse(path, key.place)
            elif fact is None and not (by_tool and name == "present"):
                what = f"`{tool}` has no argument `{path}`" if group == "args" else f"unknown fact `{path}`"
                self.shape.error("P012", what, key.place, did_you_mean(name, fields, show=20))
            elif fact is not None and not is_nothing(body):
                made[name] = self.values.read(body, fact, path)
        return made

    def _usage(self, node: MappingNode, surface: ToolSurface) -> dict[str, Used]:
        """`usage:`; what each budget held before this call."""
        known = [budget.id for budget in self.policy.budgets_for(surface.name)]
        used: dict[str, Used] = {}
        for name, body in node.values.items():
            if name not in known:
                hint = did_you_mean(name, known) or "this tool draws on no budget"
                self.shape.error("P012", f"`{surface.name}` draws on no budget `{name}`", node.keys[name].place, hint)
                continue
            fields = self.shape.mapping(body, f"usage of `{name}`", (), ("amount", "count"))
            amount = self.values.money(fields["amount"], f"usage.{name}.amount") if "amount" in fields else 0
            count = self.shape.integer(fields["count"], f"usage.{name}.count", 0, 10**9) if "count" in fields else 0
            used[name] = Used(amount or 0, count or 0)
        return used

    def _refuse(self, path: str, place: Place) -> None:
        self.shape.error("P033", f"`{path}` cannot be stated", place, _FOLLOWS[path])


def over(base: MappingNode, top: MappingNode) -> MappingNode:
    """Both, with what the second says in the place of what the first says."""
    values = dict(base.values)
    for name, node in top.values.items():
        below = values.get(name)
        if isinstance(below, MappingNode) and isinstance(node, MappingNode):
            values[name] = over(below, node)
        else:
            values[name] = node
    return MappingNode(values, {**base.keys, **top.keys}, base.place)


def placed(path: str, key: Scalar, node: Node) -> MappingNode:
    """A mapping that holds a node at a dotted path; every part of the path stands where its key does."""
    *outer, last = path.split(".")
    made = MappingNode({last: node}, {last: key}, key.place)
    for name in reversed(outer):
        made = MappingNode({name: made}, {name: key}, key.place)
    return made


def without(node: MappingNode, path: str) -> MappingNode:
    """The same without what stands at a dotted path."""
    name, _, rest = path.partition(".")
    values = {each: inner for each, inner in node.values.items() if each != name or rest}
    inner = values.get(name)
    if isinstance(inner, MappingNode):
        values[name] = without(inner, rest)
    return MappingNode(values, node.keys, node.place)


def said(node: Node) -> str:
    """A cell in the words of the file, for the name of its row."""
    if isinstance(node, Scalar):
        return "null" if value_of(node) is None else node.text
    if isinstance(node, Sequence):
        return f"[{', '.join(said(item) for item in node.items)}]"
    return "{" + ", ".join(f"{name}: {said(inner)}" for name, inner in node.values.items()) + "}"
