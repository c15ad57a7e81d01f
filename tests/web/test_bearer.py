"""Who may ask: without a good token nothing is looked at, and with one only what it covers."""

import json
from typing import Any

import pytest
from e2e.world import JsonObject, World
from starlette.applications import Starlette
from starlette.testclient import TestClient
from web.house import ASKABLE, META, START, Reply, Web, calls, message, serving

from tillgate.server.web.bearer import metadata_pages

ORDER = {"order_id": "ord_a1"}


@pytest.fixture
def before(web: Web) -> int:
    return len(calls(web.world))


def refused(reply: Reply) -> str:
    """A refusal that says how to ask, and not why it is one."""
    assert reply.status == 401
    assert reply.message["error"]["message"] == "A bearer token is needed that is valid here"
    challenge = reply.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert 'scope="tools:read tools:write"' in challenge
    assert '/.well-known/oauth-protected-resource/mcp"' in challenge
    return challenge


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": START - 11},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": START + 60},
        {"iat": START + 60},
        {"aud": "https://other.example/mcp"},
        {"aud": None},
        {"aud": ["https://other.example/mcp"]},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"client_id": None},
        {"client_id": "\x1b[2J"},
        {"customer_id": 7},
        {"customer_id": "cus_ana\n"},
        {"scope": 7},
        {"scope": ["tools:read", 7]},
        {"tillgate_assurance": "god"},
        {"tillgate_assurance": "anonymous"},
        {"customer_id": None, "tillgate_assurance": "stepped_up"},
        {"auth_time": START + 60},
        {"auth_time": True},
        {"sid": "x" * 200},
    ],
)
def test_a_token_that_does_not_say_all_that_is_needed_is_none(web: Web, before: int, claims: JsonObject) -> None:
    assert 'error="invalid_token"' in refused(web.call("get_order", ORDER, web.token(**claims)))
    assert len(calls(web.world)) == before


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer a b", "Basic {}", "Bearer {}x", "Bearer {}, Bearer {}", "{}"])
def test_only_one_whole_bearer_token_is_one(web: Web, before: int, value: str) -> None:
    refused(web.call("get_order", ORDER, None, authorization=value.replace("{}", web.token())))
    assert len(calls(web.world)) == before


def test_without_a_token_it_is_not_said_that_one_was_wrong(web: Web) -> None:
    assert "error=" not in refused(web.call("get_order", ORDER, None))
    for method in ("GET", "DELETE", "PUT"):
        head = {"host": web.host, "accept": "text/event-stream"}
        raw = f"{method} /mcp HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items())
        assert refused(web.send((raw + "\r\n").encode()))


def test_two_tokens_are_not_one(web: Web, before: int) -> None:
    one = f"authorization: Bearer {web.token()}\r\n"
    body = json.dumps(message("get_order", ORDER))
    head = "".join(f"{name}: {value}\r\n" for name, value in web.head(token=None).items())
    raw = f"POST /mcp HTTP/1.1\r\n{head}{one}{one}content-length: {len(body)}\r\n\r\n{body}"
    assert web.send(raw.encode()).status == 403
    assert len(calls(web.world)) == before


def test_where_tokens_come_from_is_said_to_whoever_asks(web: Web) -> None:
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
        told = web.get(path).message
        assert told["resource"] == web.url
        assert told["scopes_supported"] == ["tools:read", "tools:write"]
        assert told["bearer_methods_supported"] == ["header"]
        assert "authorization_servers" not in told  # the development key is nobody's URL


@pytest.mark.parametrize(
    ("issuer", "listed"),
    [("https://id.example", ["https://id.example"]), ("http://127.0.0.1:9", ["http://127.0.0.1:9"]), ("urn:x:y", None)],
)
def test_an_issuer_is_listed_if_it_is_an_url(issuer: str, listed: list[str] | None) -> None:
    app = Starlette(routes=metadata_pages("https://shop.example/mcp", issuer))
    told = TestClient(app).get("/.well-known/oauth-protected-resource/mcp").json()
    assert told.get("authorization_servers") == listed


