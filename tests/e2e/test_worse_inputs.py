"""The same over stdio: each spoilt call is refused with a reason and a record, and without effect."""

import json
from collections.abc import Iterator

import pytest
from e2e.world import OPEN, JsonObject, Session, World
from e2e.worse_inputs import ANSWERED, NAMES, PROTOCOL, cancel

META: JsonObject = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
}


class Newest(Session):
    """A client of the newest protocol."""

    greets = False


@pytest.fixture
def ana(world: World) -> Iterator[Session]:
    with world.serve("cus_ana", policy=OPEN) as session:
        yield session


def written(message: object) -> bytes:
    return (message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n"


def test_each_spoilt_call_is_refused_recorded_and_without_effect(world: World, ana: Session) -> None:
    shop, start, wrong = world.shop(), len(world.records()), []
    for number, (name, spoil) in enumerate({**ANSWERED, **NAMES}.items()):
        ana.write(written(spoil(cancel(f"s{number}"))))
        answer = ana.answer(f"s{number}")
        code = "unknown_tool" if name in NAMES else "invalid_arguments"
        text = answer.envelope.get("reasons", [{"message": ""}])[0]["message"]
        fine = answer.codes == [code] and answer.is_error and text and text.isprintable()
        if not fine or b"Traceback" in answer.line or len(answer.line) > 4000:
            wrong.append(f"{name}: {answer.envelope or answer.error}")
    assert wrong == [], "\n".join(wrong)
    assert world.shop() == shop
    found = world.records()[start:]
    assert {record["kind"] for record in found} == {"call"}
    assert len(found) == len(ANSWERED) + len(NAMES)
    assert {(record.get("refusal") or {}).get("code") for record in found} == {
        "invalid_arguments", "unknown_tool"
    }  # fmt: skip
    assert ana.call("cancel_order", order_id="ord_a2", reason="other").status == "completed"
    assert ana.errors.read_bytes() == b""


def test_what_the_protocol_refuses_of_a_call_is_recorded_too(world: World) -> None:
    shop = world.shop()
    ana = Newest(world, "--customer", "cus_ana", "--assurance", "stepped_up", policy=OPEN)
    try:
        start = len(world.records())
        for number, spoil in enumerate(PROTOCOL.values()):
            ana.write(written(spoil(cancel(f"p{number}", META))))
            answer = ana.answer(f"p{number}")
            assert answer.error or answer.is_error, answer
            assert b"Traceback" not in answer.line
        found = [record for record in world.records()[start:] if record["kind"] == "call"]
        assert [record["refusal"]["code"] for record in found] == ["invalid_arguments"] * len(PROTOCOL)
        assert world.shop() == shop
    finally:
        ana.close()
