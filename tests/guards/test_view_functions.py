"""A view that was compiled shows what one that is read word by word shows: in the same order, and nothing else."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tillgate.guards.context import HIDDEN, clean, compile_view, trim
from tillgate.guards.model import Assurance

NAMES = st.sampled_from(["a", "b", "c", "[]"])
PARTS = st.sampled_from(["a", "b", "c", "a[]", "b[]", "c[]", "[]"])
PATHS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map(".".join), max_size=6).map(tuple)
WORDS = st.sampled_from(["x", "é", 'say "hi"', "4242 4242 4242 4242", "\u200bz", ""])
SCALARS = WORDS | st.integers() | st.booleans() | st.none()


def _inside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(NAMES, inner, max_size=4)
    lists = st.lists(inner, max_size=3)
    return objects | objects.map(MappingProxyType) | lists | lists.map(tuple)


DATA = st.recursive(SCALARS | st.binary(max_size=2), _inside, max_leaves=20)
PLAIN = st.recursive(
    SCALARS, lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner, max_size=3), max_leaves=20
)


def read(paths: Sequence[str]) -> dict[str, Any]:
    """The listed paths as a tree in the order of their words; None is a subtree that passes whole."""
    tree: dict[str, Any] = {}
    for words in sorted(tuple(path.replace("[]", ".[]").removeprefix(".").split(".")) for path in paths):
        node: dict[str, Any] | None = tree
        for word in words[:-1]:
            node = node.setdefault(word, {}) if node is not None else None
        if node is not None:
            node[words[-1]] = None
    return tree


def listed(value: Any, tree: Mapping[str, Any] | None) -> Any:
    """What of a value the tree lists, word by word; what is not of the listed shape is nothing."""
    if tree is None:
        return value
    if isinstance(value, (list, tuple)):
        if "[]" not in tree:
            return {}
        if tree["[]"] is None:
            return value
        return [listed(item, tree["[]"]) for item in value if isinstance(item, (list, tuple, Mapping))]
    if not isinstance(value, Mapping):
        return {}
    found = {name: listed(value[name], inner) for name, inner in tree.items() if name in value}
    return {name: inner for name, inner in found.items() if tree[name] is None or inner != {}}


def washed(value: Any, hidden: str, name: str = "") -> Any:
    """Masked and cleaned, word by word: whatever stands at the name or below it is hidden."""
    if isinstance(value, dict):
        return {clean(key): washed(inner, hidden, hidden if name == hidden else key) for key, inner in value.items()}
    if isinstance(value, list):
        return [washed(item, hidden, name) for item in value]
    if name == hidden:
        return None if value is None else HIDDEN
    return clean(value) if isinstance(value, str) else value


@given(_inside(DATA), PATHS)
@example({"a": [], "b": {}, "c": {"a": 1}}, ("a[].b", "b.a", "c.b"))
@settings(max_examples=300)
def test_a_compiled_view_picks_what_its_words_say(data: Any, paths: tuple[str, ...]) -> None:
    picked, expected = compile_view(paths)(data), listed(data, read(paths))
    assert picked == expected
    assert repr(picked) == repr(expected), "in the same order"


@given(st.dictionaries(NAMES, PLAIN, min_size=1), PATHS, st.sampled_from("abc"))
def test_with_a_mask_it_shows_what_both_say(data: Any, paths: tuple[str, ...], hidden: str) -> None:
    left = trim(data, {Assurance.IDENTIFIED: paths}, ((f"*.{hidden}", "hidden"),), Assurance.STEPPED_UP)
    assert json.dumps(left) == json.dumps(washed(listed(data, read(paths)), hidden))


@given(st.none() | st.integers() | st.binary() | st.text() | st.floats() | st.frozensets(st.text()), PATHS)
def test_of_what_is_no_object_nothing_leaves(data: Any, paths: tuple[str, ...]) -> None:
    assert compile_view(paths)(data) == {}
