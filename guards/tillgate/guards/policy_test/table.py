"""Reads the table of a test: columns are facts and expectations, and each row is a case over what the test says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tillgate.guards.facts import CATALOGUE
from tillgate.guards.policy.diagnostics import Place, did_you_mean
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.yaml import Mapping as MappingNode
from tillgate.guards.policy.yaml import Node, Scalar
from tillgate.guards.policy_test.expecting import ASKED, Expectations
from tillgate.guards.policy_test.stating import Facts, over, placed, said, without
from tillgate.guards.policy_test.values import is_nothing

_EXPECTED = ("expect", *(each for each in ASKED if each != "outcome"))
_COLUMNS = ("name", "tool", "acts", *_EXPECTED)


@dataclass(frozen=True, slots=True)
class Said:
    """What a test or a row of its table says, before it is checked against a tool."""

    name: str
    tool: Node | None
    facts: MappingNode
    asked: Mapping[str, Node]
    acts: Node | None
    place: Place


@dataclass(frozen=True, slots=True)
class Tables:
    """Reads tables; findings go to `shape`."""

    shape: Shape
    facts: Facts
    expectations: Expectations

    def rows(self, node: Node, base: Said) -> Iterator[Said]:
        """What each row says; the first one names the columns."""
        items = self.shape.items(node, "table")
        columns = self._columns(items[0]) if items else None
        if columns is None:
            return
        if len(items) == 1:
            self.shape.error("P010", "a table needs a row below its columns", node.place)
        for row in items[1:]:
            cells = self.shape.items(row, "a row")
            if cells and len(cells) != len(columns):
                message = f"this row has {len(cells)} cells, and there are {len(columns)} columns"
                self.shape.error("P010", message, row.place)
            elif cells:
                yield self._row(columns, dict(zip(columns, cells, strict=True)), replace(base, place=row.place))

    def _columns(self, node: Node) -> dict[str, Scalar] | None:
        """The columns by name, with the places that findings about their cells' facts point to."""
        columns: dict[str, Scalar] = {}
        sound = True
        for item in self.shape.items(node, "the columns of a table"):
            name = self.shape.text(item, "a column")
            if name is None or not isinstance(item, Scalar):
                sound = False
            elif name in columns:
                self.shape.error("P030", f"a second column `{name}`", item.place)
                sound = False
            elif name not in _COLUMNS and name.partition(".")[0] not in (*CATALOGUE, "now"):
                hint = did_you_mean(name, (*_COLUMNS, "now", *CATALOGUE), show=30)
                self.shape.error("P012", f"`{name}` is neither a fact nor an expectation", item.place, hint)
                sound = False
            else:
                columns[name] = item
        return columns if sound and columns else None

    def _row(self, columns: Mapping[str, Scalar], cells: Mapping[str, Node], base: Said) -> Said:
        given = {name: cell for name, cell in cells.items() if not is_nothing(cell)}
        asked = {**base.asked, **(self.expectations.asked(given["expect"]) if "expect" in given else {})}
        asked |= {name: given[name] for name in _EXPECTED[1:] if name in given}
        named = self.shape.text(given["name"], "a row's name") if "name" in given else None
        words = [said(cell) for name, cell in cells.items() if name not in _EXPECTED]
        return replace(
            base,
            name=f"{base.name}: {named}" if named else f"{base.name} [{', '.join(words)}]",
            tool=given.get("tool", base.tool),
            facts=self._facts(columns, cells, base.facts),
            asked=asked,
            acts=given.get("acts", base.acts),
        )

    def _facts(self, columns: Mapping[str, Scalar], cells: Mapping[str, Node], facts: MappingNode) -> MappingNode:
        """The test's facts under those of the row. A whole group is replaced; a single fact goes on top of either."""
        values, keys = dict(facts.values), dict(facts.keys)
        for name in (name for name in cells if name in CATALOGUE):
            filled = None if is_nothing(cells[name]) else self.facts.filled(name, cells[name])
            values.pop(name, None)
            if filled is not None:
                values[name], keys[name] = filled, columns[name]
        found = MappingNode(values, keys, facts.place)
        for name in (name for name in cells if "." in name or name == "now"):
            cell = cells[name]
            found = without(found, name) if is_nothing(cell) else over(found, placed(name, columns[name], cell))
        return found
