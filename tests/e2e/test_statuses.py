"""Every status of the envelope, from several tools, through the SDK's own client in both protocol eras."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from e2e.world import NEW_ADDRESS, STORE, TILLGATE, JsonObject, World
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult, TextContent

from tillgate.tools.shops.embedded.engine import dbapi as sqlite3

STATUSES = {"completed", "denied", "verification_required", "confirmation_required", "escalated", "failed"}
RULES = """
  - {id: late-carts, tools: [edit_cart], when: "cart.present && cart.items > 50", escalate: refunds}
  - {id: ask-cart, tools: [apply_discount], confirm: agent}
"""
POLICY = STORE.replace("\n# Nothing leaves that is not listed here.", RULES + "\n# Nothing leaves.")


class Talk:
    """One client and everything it was answered."""

    def __init__(self, client: Client, schemas: Mapping[str, JsonObject]) -> None:
        self.client, self.schemas = client, schemas
        self.seen: defaultdict[str, set[str]] = defaultdict(set)

    async def call(self, tool: str, **arguments: Any) -> JsonObject:
        result = await self.client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        envelope = result.structured_content
        assert isinstance(envelope, dict)
        jsonschema.validate(envelope, self.schemas[tool])
        [text] = result.content
        assert isinstance(text, TextContent)
        assert json.loads(text.text) == envelope
        assert result.is_error is (envelope["status"] in ("denied", "failed"))
        assert envelope["call_id"].startswith("call_")
        assert envelope["executed"] is (envelope["status"] == "completed")
        self.seen[envelope["status"]].add(tool)
        return envelope


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_every_status_is_reached_and_fits_its_schema(world: World, mode: Any) -> None:
    server = StdioServerParameters(command=TILLGATE, args=["serve"], env=world.env(policy=POLICY), cwd=world.path)
    async with Client(server, mode=mode) as client:
        listed = (await client.list_tools()).tools
        talk = Talk(client, {tool.name: tool.output_schema or {} for tool in listed})
        await _conversation(talk, world)
    assert set(talk.seen) == STATUSES
    assert {status for status, tools in talk.seen.items() if len(tools) < 2} == set(), talk.seen


async def _conversation(talk: Talk, world: World) -> None:
    first = await talk.call("get_order", order_id="ord_a9")
    assert first["verification"]["level"] == "identified"
    await talk.call("issue_refund", order_id="ord_a9", reason="cold")
    await talk.call("search_products", query="shirt")
    await talk.call("identify_customer", email="nobody@example.com")
    await talk.call("identify_customer", email="zq-ana.planted@example.com")
    await talk.call("list_orders")
    await talk.call("get_order", order_id="ord_b1")
    asked = await talk.call("issue_refund", order_id="ord_a9", reason="cold")
    agreed = await talk.call(
        "issue_refund", order_id="ord_a9", reason="cold", confirmation_token=asked["confirmation"]["token"]
    )
    assert agreed["data"]["amount"] == "12.50"
    sent = await talk.call("issue_refund", order_id="ord_a1", reason="broken", amount="108.00")
    code = world.code()
    assert sent["verification"]["sent_to"].endswith("@example.com")
    await talk.call("verify_identity", challenge_id=sent["verification"]["challenge_id"], code=code)
    asked = await talk.call("issue_refund", order_id="ord_a1", reason="broken", amount="108.00")
    waits = await talk.call(
        "issue_refund",
        order_id="ord_a1",
        reason="broken",
        amount="108.00",
        confirmation_token=asked["confirmation"]["token"],
    )
    state = await talk.call("check_request", handle=waits["escalation"]["handle"])
    assert state["data"]["status"] == "pending"
    await talk.call("request_human", reason="wants a person")
    await talk.call("update_address", order_id="ord_a2", address=NEW_ADDRESS)
    connection = sqlite3.connect(world.db, isolation_level=None)
    connection.execute("ALTER TABLE orders RENAME TO gone")
    await talk.call("get_order", order_id="ord_a1")
    await talk.call("list_orders")
    connection.execute("ALTER TABLE gone RENAME TO orders")
    connection.close()
    await talk.call("get_order", order_id="ord_a1")


def _objects(schema: Any) -> Iterator[JsonObject]:
    if isinstance(schema, dict):
        if schema.get("type") == "object" or "properties" in schema:
            yield schema
        for part in schema.values():
            yield from _objects(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _objects(part)


def test_every_tool_says_what_it_takes_gives_and_is(shared: World) -> None:
    with shared.serve() as session:
        tools = session.tools()
    assert len(tools) >= 20
    for tool in tools:
        name = tool["name"]
        assert len(tool["description"]) > 40, name
        hints = tool["annotations"]
        assert {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} <= set(hints), name
        assert all(isinstance(value, bool) for value in hints.values()), name
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        jsonschema.Draft202012Validator.check_schema(tool["outputSchema"])
        loose = [part for part in _objects(tool["inputSchema"]) if part.get("additionalProperties") is not False]
        assert loose == [], name
        assert tool["inputSchema"]["type"] == "object"
        if name.startswith(("get_", "list_", "search_", "quote_", "check_")):
            assert hints["readOnlyHint"], name
        else:
            assert not hints["readOnlyHint"], name


def test_no_schema_lets_a_model_type_a_price(shared: World) -> None:
    """The only money a model may write is a ceiling for a search and the amount of a refund on file."""
    words = ("price", "percent", "discount", "amount", "value", "total", "cost", "balance", "customer_id", "assurance")
    with shared.serve() as session:
        found = {
            (tool["name"], name)
            for tool in session.tools()
            for part in _objects(tool["inputSchema"])
            for name in part.get("properties", {})
            if any(word in name for word in words)
        }
    assert found == {("search_products", "max_price"), ("issue_refund", "amount")}


def test_a_locked_store_fails_closed_and_is_not_the_end(world: World) -> None:
    with world.serve("cus_ana") as session:
        assert session.call("get_order", order_id="ord_a1").status == "completed"
        other = sqlite3.connect(world.db, isolation_level=None)
        other.execute("ALTER TABLE transfer RENAME TO gone")
        broken = session.call("issue_refund", order_id="ord_a9", reason="cold")
        assert (broken.status, broken.is_error) == ("failed", True)
        other.execute("ALTER TABLE gone RENAME TO transfer")
        other.close()
        assert session.call("get_order", order_id="ord_a1").status == "completed"
        assert b"Traceback" not in bytes(session.heard)
        assert b"no such table" not in bytes(session.heard)
    assert [record["tool"] for record in world.records() if record["kind"] == "failure"] == ["issue_refund"]
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(0,)]


@pytest.mark.long
def test_an_exclusive_lock_of_another_process_is_waited_out_and_then_answered(world: World) -> None:
    with world.serve("cus_ana") as session:
        other = sqlite3.connect(world.db, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        broken = session.call("issue_refund", order_id="ord_a9", reason="cold")
        assert (broken.status, broken.is_error) == ("failed", True)
        other.execute("ROLLBACK")
        other.close()
        assert session.call("get_order", order_id="ord_a1").status == "completed"
