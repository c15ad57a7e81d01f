"""Generated JSON values in the domain of the log: any text, whole numbers, ASCII keys."""

from typing import Any

from hypothesis import strategies as st

BOUND = 2**53 - 1
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-BOUND, BOUND) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
_FIELDS = KEYS.filter(lambda key: key not in {"v", "seq", "prev", "hash", "personal", "kind", "plan"})
BODIES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(_FIELDS, VALUES, max_size=5).map(
    lambda fields: {**fields, "kind": "seed"}
)
