"""Inputs over HTTP that must be refused: with a reason, a record where a call can be made out, and without effect."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from e2e.bad_inputs import BAD, GARBAGE
from e2e.world import OPEN, JsonObject, World
from web.house import ASKABLE, META, Web, calls, message, request, serving

from tillgate.server.screen import MOST_BYTES

ORDER = {"order_id": "ord_a1"}
CANCEL = {"order_id": "ord_a2", "reason": "other"}


@pytest.fixture(scope="module")
def web(seeded: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(seeded.copy(tmp_path_factory.mktemp("bad")), policy=OPEN) as made:
        yield made


@pytest.fixture(autouse=True)
def _untouched(web: Web) -> Iterator[None]:
    """Nothing in this file has an effect, and nobody is shown where in the code something went wrong."""
    shop = web.world.shop()
    yield
    assert web.world.shop() == shop
    assert not any("Traceback" in line for line in web.said)
    assert web.call("get_order", ORDER).answer.status == "completed"


def raw(arguments: bytes, tool: bytes, meta: JsonObject) -> bytes:
    """A call with these raw bytes as its arguments."""
    head = b'{"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"%s",' % tool
    return head + b'"_meta":%s,"arguments":%s}}' % (json.dumps(meta).encode(), arguments)


def codes(web: Web, start: int) -> list[str | None]:
    return [(record.get("refusal") or {}).get("code") for record in calls(web.world)[start:]]


@pytest.mark.parametrize("meta", [META, ASKABLE], ids=["plain", "askable"])
def test_arguments_are_refused_with_a_reason_and_a_record(web: Web, meta: JsonObject) -> None:
    """Numbers 1 to 27 of the list."""
    start, wrong, large = len(calls(web.world)), [], 0
    for name, tool, arguments in BAD:
        body = raw(arguments, tool, meta)
        reply = web.post(body, web.head(tool.decode()))
        if len(body) > MOST_BYTES:
            large += 1
            fine = reply.status == 413
        else:
            text = reply.answer.envelope.get("reasons", [{"message": ""}])[0]["message"]
            fine = reply.answer.codes == ["invalid_arguments"] and reply.answer.is_error and text.isprintable()
        if not fine or b"Traceback" in reply.body or len(reply.body) > 4000:
            wrong.append(f"{name}: {reply.status} {reply.body[:300]!r}")
    assert wrong == [], "\n".join(wrong)
    assert large == 2
    assert codes(web, start) == ["invalid_arguments"] * (len(BAD) - large)


def test_what_is_no_message_is_refused_as_one(web: Web) -> None:
    """Number 34 of the list, and noise."""
    start = len(calls(web.world))
    for noise in GARBAGE:
        for meta in (META, ASKABLE):
            body = noise.replace(b'"params":{', b'"params":{"_meta":%s,' % json.dumps(meta).encode())
            method = json.loads(noise)["method"] if b'"method":"tools/list"' in noise and noise.count(b"[") < 3 else ""
            reply = web.post(body, web.head("cancel_order", mcp_method=method or "tools/call"))
            assert reply.status in (200, 202, 400, 404, 413), (noise[:80], reply)
            assert b"Traceback" not in reply.body
            assert reply.status != 200 or reply.answer.is_error or reply.error, (noise[:80], reply)
    assert set(codes(web, start)) <= {"invalid_arguments"}


def test_the_same_id_twice_is_two_calls(web: Web) -> None:
    """Number 34: only a key, or being the same act, makes two calls one."""
    start = len(calls(web.world))
    for _ in range(2):
        body = message("get_order", ORDER, key=7)
        assert web.post(body, web.head()).answer.status == "completed"
    assert len(calls(web.world)) == start + 2


@pytest.mark.parametrize("meta", [META, ASKABLE], ids=["plain", "askable"])
@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        ({"mcp_name": "get_cart"}, 400, -32020),
        ({"mcp_name": None}, 400, -32020),
        ({"mcp_name": "=?base64?Z2V0X29yZGVy?="}, 400, -32020),
        ({"mcp_method": "tools/list"}, 400, -32020),
        ({"mcp_method": None}, 400, -32020),
        ({"mcp_protocol_version": "2031-01-01"}, 400, None),
        ({"content_type": "text/plain"}, 415, -32600),
        ({"content_type": "application/x-www-form-urlencoded"}, 415, -32600),
        ({"accept": "text/html"}, 406, -32600),
        ({"origin": "http://evil.example"}, 403, -32600),
        ({"origin": "null"}, 403, -32600),
        ({"host": "127.0.0.1.evil.example"}, 403, -32600),
        ({"host": "evil.example:80"}, 403, -32600),
    ],
)
def test_a_head_that_says_something_else_is_refused(
    web: Web, head: Mapping[str, str | None], status: int, code: int | None, meta: JsonObject
) -> None:
    """Numbers 32 and 33."""
    start = len(calls(web.world))
    reply = web.call("cancel_order", CANCEL, meta=meta, **{"mcp_name": "cancel_order", **head})
    assert reply.status == status, reply
    assert code is None or reply.error == code
    assert codes(web, start) == (["invalid_arguments"] if status == 400 else [])


def test_a_head_that_says_it_twice_is_refused(web: Web) -> None:
    body = json.dumps(message("cancel_order", CANCEL)).encode()
    once = request("POST", "/mcp", web.head("cancel_order"), body)
    for line in (b"mcp-name: cancel_order\r\n", b"host: evil.example\r\n", b"content-type: application/json\r\n"):
        twice = once.replace(b"\r\n", b"\r\n" + line, 1)
        assert web.send(twice).status in (400, 403)


def test_lengths_that_contradict_each_other_are_refused(web: Web) -> None:
    """So that nothing in front of the server reads other requests than it does."""
    body = json.dumps(message("cancel_order", CANCEL)).encode()
    for more in ({"content_length": str(len(body)), "transfer_encoding": "chunked"}, {"content_length": "-1"}):
        assert web.send(request("POST", "/mcp", web.head("cancel_order", **more), body)).status == 400


def test_ten_megabytes_are_not_taken_in(web: Web) -> None:
    """Number 23; with its length said before, in parts, and announced."""
    start, body = len(calls(web.world)), b'{"a":"%s"}' % (b"x" * 10_000_000)
    assert web.post(body, web.head()).status == 413
    parts = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5_000_000], body[5_000_000:]))
    assert web.send(request("POST", "/mcp", web.head(transfer_encoding="chunked"), parts + b"0\r\n\r\n")).status == 413
    announced = web.head(content_length=str(len(body)), expect="100-continue")
    assert web.send(request("POST", "/mcp", announced)).status == 413
    assert codes(web, start) == []


def test_a_token_among_the_arguments_is_refused_and_kept_nowhere(web: Web) -> None:
    """Number 31."""
    token = web.token()
    for arguments in ({**ORDER, "access_token": token}, {"order_id": token}, {**ORDER, "authorization": token}):
        reply = web.call("get_order", arguments)
        assert reply.answer.codes == ["invalid_arguments"]
        assert token.encode() not in reply.body
    assert not any(token in line for line in web.said)
    kept = b"".join(file.read_bytes() for file in web.world.path.glob("shop.db*"))
    assert token.encode() not in kept
    assert token.rpartition(".")[2].encode() not in kept


@pytest.mark.parametrize("line", ['\\n{\\"kind\\":\\"call\\"}', "\\r\\n", "\\u2028", "\\u001b[2J"])
def test_a_name_that_would_forge_a_record_or_move_a_cursor_is_shown_harmless(web: Web, line: str) -> None:
    """Number 58."""
    start = len(calls(web.world))
    reply = web.post(raw(b"{}", line.encode(), META), web.head("x"))
    assert reply.status in (200, 400)
    assert codes(web, start) == (["unknown_tool"] if reply.status == 200 else ["invalid_arguments"])
    if reply.status == 200:
        assert reply.answer.envelope["reasons"][0]["message"].isprintable()


def test_other_methods_and_paths_change_nothing(web: Web) -> None:
    for method in ("PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"):
        assert web.send(request(method, "/mcp", {**web.head("cancel_order"), "connection": "close"})).status >= 400
    for path in ("/mcp/", "//mcp", "/MCP", "/mcp%00", "/../mcp", "/console", "/"):
        assert web.post(message("cancel_order", CANCEL), web.head("cancel_order"), path).status in (400, 404)


def test_a_captured_request_that_is_sent_again_acts_once(seeded: World, tmp_path: Any) -> None:
    """Number 35: to the letter, with its token and its id."""
    with serving(seeded.copy(tmp_path / "again"), policy=OPEN) as web:
        captured = request("POST", "/mcp", web.head("cancel_order"), message("cancel_order", CANCEL, key=1))
        first, *rest = [web.send(captured) for _ in range(3)]
        shop = web.world.shop()
        assert (first.answer.status, first.answer.envelope["replayed"]) == ("completed", False)
        assert [(again.answer.call_id, again.answer.envelope["replayed"]) for again in rest] == [
            (first.answer.call_id, True)
        ] * 2
        assert web.world.shop() == shop


@pytest.mark.parametrize("meta", [META, ASKABLE], ids=["plain", "askable"])
def test_a_caller_who_hangs_up_during_a_call_is_told_when_it_comes_back(
    seeded: World, tmp_path: Any, meta: JsonObject
) -> None:
    """Number 70."""
    with serving(seeded.copy(tmp_path / "gone"), policy=OPEN) as web:
        start = len(calls(web.world))
        for quantity in range(1, 31):
            arguments = {"cart_id": "cart_ana", "lines": [{"variant_id": "v_mug", "quantity": quantity}]}
            wire = web.connect()
            wire.send(request("POST", "/mcp", web.head("edit_cart"), message("edit_cart", arguments, meta)))
            wire.close()
            again = web.call("edit_cart", arguments, meta=meta).answer
            assert again.status == "completed"
        done = [record for record in calls(web.world)[start:] if record["outcome"]["status"] == "completed"]
        acts = [record for record in done if not record["outcome"].get("replayed")]
        assert len(acts) == 30
