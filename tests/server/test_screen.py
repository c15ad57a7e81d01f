"""Raw messages: what a parser further in would mend or drop is refused by name, and nothing else is touched."""

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillgate.server.ending import Told
from tillgate.server.screen import FAULT, MOST_BYTES, screen, screen_oversize
from tillgate.server.stdio import LineWriter, lines, private_wire


def _call(arguments: str, before: str = "") -> bytes:
    params = f'"name": "issue_refund", "arguments": {arguments}, "_meta": {{"tillgate/conversation": "c1"}}'
    return f'{{"jsonrpc": "2.0", {before}"id": 7, "method": "tools/call", "params": {{{params}}}}}'.encode()


def _fault(line: bytes) -> str:
    message = json.loads(screen(line))
    assert (message["id"], message["method"], message["params"]["name"]) == (7, "tools/call", "issue_refund")
    assert message["params"]["arguments"] == {}
    assert message["params"]["_meta"]["tillgate/conversation"] == "c1"
    return str(message["params"]["_meta"][FAULT])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ('{"amount": "1.00", "amount": "9999.00"}', "twice"),
        ('{"a": {"b": 1, "b": 2}}', "twice"),
        ('{"amount": NaN}', "NaN"),
        ('{"amount": -Infinity}', "Infinity"),
        ('{"text": "\\ud800"}', "character"),
        ('{"n": 1e400}', "number"),
        ('{"n": ' + "9" * 5000 + "}", "JSON"),
        ('{"n": ' + "9" * 30 + "}", "number"),
        ("[" * 100_000 + "]" * 100_000, "larger"),
        ("[" * 40 + "]" * 40, "nested"),
        ('{"text": "' + "x" * MOST_BYTES + '"}', "larger"),
        ("[]", "object"),
        ('"x"', "object"),
        ("5", "object"),
    ],
)
def test_a_fault_is_named_and_the_arguments_are_left_behind(arguments: str, word: str) -> None:
    assert word in _fault(_call(arguments))


def test_what_the_key_is_called_cannot_draw_on_a_terminal() -> None:
    assert "\\x1b" not in _fault(_call('{"\\u001b[2J": 1, "\\u001b[2J": 2}'))


def test_a_fault_a_client_names_itself_is_only_its_own_meta() -> None:
    sent = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"tillgate/fault":"no"}}}'
    assert FAULT not in json.loads(screen(sent))["params"]["_meta"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=5))
def test_a_sound_message_passes_byte_for_byte(arguments: dict[str, Any]) -> None:
    line = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x", "arguments": arguments}}
    )
    if line.count("[") + line.count("{") <= 16:
        assert screen(line.encode()) == line


@given(st.binary(max_size=300))
def test_no_bytes_break_the_screen(line: bytes) -> None:
    assert isinstance(screen(line), str)


@pytest.mark.parametrize("id_last", [False, True])
def test_of_an_endless_message_the_two_ends_are_enough(id_last: bool) -> None:
    start = (
        '{"jsonrpc":"2.0","method":"tools/call",' + ("" if id_last else '"id":"a-1",') + '"params":{"name":"get_order",'
    )
    head = (start + '"arguments":{"x":"' + "y" * MOST_BYTES).encode()[:MOST_BYTES]
    tail = b'yyyy"}}' + (b',"id":"a-1"}' if id_last else b"}")
    message = json.loads(screen_oversize(head, tail))
    assert (message["id"], message["params"]["name"]) == ("a-1", "get_order")
    assert "larger" in message["params"]["_meta"][FAULT]


async def test_lines_come_whole_however_they_are_cut() -> None:
    reading, writing = os.pipe()
    for part in (b'{"a"', b': 1}\n{"b": 2}\n\n{"c"', b": 3}\n"):
        os.write(writing, part)
    os.close(writing)
    assert [line async for line in lines(reading, Told())] == ['{"a": 1}', '{"b": 2}', '{"c": 3}']
    os.close(reading)


async def test_an_endless_line_is_answered_and_the_next_one_is_read() -> None:
    import anyio

    reading, writing = os.pipe()
    endless = _call('{"text": "' + "x" * 3_000_000 + '"}') + b"\n"

    async def write() -> None:
        await LineWriter(writing).write((endless + b'{"b": 2}\n').decode())
        os.close(writing)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(write)
            first, second = [line async for line in lines(reading, Told())]
    assert "larger" in first
    assert len(first) < 1000
    assert second == '{"b": 2}'
    os.close(reading)


async def test_the_writer_waits_for_a_reader_who_is_slow() -> None:
    import anyio

    reading, writing = os.pipe()
    text, received = "x" * 300_000 + "\n", bytearray()

    async def read() -> None:
        while len(received) < len(text):
            await anyio.wait_readable(reading)
            received.extend(os.read(reading, 5000))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await LineWriter(writing).write(text)
    assert received.decode() == text
    os.close(reading)
    os.close(writing)


async def test_a_client_that_has_gone_is_the_end_and_not_a_fault() -> None:
    import anyio

    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(anyio.ClosedResourceError):
        await LineWriter(writing).write("x\n")
    os.close(writing)


def test_a_stray_print_never_reaches_the_wire(capfd: pytest.CaptureFixture[str]) -> None:
    with private_wire() as (wire_in, wire_out):
        os.write(1, b"a stray print\n")
        os.write(wire_out, b"the protocol\n")
        assert os.read(0, 10) == b""
        assert wire_in > 2
    out, err = capfd.readouterr()
    assert (out, err) == ("the protocol\n", "a stray print\n")