@pytest.mark.parametrize("meta", [META, ASKABLE], ids=["plain", "askable"])
@pytest.mark.parametrize(
    ("scope", "tool", "needed"),
    [
        ("tools:write", "get_order", "tools:read tools:write"),
        ("tools:read", "cancel_order", "tools:read tools:write"),
        ("", "get_order", "tools:read"),
        ("openid tool:get_cart", "get_order", "tool:get_cart tools:read"),
    ],
)
def test_a_token_that_covers_too_little_is_told_what_it_needs_and_the_call_is_written_down(
    web: Web, meta: JsonObject, scope: str, tool: str, needed: str
) -> None:
    arguments = ORDER if tool == "get_order" else {"order_id": "ord_a2", "reason": "other"}
    before, shop = len(calls(web.world)), web.world.shop()
    reply = web.call(tool, arguments, web.token(scope=scope), meta)
    assert reply.status == 403
    assert f'error="insufficient_scope", scope="{needed}"' in reply.headers["www-authenticate"]
    assert (reply.answer.status, reply.answer.codes) == ("denied", ["insufficient_scope"])
    [record] = calls(web.world)[before:]
    assert (record["tool"], record["refusal"]["code"]) == (tool, "insufficient_scope")
    assert web.world.shop() == shop


@pytest.mark.parametrize("claims", [{"scope": "tool:get_order"}, {"scope": None, "scp": ["tools:read"]}])
def test_a_scope_of_one_tool_or_one_in_a_list_is_enough(web: Web, claims: JsonObject) -> None:
    assert web.call("get_order", ORDER, web.token(**claims)).answer.status == "completed"


def test_scopes_permit_nothing_that_policy_does_not(world: World) -> None:
    with serving(world, policy="policy: p\nversion: 1\ncurrency: USD\nrules: []\n") as web:
        assert web.call("get_order", ORDER, web.token(scope="tools:read tool:get_order")).answer.codes == ["no_permit"]


def test_a_token_is_what_says_who_is_served(web: Web) -> None:
    assert web.call("get_order", ORDER, web.token("cus_ben")).answer.codes == ["not_found"]
    unknown = web.call("get_order", {"order_id": "ord_none"}, web.token("cus_ben")).answer
    other = web.call("get_order", ORDER, web.token("cus_ben")).answer
    assert other.words() == unknown.words()
    for told in ({"customer_id": "cus_ben"}, {"subject": "cus_ben"}):
        assert web.call("get_order", {**ORDER, **told}).answer.codes == ["invalid_arguments"]
    assert web.call("get_order", ORDER, web.token("cus_gone")).answer.codes == ["not_found"]
    assert web.call("get_order", ORDER, web.token(None)).answer.status == "verification_required"


def test_a_step_up_counts_for_ten_minutes_from_when_the_customer_proved_it(world: World) -> None:
    rule = '{id: r, tools: [get_order], when: "subject.assurance >= STEPPED_UP", permit: true}'
    text = f"policy: p\nversion: 1\ncurrency: USD\nrules:\n  - {rule}\n"
    stepped = {"tillgate_assurance": "stepped_up"}
    with serving(world, policy=text) as web:
        cases: list[tuple[Any, str]] = [
            ({}, "denied"),
            (stepped, "completed"),
            ({**stepped, "auth_time": START - 599}, "completed"),
            ({**stepped, "auth_time": START - 600}, "denied"),
            ({**stepped, "iat": START - 600}, "denied"),
            ({**stepped, "iat": None}, "denied"),
        ]
        for claims, status in cases:
            assert web.call("get_order", ORDER, web.token(**claims)).answer.status == status, claims


def test_an_issuer_may_have_its_own_words_for_levels_and_for_the_customer(world: World) -> None:
    rule = '{id: r, tools: [get_order], when: "subject.assurance >= STEPPED_UP", permit: true}'
    text = f"policy: p\nversion: 1\ncurrency: USD\nrules:\n  - {rule}\n"
    with serving(world, "--customer-claim", "sub", "--acr", "urn:gold=stepped_up", policy=text) as web:
        assert web.call("get_order", ORDER, web.token(customer_id=None, acr="urn:gold")).answer.status == "completed"
        assert web.call("get_order", ORDER, web.token(customer_id=None, acr="urn:tin")).answer.status == "denied"


def test_a_token_in_a_query_is_refused_and_never_repeated(web: Web) -> None:
    token = web.token()
    for name in ("access_token", "token", "x"):
        reply = web.post(message("get_order", ORDER), web.head(token=token), f"/mcp?{name}={token}")
        assert reply.status == 400
        assert token.encode() not in reply.body
    assert not any(token in line for line in web.said)


def test_nobody_else_can_go_on_in_an_older_clients_session(web: Web) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}}
    opening = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    head = web.head(mcp_protocol_version=None, mcp_method=None, mcp_name=None)
    session = web.post(opening, head).headers["mcp-session-id"]
    asking = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    for customer, status in (("cus_ana", 200), ("cus_ben", 404)):
        there = {**head, "mcp-session-id": session, "authorization": f"Bearer {web.token(customer)}"}
        assert web.post(asking, there).status == status
    assert web.post(asking, {**head, "mcp-session-id": session, "authorization": ""}).status == 401
