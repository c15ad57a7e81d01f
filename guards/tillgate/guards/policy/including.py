"""Puts a policy and the files it includes together, section by section.

The rule it keeps: an included file only adds. No order means anything and nothing is overridden: what is said twice,
in whichever files, is an error.
"""

from collections.abc import Iterable, Mapping

from tillgate.guards.policy.files import is_beneath
from tillgate.guards.policy.shape import Shape
from tillgate.guards.policy.yaml import MAX_BYTES, Node, Scalar, Sequence, read_yaml
from tillgate.guards.policy.yaml import Mapping as MappingNode

SHARED = ("let", "lists", "risk", "budgets", "rules", "context", "queues", "invariants")
"""The sections an included file may have; the header is the main file's."""


def put_together(fields: Mapping[str, Node], files: Mapping[str, str], shape: Shape) -> dict[str, Node]:
    """The sections of the main file with those of the files under `include`; findings go to `shape`."""
    whole = dict(fields)
    seen: set[str] = set()
    for item in shape.items(whole.pop("include"), "include") if "include" in whole else ():
        name = shape.text(item, "an included file")
        if name is None:
            continue
        if name in seen:
            shape.error("P030", f"`{name}` is included twice", item.place)
            continue
        seen.add(name)
        for section, node in _sections(name, item, files, shape).items():
            whole[section] = _joined(whole[section], node, section, shape) if section in whole else node
    return whole


def text_of(name: str, node: Node, files: Mapping[str, str], shape: Shape) -> str | None:
    """The text of a file the policy names, or None after saying why there is none."""
    if not is_beneath(name):
        hint = "name it relative to the policy, without `..`"
        shape.error("P040", f"`{name}` is not beneath the policy's folder", node.place, hint)
    elif name not in files or len(files[name].encode()) > MAX_BYTES:
        hint = "the file must be there, readable, UTF-8 and below a megabyte"
        shape.error("P040", f"`{name}` cannot be read", node.place, hint)
    else:
        return files[name]
    return None


def _sections(name: str, item: Node, files: Mapping[str, str], shape: Shape) -> Mapping[str, Node]:
    text = text_of(name, item, files, shape)
    if text is None:
        return {}
    file = shape.findings.add_file(name, text)
    root = read_yaml(text, shape.findings, file)
    if root is None:
        return {}
    if isinstance(root, MappingNode) and "include" in root.keys:
        place = root.keys["include"].place
        shape.error("P041", "an included file cannot include another", place, "name it in the main file")
        return {}
    return shape.mapping(root, "an included file", (), SHARED)


def _joined(one: Node, other: Node, what: str, shape: Shape) -> Node:
    """Lists one after the other, mappings side by side; a key of both is joined where it holds a list or a mapping."""
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return Sequence((*one.items, *other.items), one.place)
    if not isinstance(one, MappingNode) or not isinstance(other, MappingNode):
        shape.error("P030", f"`{what}` is said twice", other.place, "say it in one file")
        return one
    values = dict(one.values)
    for name, node in other.values.items():
        if name not in values:
            values[name] = node
        elif name in _OPEN.get(what, ()):
            values[name] = _joined(values[name], node, name, shape)
        else:
            shape.error("P030", f"a second `{name}` in {what}", other.keys[name].place, "say it in one file")
    return MappingNode(values, {**one.keys, **_fresh(other.keys, one.keys)}, one.place)


_OPEN: Mapping[str, Iterable[str]] = {"risk": ("factors",), "context": ("mask",)}
"""What may grow within a section; everything else there stands once."""


def _fresh(keys: Mapping[str, Scalar], known: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {name: key for name, key in keys.items() if name not in known}
