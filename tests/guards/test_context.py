"""What may leave: listed fields only, masked, readable, without card numbers, and never cut in silence."""

import copy
import time
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillgate.guards.context import CARD_REMOVED, HIDDEN, clean, compile_masks, compile_view, trim
from tillgate.guards.model import Assurance
from tillgate.guards.shorten import MAX_BYTES

ORDER: dict[str, Any] = {
    "id": "ord_1",
    "status": "delivered",
    "total": "148.00",
    "note": None,
    "email": "ana@example.com",
    "shipping_address": {"line1": "1 Main St", "city": "Denver", "contact": {"email": "bob@example.org"}},
    "lines": [{"id": "l1", "title": "T-Shirt", "cost": "20.00"}, {"id": "l2", "title": "Cap", "cost": "5.00"}],
    "payments": [{"id": "pay_1", "last4": "4242", "brand": "visa"}, {"id": "pay_2"}],
}


def shown(paths: list[str], data: Any = ORDER, masks: Mapping[str, str] | None = None) -> Any:
    return trim(data, {Assurance.IDENTIFIED: tuple(paths)}, (masks or {}).items(), Assurance.IDENTIFIED)


@pytest.mark.parametrize(
    ("paths", "left"),
    [
        ([], {}),
        (["id", "note"], {"id": "ord_1", "note": None}),
        (["nothing", "id.deeper", "lines.title", "status[]", "status[].x", "shipping_address[].city"], {}),
        (["shipping_address.city"], {"shipping_address": {"city": "Denver"}}),
        (["shipping_address.contact"], {"shipping_address": {"contact": {"email": "bob@example.org"}}}),
        (["lines[].title"], {"lines": [{"title": "T-Shirt"}, {"title": "Cap"}]}),
        (["payments[].last4"], {"payments": [{"last4": "4242"}, {}]}),
        (["lines"], {"lines": ORDER["lines"]}),
        (["lines[]"], {"lines": ORDER["lines"]}),
        (["lines", "lines[].id"], {"lines": ORDER["lines"]}),
        (["lines[].id", "lines"], {"lines": ORDER["lines"]}),
        (["shipping_address.nope"], {}),
    ],
)
def test_only_what_is_listed_leaves(paths: list[str], left: Any) -> None:
    assert shown(paths) == left


@given(st.sets(st.sampled_from(["id", "lines[].id", "lines[].title", "payments", "shipping_address.city", "total"])))
def test_a_view_is_the_union_of_its_paths_in_any_order(paths: set[str]) -> None:
    ordered = sorted(paths)
    assert shown(ordered) == shown(ordered[::-1])
    assert set(shown(ordered)) == {path.split(".")[0].removesuffix("[]") for path in paths}


VIEWS = {Assurance.IDENTIFIED: ("id",), Assurance.STEPPED_UP: ("total",)}


@pytest.mark.parametrize(
    ("assurance", "left"),
    [
        (Assurance.ANONYMOUS, {}),
        (Assurance.IDENTIFIED, {"id": "ord_1"}),
        (Assurance.AUTHENTICATED, {"id": "ord_1"}),
        (Assurance.STEPPED_UP, {"total": "148.00"}),
    ],
)
def test_a_view_holds_until_a_higher_level_lists_its_own(assurance: Assurance, left: Any) -> None:
    assert trim(ORDER, VIEWS, (), assurance) == left


def test_a_tool_without_a_view_shows_nothing() -> None:
    assert trim(ORDER, {}, (), Assurance.STEPPED_UP) == {}


@pytest.mark.parametrize(
    ("pattern", "hidden"),
    [
        ("*.email", {"email", "shipping_address.contact.email"}),
        ("email", {"email"}),
        ("*.contact.email", {"shipping_address.contact.email"}),
        ("shipping_address.contact.email", {"shipping_address.contact.email"}),
        ("shipping_address.*.email", {"shipping_address.contact.email"}),
        ("shipping_address.contact.*", {"shipping_address.contact.email"}),
        ("*.contact", {"shipping_address.contact.email"}),
        ("contact.email", set()),
    ],
)
def test_a_mask_hides_the_fields_of_its_pattern_also_inside_whole_subtrees(pattern: str, hidden: set[str]) -> None:
    left = shown(["email", "shipping_address"], masks={pattern: "hidden"})
    places = {
        "email": left["email"],
        "shipping_address.contact.email": left["shipping_address"]["contact"]["email"]
        if isinstance(left["shipping_address"]["contact"], dict)
        else HIDDEN,
    }
    assert {place for place, value in places.items() if value == HIDDEN} == hidden


@pytest.mark.parametrize(
    "pattern", ["payments[].last4", "payments.last4", "*.last4", "payments[].*", "*.payments", "*"]
)
def test_a_mask_looks_through_lists_with_and_without_brackets(pattern: str) -> None:
    assert shown(["payments[].last4"], masks={pattern: "hidden"}) == {"payments": [{"last4": HIDDEN}, {}]}


@pytest.mark.parametrize(
    ("kind", "value", "masked"),
    [
        ("email", "mia@example.com", "m***@example.com"),
        ("email", "not an address", HIDDEN),
        ("email", "@example.com", HIDDEN),
        ("phone", "+1 (555) 010-0142", "•••• 0142"),
        ("phone", "0142", HIDDEN),
        ("last4", "+15550100142", "0142"),
        ("last4", "4242", "4242"),
        ("last4", "142", HIDDEN),
        ("initial", " Élodie", "É."),
        ("initial", "", ""),
        ("hidden", "x", HIDDEN),
        ("hidden", 5, HIDDEN),
        ("hidden", True, HIDDEN),
        ("last4", 15550142, "0142"),
        ("email", None, None),
        ("hidden", ["a", {"b": "c"}], [HIDDEN, {"b": HIDDEN}]),
        ("initial", "\u202eMia", "M."),
    ],
)
def test_each_kind_of_mask_shows_what_it_says(kind: str, value: Any, masked: Any) -> None:
    assert shown(["f"], {"f": value}, {"*.f": kind}) == {"f": masked}


