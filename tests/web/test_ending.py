"""Told to end, a server answers what it has begun, and then it goes: nothing is done that nobody is told of."""

import json
import select
import signal

import pytest
from e2e.world import Session, World, policy
from web.house import Wire, message, records, request, serving

OPEN = policy()


def cart(quantity: int) -> dict[str, object]:
    return {"cart_id": "cart_ana", "lines": [{"variant_id": "v_mug", "quantity": quantity}]}


def acted(world: World) -> set[str]:
    """The ids of the calls that changed something."""
    calls = (record for record in records(world) if record["kind"] == "call")
    return {record["call_id"] for record in calls if record["outcome"]["status"] == "completed"}


def test_over_http(world: World) -> None:
    with serving(world, policy=OPEN) as web:
        wires: list[Wire] = []
        for quantity in range(1, 41):
            wires.append(web.connect())
            body = message("edit_cart", cart(quantity))
            wires[-1].send(request("POST", "/mcp", web.head("edit_cart"), body))
        select.select([wire.socket for wire in wires], [], [], 20)
        assert web.end() == 0
        assert not any("Traceback" in line for line in web.said)
        told = {reply.answer.call_id for wire in wires if (reply := wire.reply_if_any()) is not None}
        assert told == acted(world)
        assert told
        for wire in wires:
            wire.close()


def test_an_open_stream_of_an_older_client_does_not_keep_it(world: World) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    with serving(world) as web:
        head = web.head(mcp_protocol_version=None, mcp_method=None, mcp_name=None)
        opening = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        session = web.post(opening, head).headers["mcp-session-id"]
        stream = web.connect()
        stream.send(request("GET", "/mcp", {**head, "accept": "text/event-stream", "mcp-session-id": session}))
        assert stream.begins() == 200
        assert web.end() == 0
        stream.close()


@pytest.mark.parametrize("first", [1, 7])
def test_on_stdio(world: World, first: int) -> None:
    session = Session(world, "--customer", "cus_ana", "--assurance", "stepped_up", policy=OPEN)
    keys = [session.send("edit_cart", cart(quantity)) for quantity in range(1, 41)]
    session.wait(keys[first])
    session.process.send_signal(signal.SIGTERM)
    assert session.process.wait(20) == 0
    session.close()
    assert session.errors.read_bytes() == b""
    told = {json.dumps(answer["call_id"]).strip('"') for answer in session.answers()}
    assert told == acted(world)
    assert len(told) > first


def test_a_question_that_nobody_answers_keeps_no_process(world: World) -> None:
    """An older client was asked in a form, and its user has not looked at it yet."""
    asking = policy("{id: ask, tools: [cancel_order], confirm: client}")
    session = Session(world, "--customer", "cus_ana", "--assurance", "stepped_up", policy=asking, asks=True)
    session.send("cancel_order", {"order_id": "ord_a2", "reason": "other"})
    session.asked()
    session.process.send_signal(signal.SIGTERM)
    assert session.process.wait(20) == 0
    session.close()
    [record] = [record for record in records(world) if record.get("tool") == "cancel_order"]
    assert record["outcome"]["status"] == "confirmation_required"
