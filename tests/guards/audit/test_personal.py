"""Personal values lie beside the log, and only the true ones open what the log committed to."""

import copy
from typing import Any

import orjson
import pytest
from exports import VALUES, salts
from hypothesis import given

from tillgate.guards.audit.log import GENESIS, seal
from tillgate.guards.audit.personal import Personal, restore

BODY: dict[str, Any] = {
    "kind": "call",
    "tool": "update_address",
    "arguments": {"order_id": "ord_1", "address": {"city": "Denver"}},
    "outcome": {"data": {"city": "Denver"}},
}


def withheld(body: dict[str, Any], *paths: str) -> tuple[dict[str, Any], Personal]:
    """The record without what the log itself adds, and what lies beside it."""
    sealed = seal(body, seq=1, prev=GENESIS, personal=paths, salt=salts())
    log = {"v": 1, "seq": 1, "prev": GENESIS}
    kept: dict[str, Any] = orjson.loads(sealed.record)
    assert {name: kept.pop(name) for name in log} == log
    return kept, sealed.personal


def test_a_withheld_value_leaves_only_a_commitment_behind() -> None:
    held, personal = withheld(BODY, "arguments.address")
    assert list(held["arguments"]["address"]) == ["commitment"]
    assert held["arguments"]["order_id"] == "ord_1"
    assert personal["arguments.address"]["value"] == {"city": "Denver"}


def test_neither_the_body_nor_what_was_withheld_is_changed() -> None:
    before = copy.deepcopy(BODY)
    held, personal = withheld(BODY, "arguments.address", "outcome.data")
    kept = copy.deepcopy(held)
    restore(held, personal)
    assert (before, kept) == (BODY, held)


def test_the_same_value_at_two_places_shows_two_different_commitments() -> None:
    held, _ = withheld({"kind": "k", "a": "x", "b": "x"}, "a", "b")
    assert held["a"] != held["b"]


def test_a_missing_path_is_skipped() -> None:
    assert withheld(BODY, "arguments.email", "nothing.at.all", "tool.deeper") == (BODY, {})


def test_of_nested_paths_the_outer_one_is_withheld_whole() -> None:
    held, personal = withheld(BODY, "arguments.address.city", "arguments.address")
    assert list(personal) == ["arguments.address"]
    assert restore(held, personal) == BODY


def test_a_name_that_holds_dots_is_found() -> None:
    body = {"kind": "k", "arguments": {"ship.address": "Main St"}}
    held, personal = withheld(body, "arguments.ship.address")
    assert held["arguments"]["ship.address"] != "Main St"
    assert restore(held, personal) == body


@given(VALUES)
def test_whatever_was_withheld_comes_back(value: Any) -> None:
    body = {"kind": "k", "arguments": {"x": value}}
    assert restore(*withheld(body, "arguments.x")) == body


@pytest.mark.parametrize("value", [4.8, {"a": [(1,)]}, {"é": 1}, 2**53, "\ud800"])
def test_what_other_readers_could_read_differently_is_not_committed_to(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        withheld({"kind": "k", "arguments": {"x": value}}, "arguments.x")


def test_a_value_that_was_not_committed_to_is_refused() -> None:
    held, personal = withheld(BODY, "arguments.address")
    personal["arguments.address"]["value"] = {"city": "Boulder"}
    with pytest.raises(ValueError, match="not what the record committed to"):
        restore(held, personal)


def test_a_value_for_a_place_without_commitment_is_refused() -> None:
    _, personal = withheld(BODY, "arguments.address")
    with pytest.raises(ValueError, match="not what the record committed to"):
        restore(BODY, personal)
    with pytest.raises(ValueError, match="holds nothing"):
        restore({}, personal)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_salt_has_one_length(length: int) -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        seal(BODY, seq=1, prev=GENESIS, personal=["tool"], salt=lambda: b"x" * length)