def test_a_mask_of_an_unknown_kind_is_refused_and_leaves_nothing_open() -> None:
    with pytest.raises(ValueError, match="known are email"):
        shown(["email"], masks={"*.email": "blur"})


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("4242424242424242", CARD_REMOVED),
        ("4222222222222", CARD_REMOVED),
        ("6304000000000000 000", CARD_REMOVED),
        ("card 4242 4242 4242 4242 exp 12/27", f"card {CARD_REMOVED} exp 12/27"),
        ("3782-822463-10005", CARD_REMOVED),
        ("12 4242-4242-4242-4242 1227", f"12 {CARD_REMOVED} 1227"),
        ("4242\u200b4242\u200b4242\u200b4242", CARD_REMOVED),
        ("４２４２ ４２４２ ４２４２ ４２４２", CARD_REMOVED),
        ("4242\u00a04242\u20114242\n4242", CARD_REMOVED),
        ("4242424242424242 and 5555555555554444", f"{CARD_REMOVED} and {CARD_REMOVED}"),
        ("4242424242424242 5555555555554444", f"{CARD_REMOVED} {CARD_REMOVED}"),
        ("4242424242424241", "4242424242424241"),
        ("420914989449", "420914989449"),
        ("+1 555 010 0142", "+1 555 010 0142"),
        ("12345678901234567890123", "12345678901234567890123"),
    ],
)
def test_card_numbers_are_removed_however_they_are_written(text: str, left: str) -> None:
    assert shown(["note"], {"note": text}) == {"note": left}


def test_a_card_number_is_removed_from_names_and_deep_inside_too() -> None:
    left = shown(["x"], {"x": [{"4242424242424242": {"y": ["5555 5555 5555 4444"]}}]})
    assert left == {"x": [{CARD_REMOVED: {"y": [CARD_REMOVED]}}]}


@pytest.mark.parametrize(
    "unseen",
    [
        *"\x00\x1b\x7f\x9b\u00ad\u061c\u200b\u200d\u202e\u2060\u2066\u3164\ufe0f\ufeff\ud800",
        *"\U000e0041\U000e007f\U000e0100",
    ],
)
def test_characters_nobody_sees_are_stripped(unseen: str) -> None:
    assert shown(["note"], {"note": f"a{unseen}b"}) == {"note": "ab"}
    assert shown(["note"], {"note": {f"k{unseen}": "v"}}) == {"note": {"k": "v"}}


@pytest.mark.parametrize("pause", ["\n", "\r\n", "\t", "\u2028", "\x85", "\n\n"])
def test_a_line_break_becomes_a_space_so_that_words_stay_apart(pause: str) -> None:
    assert clean(f"a{pause}b") == "a b"


def test_words_in_any_script_stay_as_they_are() -> None:
    for text in ("Größe", "東京 100", "مرحبا", "Zoë 😀", "ที่อยู่", "e\u0301"):
        assert clean(text) == text


@given(
    st.recursive(
        st.text(max_size=30) | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    )
)
def test_what_leaves_is_clean_and_the_input_is_untouched(data: Any) -> None:
    before = copy.deepcopy(data)
    left = shown(["a"], {"a": data})
    assert data == before
    for text in _strings(left):
        assert clean(text) == text


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in [key, *_strings(inner)]]
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []


def test_a_long_list_is_cut_and_says_so_beside_it() -> None:
    data = {"id": "ord_1", "lines": [{"title": "x" * 100} for _ in range(5000)], "tags": ["a", "b"]}
    left = shown(["id", "lines", "tags"], data)
    assert len(orjson.dumps(left)) <= MAX_BYTES
    kept = len(left["lines"])
    assert 300 <= kept < 5000
    assert (left["truncated"], left["truncated_note"]) == (True, f"lines: the first {kept} of 5000")
    assert (left["id"], left["tags"]) == ("ord_1", ["a", "b"])
    assert len(data["lines"]) == 5000


def test_the_mark_stands_beside_the_list_that_was_cut() -> None:
    left = shown(["orders"], {"orders": [{"events": ["x" * 50] * 9000}, {"events": []}]})
    assert [order.get("truncated") for order in left["orders"]] == [True, None]


@pytest.mark.parametrize("value", ["x" * 200_000, {"deep": "y" * 200_000}, {f"k{i}": "z" * 100 for i in range(2000)}])
def test_what_is_long_without_a_list_is_cut_and_says_so(value: Any) -> None:
    left = shown(["a"], {"a": value})
    assert len(orjson.dumps(left)) <= MAX_BYTES
    assert left["truncated"] is True
    assert left["truncated_note"]


def test_an_answer_that_fits_carries_no_mark() -> None:
    assert "truncated" not in shown(["lines"])


def test_a_hostile_text_is_cleaned_in_time_that_grows_with_its_length() -> None:
    started = time.perf_counter()
    for text in ("1 " * 500_000, "4242-" * 200_000, "4" * 1_000_000, "\u200b4" * 500_000):
        assert len(clean(text)) < 80_000
    assert time.perf_counter() - started < 5


def test_views_and_masks_are_compiled_once() -> None:
    assert compile_view(("a", "b")) is compile_view(("a", "b"))
    assert compile_masks((("*.a", "hidden"),)) is compile_masks((("*.a", "hidden"),))
