"""Personal values lie beside the log, and only the true ones open what the log committed to."""

import copy
from typing import Any

import pytest
from exports import VALUES, salts
from hypothesis import given

from tillgate.guards.audit.personal import restore, withhold

BODY: dict[str, Any] = {
    "tool": "update_address",
    "arguments": {"order_id": "ord_1", "address": {"city": "Denver"}},
    "outcome": {"data": {"city": "Denver"}},
}


def test_a_withheld_value_leaves_only_a_commitment_behind() -> None:
    held, personal = withhold(BODY, ["arguments.address"], salts())
    assert list(held["arguments"]["address"]) == ["commitment"]
    assert held["arguments"]["order_id"] == "ord_1"
    assert personal["arguments.address"]["value"] == {"city": "Denver"}


def test_neither_the_body_nor_what_was_withheld_is_changed() -> None:
    before = copy.deepcopy(BODY)
    held, personal = withhold(BODY, ["arguments.address", "outcome.data"], salts())
    kept = copy.deepcopy(held)
    restore(held, personal)
    assert (before, kept) == (BODY, held)


def test_the_same_value_at_two_places_shows_two_different_commitments() -> None:
    held, _ = withhold({"a": "x", "b": "x"}, ["a", "b"], salts())
    assert held["a"] != held["b"]


def test_a_missing_path_is_skipped() -> None:
    assert withhold(BODY, ["arguments.email", "nothing.at.all", "tool.deeper"], salts()) == (BODY, {})


def test_of_nested_paths_the_outer_one_is_withheld_whole() -> None:
    held, personal = withhold(BODY, ["arguments.address.city", "arguments.address"], salts())
    assert list(personal) == ["arguments.address"]
    assert restore(held, personal) == BODY


def test_a_name_that_holds_dots_is_found() -> None:
    body = {"arguments": {"ship.address": "Main St"}}
    held, personal = withhold(body, ["arguments.ship.address"], salts())
    assert held["arguments"]["ship.address"] != "Main St"
    assert restore(held, personal) == body


@given(VALUES)
def test_whatever_was_withheld_comes_back(value: Any) -> None:
    body = {"arguments": {"x": value}}
    assert restore(*withhold(body, ["arguments.x"], salts())) == body


def test_a_value_that_was_not_committed_to_is_refused() -> None:
    held, personal = withhold(BODY, ["arguments.address"], salts())
    personal["arguments.address"]["value"] = {"city": "Boulder"}
    with pytest.raises(ValueError, match="not what the record committed to"):
        restore(held, personal)


def test_a_value_for_a_place_without_commitment_is_refused() -> None:
    _, personal = withhold(BODY, ["arguments.address"], salts())
    with pytest.raises(ValueError, match="not what the record committed to"):
        restore(BODY, personal)
    with pytest.raises(ValueError, match="holds nothing"):
        restore({}, personal)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_salt_has_one_length(length: int) -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        withhold(BODY, ["tool"], lambda: b"x" * length)
