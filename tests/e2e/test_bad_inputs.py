"""Inputs that must be refused before policy: with a reason, a record, no effect, and a server that goes on."""

from collections.abc import Iterator

import pytest
from e2e.bad_inputs import BAD, GARBAGE
from e2e.world import OPEN, Session, World


@pytest.fixture(scope="module")
def ana(shared: World) -> Iterator[Session]:
    with shared.serve("cus_ana", policy=OPEN) as session:
        yield session


def test_each_is_refused_recorded_and_without_effect(shared: World, ana: Session) -> None:
    before, start = shared.shop(), len(shared.records())
    wrong: list[str] = []
    for name, tool, arguments in BAD:
        answer = ana.raw(arguments, tool)
        text = answer.envelope.get("reasons", [{"message": ""}])[0]["message"]
        fine = answer.codes == ["invalid_arguments"] and answer.is_error and text and "Traceback" not in text
        if not fine or len(answer.line) > 4000 or not all(char.isprintable() for char in text):
            wrong.append(f"{name}: {answer.envelope or answer.error}")
    assert wrong == [], "\n".join(wrong)
    assert shared.shop() == before
    found = shared.records()[start:]
    assert [(record.get("refusal") or {}).get("code") for record in found] == ["invalid_arguments"] * len(BAD)
    assert ana.call("get_order", order_id="ord_a1").status == "completed"
    assert ana.call("get_order", order_id="ord_b1").codes == ["not_found"]  # 26
    assert ana.errors.read_bytes() == b""


def test_noise_on_the_wire_does_nothing_and_ends_nothing(shared: World, ana: Session) -> None:
    before = shared.shop()
    for noise in GARBAGE:
        ana.write(noise + b"\n")
        assert ana.call("get_order", order_id="ord_a1").status == "completed", noise[:80]
    assert shared.shop() == before
    assert b"Traceback" not in bytes(ana.heard)


def test_names_of_tools_are_shown_harmless(ana: Session) -> None:
    for name in (
        b"\\u001b[2J\\u001b]0;x\\u0007",
        b"\\u202eredro_teg",
        b"../../get_order",
        b"get_order\\u0000",
        b"",
        b"x" * 5000,
    ):
        answer = ana.raw(b"{}", name)
        assert answer.status == "denied"
        assert len(answer.line) < 3000
        text = answer.envelope["reasons"][0]["message"]
        assert all(char.isprintable() for char in text), text
