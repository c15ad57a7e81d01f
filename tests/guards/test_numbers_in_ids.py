"""Ids are not card numbers: what looks like one inside an id stays, one that stands by itself goes."""

import pytest

from tillgate.guards.context import clean

PAN = "4111111111111111"


@pytest.mark.parametrize("text", [f"esc_{PAN}", f"call_01a{PAN}f", f"cart_{PAN[:8]}a{PAN}"])
def test_the_inside_of_an_id_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", [PAN, f"card: {PAN}.", "4111 1111 1111 1111", f"({PAN})"])
def test_a_number_by_itself_goes(text: str) -> None:
    assert "1111" not in clean(text)
