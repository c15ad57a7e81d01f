"""Over HTTP: both protocol eras, a body that is screened first, and no open door but on this machine."""

import asyncio
import json
import socket
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sites import served, site
from starlette.testclient import TestClient
from worlds import NOW, SHOP

from tillgate.guards.answers import UNSETTLED
from tillgate.guards.errors import Unavailable
from tillgate.server import answering, between
from tillgate.server.app import App, build
from tillgate.server.over_http import hello_of
from tillgate.server.settings import settings
from tillgate.server.web import endpoint
from tillgate.tools.shops.embedded.seed import seed

POLICY = """policy: web
version: 1
currency: USD
rules:
  - {id: all, tools: "*", permit: true}
context: {get_order: {identified: [id, status]}}
"""
HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "get_order",
}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def body(order: str = "ord_1") -> dict[str, Any]:
    params = {"name": "get_order", "arguments": {"order_id": order}, "_meta": META}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    (tmp_path / "policy.yaml").write_text(POLICY)
    flags = {"db": str(tmp_path / "web.db"), "policy": tmp_path / "policy.yaml", "now": NOW}
    made = build(settings(**flags, http="127.0.0.1:8123", unsafe_no_auth=True), serving=True)
    with made.store.transaction() as desk:
        seed(desk.sql, json.dumps(SHOP), now=NOW)
    yield made
    made.store.close()


@pytest.fixture
def client(app: App) -> Iterator[TestClient]:
    with served(app) as made:
        yield made


def records(app: App) -> list[dict[str, Any]]:
    with app.store.reading() as desk:
        return [json.loads(row[0]) for row in desk.sql.rows("SELECT record FROM audit ORDER BY seq")]


def test_whoever_speaks_http_is_not_told_where_store_policy_and_providers_are(app: App) -> None:
    told = replace(
        app, settings=settings(db="postgresql://me:opensesame@db/shop", payments="stub:books.db", notify="x")
    )
    assert not hello_of(told).settings.keys() & {"db", "TILLGATE_DATABASE_URL", "shop", "policy", "payments", "notify"}
    assert "opensesame" not in str(hello_of(told).settings)


def test_a_call_is_answered_as_json_and_recorded(app: App, client: TestClient) -> None:
    answer = client.post("/mcp", json=body(), headers=HEADERS)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()["result"]["structuredContent"]
    assert told["status"] == "verification_required"
    assert records(app)[-1]["agent"]["channel"] == "http"


def test_a_call_that_the_gate_has_no_answer_to_may_have_been_done(
    app: App, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_answer", lambda _ended: between.Failed("a fault"))
    told = client.post("/mcp", json=body(), headers=HEADERS).json()["result"]["structuredContent"]
    assert (told["status"], told["reasons"][0]["code"]) == ("failed", UNSETTLED.code)
    assert records(app)[-1]["kind"] == "call"


def test_two_keys_of_one_name_are_refused_by_the_gate_and_recorded(app: App, client: TestClient) -> None:
    raw = json.dumps(body()).replace('"order_id": "ord_1"', '"order_id": "ord_1", "order_id": "ord_2"')
    told = client.post("/mcp", content=raw, headers=HEADERS).json()["result"]["structuredContent"]
    assert told["reasons"][0]["message"] == "The key 'order_id' is there twice"
    assert records(app)[-1]["refusal"]["code"] == "invalid_arguments"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"mcp-name": "issue_refund"}, 400),
        ({"mcp-method": "tools/list"}, 400),
    ],
)
def test_what_comes_from_elsewhere_or_contradicts_itself_is_refused(
    app: App, client: TestClient, change: dict[str, str], status: int
) -> None:
    before = len(records(app))
    assert client.post("/mcp", json=body(), headers=HEADERS | change).status_code == status
    called = [record for record in records(app)[before:] if record["kind"] == "call"]
    assert [record["outcome"]["status"] for record in called] == (["denied"] if status == 400 else [])


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    assert client.post("/mcp", json=body("o" * 70_000), headers=HEADERS).status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "BODY_SECONDS", 0.01)
    with socket.socket() as unused:
        made = site(app, unused)
    head = {"host": "127.0.0.1:8123", "content-length": "100", **HEADERS}
    fields = [(name.encode(), value.encode()) for name, value in head.items()]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "query_string": b"", "headers": fields}
    said: list[MutableMapping[str, Any]] = []

    async def nothing_more() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("nobody says anything")

    async def answer(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    asyncio.run(asyncio.wait_for(made(scope, nothing_more, answer), 30))
    assert said[0]["status"] == 408
    assert (b"connection", b"close") in said[0]["headers"]


def test_health_says_what_is_served(app: App, client: TestClient) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert (answer.json()["policy"], answer.json()["store"]) == (app.policy.digest, "well")


def test_health_fails_while_the_store_can_keep_nothing(
    app: App, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_desk: object) -> None:
        app.store._roll_back()
        raise Unavailable("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(app.store, "_commit", full)
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()["store"]) == (503, "failing")
    assert client.get("/healthz").status_code == 200
