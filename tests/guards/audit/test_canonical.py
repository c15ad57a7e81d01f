"""Canonical bytes mean the value and nothing else."""

import json
from enum import IntEnum
from typing import Any

import pytest
from exports import BOUND, VALUES
from hypothesis import given

from tillgate.guards.audit.canonical import MAX_DEPTH, canonical


def _independently(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@given(VALUES)
def test_the_bytes_are_those_of_an_independent_writer(value: Any) -> None:
    assert canonical(value) == _independently(value)


def test_every_character_is_written_as_the_independent_writer_does() -> None:
    text = "".join(chr(point) for point in range(0x3000) if not 0xD800 <= point < 0xE000) + "😀\U0010ffff"
    assert canonical({"t": text}) == _independently({"t": text})


def test_the_examples_of_rfc_8785_come_out_as_printed_there() -> None:
    text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"
    value = {"string": text, "literals": [None, True, False]}
    printed = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical(value) == printed.encode()


class _Rank(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        BOUND + 1,
        -BOUND - 1,
        {1: "a"},
        {"é": 1},
        {'é"x': 1},
        {'x"é': 1, "y": 'z": 1'},
        (1,),
        b"a",
        _Rank.ONE,
        {"a": [{"b": {1}}]},
        "\ud800",
        {"a": "\udfff"},
    ],
)
def test_what_other_readers_could_read_differently_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


def test_the_refusal_names_the_place() -> None:
    with pytest.raises(ValueError, match=r"lines\[\]\.price: float"):
        canonical({"lines": [{"price": 4.8}]})


def test_nesting_without_end_is_refused_and_not_a_crash() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match=str(MAX_DEPTH)):
        canonical(value)


@pytest.mark.parametrize("text", ["é", 'say "é": 1', '"é', "é\\", 'é": '])
def test_text_may_be_of_any_language_beside_plain_keys(text: str) -> None:
    value = {"a": text, "b": [text, {"c": text}]}
    assert canonical(value) == _independently(value)


def test_the_order_of_insertion_leaves_no_trace() -> None:
    assert canonical({"b": 1, "a": {"d": 1, "c": 2}}) == canonical({"a": {"c": 2, "d": 1}, "b": 1})
