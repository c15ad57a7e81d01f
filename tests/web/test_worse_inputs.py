"""Inputs over HTTP that nobody had listed: the calls of `e2e.worse_inputs`, and heads, paths, tokens and bodies."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from e2e.world import ESCALATE, OPEN, JsonObject, World
from e2e.worse_inputs import ANSWERED, NAMES, PROTOCOL, cancel, deep
from web.house import ASKABLE, CAPABILITIES, META, Web, calls, records, request, serving
from web.house import PROTOCOL as VERSION_KEY

CALL = json.dumps(cancel("w", META)).encode()
BODY: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \r\n\t",
    "UTF-16": json.dumps(cancel("w", META)).encode("utf-16"),
    "UTF-32": json.dumps(cancel("w", META)).encode("utf-32"),
    "other quotes": CALL.replace(b'"', b"'"),
    "a batch of one": b"[" + CALL + b"]",
    "a form": b"jsonrpc=2.0&method=tools/call",
    "XML": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    "MessagePack": b"\x84\xa7jsonrpc\xa32.0",
    "zlib": gzip.compress(CALL),
}
ENVELOPES: dict[str, JsonObject] = {
    "an id of fractions": {"id": 1.0},
    "an id in powers": {"id": 1e3},
    "an id of truth": {"id": True},
    "an id of nothing": {"id": None},
    "an id in a list": {"id": [1]},
    "an id of 31 digits": {"id": 10**30},
    "a version that is a number": {"jsonrpc": 2.0},
    "a version with more digits": {"jsonrpc": "2.00"},
    "parameters in a list": {"params": [{"name": "cancel_order"}]},
    "parameters as text": {"params": '{"name": "cancel_order"}'},
    "parameters of nothing": {"params": None},
}
METAS: dict[str, object] = {
    "a list": [],
    "text": "x",
    "nothing": None,
    "abilities of nothing": {**META, CAPABILITIES: None},
    "abilities in a list": {**META, CAPABILITIES: []},
    "a version that is a number": {**META, VERSION_KEY: 20260728},
    "another version than the head": {**META, VERSION_KEY: "2025-11-25"},
    "too deep": {**META, "a": deep(20)},
}
HEADS: list[tuple[int, Mapping[str, str | None]]] = [
    (415, {"content_type": "application/json; charset=utf-16"}),
    (415, {"content_type": "application/json; charset=utf-7"}),
    (415, {"content_type": "application/json, application/json"}),
    (415, {"content_type": "application/json;application/x-www-form-urlencoded"}),
    (415, {"content_type": None}),
    (415, {"content_type": "application/json-seq"}),
    (415, {"content_type": "text/json"}),
    (415, {"content_encoding": "gzip"}),
    (415, {"content_encoding": "identity, gzip"}),
    (400, {"transfer_encoding": "xchunked"}),
    (400, {"transfer_encoding": "gzip"}),
    (406, {"accept": "application/json-rpc"}),
    (406, {"accept": ""}),
    (400, {"mcp_name": "CANCEL_ORDER"}),
    (400, {"mcp_name": "cancel_order, cancel_order"}),
    (400, {"mcp_name": "c\xe0ncel_order"}),
    (400, {"mcp_name": "=?base64?Y2FuY2VsX29yZGVyA?="}),
    (400, {"mcp_protocol_version": ""}),
    (400, {"mcp_protocol_version": "2026-07-28, 2025-11-25"}),
    (400, {"mcp_method": "tools/call, tools/list"}),
    (400, {"mcp_method": "TOOLS/CALL"}),
    (400, {"content_length": "+5"}),
    (400, {"content_length": "1_0"}),
    (400, {"content_length": ""}),
    (400, {"x": "a\x00b"}),
    (400, {"x": "a\r\n b"}),
    (400, {"x y": "z"}),
    (400, {"x": "y" * 70_000}),
    (401, {"authorization": "Bearer\t{}"}),
    (401, {"authorization": "Basic x, Bearer {}"}),
    (401, {"authorization": "DPoP {}"}),
    (401, {"authorization": None, "proxy_authorization": "Bearer {}"}),
    (401, {"authorization": None, "cookie": "access_token={}"}),
    (401, {"authorization": None, "x_forwarded_user": "cus_ana", "x_api_key": "{}"}),
    *[
        (403, {"host": host})
        for host in (
            "", "user@{host}", "{host}@evil.example", "{host}0", "{host},evil.example", "127.0.0.1", "127.0.0.1:080",
            "127.1:{port}", "2130706433:{port}", "0x7f.1:{port}", "localhost.:{port}", "[::1%25eth0]:{port}",
            "[::ffff:127.0.0.1]:{port}", "127.0.0.1:+{port}", "\xb9\xb2\xb7.0.0.1:{port}", "http://{host}",
        )
    ],
    *[(403, {"origin": origin}) for origin in ("", "{host}", "https://{host}", "http://{host}.evil.example", "file://")],
]  # fmt: skip
LINES = [
    "POST http://evil.example/mcp HTTP/1.1", "POST /mcp#x HTTP/1.1", "POST * HTTP/1.1", "POST /mcp",
    "POST /mcp HTTP/2.0", "POST /mcp HTTP/1.2", "post /mcp HTTP/1.1", "POST mcp HTTP/1.1", "POST /m\x00cp HTTP/1.1",
]  # fmt: skip
PATHS = [
    "/%6dcp", "/mcp/", "//mcp", "/mcp/.", "/mcp/..;/mcp", "/mcp;x=1", "/./mcp", "/mcp%2f", "/mcp%20", "/mcp%3fx=1",
    "/mcp\\", "/verify/..%2fmcp", "/verify/../mcp", "/%2e%2e/mcp", "/mcp.json", "/%C0%AFmcp",
]  # fmt: skip


@pytest.fixture(scope="module")
def web(seeded: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(seeded.copy(tmp_path_factory.mktemp("worse")), policy=OPEN) as made:
        yield made


@pytest.fixture(autouse=True)
def _untouched(web: Web) -> Iterator[None]:
    shop = web.world.shop()
    yield
    assert web.world.shop() == shop
    assert not any("Traceback" in line for line in web.said)
    assert web.call("get_order", {"order_id": "ord_a1"}).answer.status == "completed"


def refusals(web: Web, start: int) -> list[str | None]:
    return [(record["refusal"] or {}).get("code") for record in calls(web.world)[start:]]


@pytest.mark.parametrize("meta", [META, ASKABLE], ids=["plain", "askable"])
def test_each_spoilt_call_is_refused_and_recorded(web: Web, meta: JsonObject) -> None:
    start, wrong = len(calls(web.world)), []
    for number, (name, spoil) in enumerate({**ANSWERED, **NAMES, **PROTOCOL}.items()):
        message = spoil(cancel(f"s{number}", meta))
        head = web.head("cancel_order")
        if name in NAMES:
            named = message["params"]["name"]
            head["mcp-name"] = named if named.isprintable() and named.isascii() and named == named.strip() else "x"
        reply = web.post(message, head)
        told = reply.answer
        fine = told.is_error and reply.status == 200 if name in ANSWERED else told.error or told.is_error
        if not fine or b"Traceback" in reply.body or len(reply.body) > 4000:
            wrong.append(f"{name}: {reply.status} {reply.body[:300]!r}")
    assert wrong == [], "\n".join(wrong)
    assert len(refusals(web, start)) == len(ANSWERED) + len(NAMES) + len(PROTOCOL)
    assert set(refusals(web, start)) == {"invalid_arguments", "unknown_tool"}


@pytest.mark.parametrize("name", BODY)
def test_a_body_in_which_no_call_can_be_made_out_is_refused(web: Web, name: str) -> None:
    start = len(calls(web.world))
    reply = web.post(BODY[name], web.head("cancel_order"))
    assert (reply.status, reply.headers["content-type"]) == (400, "application/json")
    assert reply.error in (-32700, -32600)
    assert refusals(web, start) == []


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope_that_is_none_is_refused_and_the_call_in_it_recorded(web: Web, name: str) -> None:
    start = len(calls(web.world))
    reply = web.post({**cancel("w", META), **ENVELOPES[name]}, web.head("cancel_order"))
    assert reply.status == 400
    assert refusals(web, start) == ["invalid_arguments"]


@pytest.mark.parametrize("name", METAS)
def test_meta_that_says_nothing_clear_is_refused(web: Web, name: str) -> None:
    start = len(calls(web.world))
    message = cancel("w")
    message["params"]["_meta"] = METAS[name]
    reply = web.post(message, web.head("cancel_order"))
    assert reply.error or reply.answer.is_error, reply
    assert refusals(web, start) == ["invalid_arguments"]


@pytest.mark.parametrize(("status", "head"), HEADS)
def test_a_head_that_is_odd_is_refused(web: Web, status: int, head: Mapping[str, str | None]) -> None:
    token, filled = web.token(), {}
    for name, value in head.items():
        filled[name] = value and value.format(token, host=web.host, port=web.port)
    start = len(calls(web.world))
    reply = web.post(CALL, web.head("cancel_order", token, **filled))
    assert reply.status == status, reply
    assert reply.headers["content-type"].startswith(("application/json", "text/plain"))
    known = status == 400 and any(name.startswith("mcp") for name in head)
    assert refusals(web, start) == (["invalid_arguments"] if known else [])
    assert token.encode() not in reply.body


@pytest.mark.parametrize("name", ["authorization", "mcp-name", "mcp-method", "mcp-protocol-version", "host", "origin"])
def test_a_field_that_comes_twice_is_not_one(web: Web, name: str) -> None:
    head = web.head("cancel_order", origin=f"http://{web.host}")
    once = request("POST", "/mcp", head, CALL)
    for value in (head[name], "other"):
        assert web.send(once.replace(b"\r\n", f"\r\n{name}: {value}\r\n".encode(), 1)).status in (400, 403)


@pytest.mark.parametrize("line", LINES)
def test_a_request_line_that_is_none_is_refused(web: Web, line: str) -> None:
    once = request("POST", "/mcp", web.head("cancel_order"), CALL)
    reply = web.send(once.replace(b"POST /mcp HTTP/1.1", line.encode(), 1))
    assert reply.status == 400


@pytest.mark.parametrize("path", PATHS)
def test_no_other_path_leads_to_the_same_door(web: Web, path: str) -> None:
    assert web.post(CALL, web.head("cancel_order"), path).status == 404


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_a_method_is_what_it_is_and_not_what_a_field_says(web: Web, method: str) -> None:
    head = {**web.head("cancel_order"), "x-http-method-override": "POST", "x-method-override": "POST"}
    assert web.send(request(method, "/mcp", head, CALL)).status == 405


def test_what_follows_the_body_is_not_a_head(web: Web) -> None:
    """A proxy in front decides by what comes first; so does this."""
    start = len(calls(web.world))
    chunk = b"%x\r\n%s\r\n0\r\n" % (len(CALL), CALL)
    head = web.head("cancel_order", transfer_encoding="chunked", mcp_name=None)
    told = web.send(request("POST", "/mcp", head, chunk + b"mcp-name: cancel_order\r\n\r\n"))
    assert (told.status, told.error) == (400, -32020)
    assert refusals(web, start) == ["invalid_arguments"]
    no_token = web.head("cancel_order", None, transfer_encoding="chunked")
    late = b"authorization: Bearer %s\r\n\r\n" % web.token().encode()
    assert web.send(request("POST", "/mcp", no_token, chunk + late)).status == 401


CHUNKS = [b"-5\r\nhello\r\n", b"fffffffffffffffff\r\n", b"5\nhello\n", b" 5\r\nhello\r\n", b"0x5\r\n"]


def test_a_body_that_is_packed_below_its_chunks_is_refused(web: Web) -> None:
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(CALL), CALL)
    head = web.head("cancel_order", transfer_encoding="gzip, chunked")
    assert web.send(request("POST", "/mcp", head, chunk)).status == 415


@pytest.mark.parametrize("chunk", CHUNKS)
def test_chunks_that_are_none_are_refused(web: Web, chunk: bytes) -> None:
    assert web.send(request("POST", "/mcp", web.head(transfer_encoding="chunked"), chunk)).status == 400


def test_a_head_of_too_many_fields_is_refused(web: Web) -> None:
    many = {f"x-{number}": "y" for number in range(300)}
    assert web.post(CALL, {**web.head("cancel_order"), **many}).status == 400


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("resources/read", {"uri": "tillgate://../policy"}),
        ("resources/read", {"uri": "tillgate://policy/../offers"}),
        ("resources/read", {"uri": "TILLGATE://policy"}),
        ("resources/read", {"uri": "tillgate://policy?x"}),
        ("resources/read", {"uri": "file:///etc/passwd"}),
        ("resources/read", {"uri": "tillgate://policy\x00"}),
        ("resources/read", {"uri": 7}),
        ("prompts/get", {"name": "where_is_my_order", "arguments": {"order_id": 7}}),
        ("prompts/get", {"name": "where_is_my_order", "arguments": {"order_id": "{order_id.__class__}", "x": "y"}}),
        ("prompts/get", {"name": "where_is_my_order", "arguments": {"order_id": "x\ny"}}),
        ("prompts/get", {"name": "where_is_my_order", "arguments": []}),
        ("prompts/get", {"name": "talk_to_a_person", "arguments": {"constructor": "x"}}),
        ("prompts/get", {"name": "../talk_to_a_person"}),
        ("tools/list", {"cursor": 7}),
        ("tasks/get", {"taskId": "esc_" + "0" * 32}),
        ("tasks/get", {"taskId": ["x"]}),
        ("tasks/get", {"taskId": ""}),
        ("tasks/get", {"taskId": "x" * 200}),
        ("tasks/cancel", {"taskId": "../../esc"}),
        ("tasks/result", {"taskId": "x"}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": "b"}}),
        ("logging/setLevel", {"level": "debug"}),
        ("sampling/createMessage", {"messages": []}),
        ("rpc.discover", {}),
        ("__proto__", {}),
    ],
)
def test_whatever_else_the_protocol_knows_is_as_strict(web: Web, method: str, params: JsonObject) -> None:
    able = {**META, CAPABILITIES: {"extensions": {"io.modelcontextprotocol/tasks": {}}}}
    named = str(params.get("uri", params.get("name", params.get("taskId", ""))))
    head = web.head(mcp_method=method, mcp_name=named if named.isprintable() else "x")
    reply = web.post({"jsonrpc": "2.0", "id": "r", "method": method, "params": {**params, "_meta": able}}, head)
    assert reply.status in (200, 400, 404), reply
    assert reply.error is not None, reply
    assert b"Traceback" not in reply.body
    assert b"pydantic" not in reply.body


def test_another_customers_task_is_none_and_stays_as_it_is(seeded: World, tmp_path: Path) -> None:
    able = {**META, CAPABILITIES: {"extensions": {"io.modelcontextprotocol/tasks": {}}}}
    refund = {"order_id": "ord_a1", "amount": "45.00", "reason": "late"}
    with serving(seeded.copy(tmp_path / "task"), policy=ESCALATE) as web:
        task = web.call("issue_refund", refund, meta=able).message["result"]["taskId"]

        def asked(method: str, token: str, key: str) -> JsonObject:
            params = {"taskId": key, "_meta": able}
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return web.post(body, web.head(token=token, mcp_method=method, mcp_name=key)).message

        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            for token in (web.token("cus_ben"), web.token(None)):
                never = "esc_" + "0" * 32
                assert asked(method, token, task) == asked(method, token, never)
        assert asked("tasks/get", web.token(), task)["result"]["status"] == "working"


def test_records_name_the_tool_and_keep_nothing_that_was_sent(web: Web) -> None:
    start = len(records(web.world))
    spoilt = cancel("w", META)
    spoilt["params"]["arguments"]["reason"] = "zq-canary"
    web.post(spoilt, web.head("get_order"))
    [record] = [record for record in records(web.world)[start:] if record["kind"] == "call"]
    assert record["tool"] == "cancel_order"
    assert "zq-canary" not in json.dumps(record)
