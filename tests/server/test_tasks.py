"""A request that waits is a task to clients that know tasks: asked after, answered and withdrawn through the gate."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sites import served
from starlette.testclient import TestClient
from worlds import NOW, SHOP

from tillgate.guards import review
from tillgate.server.app import App, build
from tillgate.server.settings import settings
from tillgate.server.tasks import EXTENSION
from tillgate.tools.shops.embedded.seed import seed

POLICY = """policy: tasks
version: 1
currency: USD
rules:
  - {id: all, tools: "*", permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: {queue: refunds, expires: 24h}}
context: {issue_refund: {identified: [order_id, amount]}, check_request: {identified: [status, message, result]}}
queues: {refunds: {reviewers: [desk]}}
"""
REFUND = {"order_id": "ord_1", "amount": "40.00", "reason": "broken"}


class Speaker:
    """A client over HTTP, by hand."""

    def __init__(self, app: App, client: TestClient) -> None:
        self.app = app
        self._client = client

    def send(
        self, method: str, params: dict[str, Any], *, knows: bool = True, named: str | None = None
    ) -> dict[str, Any]:
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {EXTENSION: {}}} if knows else {},
        }
        headers = {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": method,
            **({"mcp-name": name} if (name := named or params.get("name")) else {}),
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
        told: dict[str, Any] = self._client.post("/mcp", json=body, headers=headers).json()
        return told

    def refund(self, **other: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.send("tools/call", {"name": "issue_refund", "arguments": REFUND}, **other)[
            "result"
        ]
        return result

    def task(self, task: str) -> dict[str, Any]:
        result: dict[str, Any] = self.send("tasks/get", {"taskId": task})["result"]
        return result

    def decide(self, task: str, *, message: str | None = None) -> None:
        with self.app.store.transaction() as desk:
            if message is None:
                assert review.approve(self.app.gate, desk, task, "rosa").done
            else:
                assert review.deny(desk, task, "rosa", message).done


@pytest.fixture
def speaker(tmp_path: Path) -> Iterator[Speaker]:
    with speaking(tmp_path) as made:
        yield made


@contextmanager
def speaking(tmp_path: Path, **more: Any) -> Iterator[Speaker]:
    (tmp_path / "policy.yaml").write_text(POLICY)
    flags = {"db": str(tmp_path / "web.db"), "policy": tmp_path / "policy.yaml"}
    with build(settings(db=str(tmp_path / "web.db"))).store.transaction() as desk:
        seed(desk.sql, json.dumps(SHOP), now=NOW)
    who = {"customer": "cus_1", "assurance": "authenticated"}
    app = build(settings(**flags, **who, http="127.0.0.1:8123", unsafe_no_auth=True, **more), serving=True)
    with served(app) as client:
        yield Speaker(app, client)
    app.store.close()


def test_a_task_lasts_as_long_as_its_request_whatever_the_clock_says(tmp_path: Path) -> None:
    with speaking(tmp_path, now=NOW) as speaker:
        made = speaker.refund()
        assert (made["createdAt"], made["ttlMs"]) == ("2026-06-01T12:00:00Z", 24 * 3_600_000)
        assert speaker.task(made["taskId"])["createdAt"] == made["createdAt"]


def test_a_request_that_waits_is_a_task_until_a_person_has_decided(speaker: Speaker) -> None:
    made = speaker.refund()
    assert (made["resultType"], made["status"]) == ("task", "working")
    assert (made["ttlMs"] > 0, made["pollIntervalMs"]) == (True, 60_000)
    assert speaker.task(made["taskId"])["status"] == "working"
    speaker.decide(made["taskId"])
    done = speaker.task(made["taskId"])
    assert (done["resultType"], done["status"]) == ("complete", "completed")
    told = done["result"]["structuredContent"]
    assert (told["status"], told["data"]) == ("completed", {"amount": "40.00", "order_id": "ord_1"})
    assert done["result"].get("isError", False) is False


def test_a_denial_is_the_result_of_its_task(speaker: Speaker) -> None:
    task = speaker.refund()["taskId"]
    speaker.decide(task, message="Please send a picture first.")
    done = speaker.task(task)
    assert done["status"] == "completed"
    assert done["result"]["isError"] is True
    assert done["result"]["structuredContent"]["reasons"][0]["message"] == "Please send a picture first."


def test_a_task_that_is_cancelled_is_withdrawn(speaker: Speaker) -> None:
    task = speaker.refund()["taskId"]
    assert speaker.send("tasks/cancel", {"taskId": task})["result"]["resultType"] == "complete"
    assert speaker.task(task)["status"] == "cancelled"
    with speaker.app.store.reading() as desk:
        request = desk.request(task)
    assert request is not None
    assert request.status == "withdrawn"


def test_nothing_is_asked_of_the_client_so_an_update_changes_nothing(speaker: Speaker) -> None:
    task = speaker.refund()["taskId"]
    assert "result" in speaker.send("tasks/update", {"taskId": task, "inputResponses": {"x": {"action": "accept"}}})
    assert speaker.task(task)["status"] == "working"


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/update"])
@pytest.mark.parametrize("task", ["esc_0", "call_1", "x", "\u202e", "a" * 129])
def test_a_task_that_never_was_is_an_error_in_words(speaker: Speaker, method: str, task: str) -> None:
    assert speaker.send(method, {"taskId": task, "inputResponses": {}})["error"]["code"] == -32602


def test_a_client_that_has_not_said_so_gets_no_task(speaker: Speaker) -> None:
    plain = speaker.refund(knows=False)
    told = plain["structuredContent"]
    assert (plain["resultType"], told["status"]) == ("complete", "escalated")
    handle = told["escalation"]["handle"]
    for method in ("tasks/get", "tasks/cancel", "tasks/update"):
        refused = speaker.send(method, {"taskId": handle, "inputResponses": {}}, knows=False)["error"]
        assert refused["code"] == -32021
        assert refused["data"] == {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/update"])
def test_a_header_that_names_another_task_is_refused(speaker: Speaker, method: str) -> None:
    task = speaker.refund()["taskId"]
    about = {"taskId": task, "inputResponses": {}}
    assert speaker.send(method, about, named=f"{task}0")["error"]["code"] == -32020
    assert speaker.task(task)["status"] == "working"
    assert "result" in speaker.send(method, about, named=task)
