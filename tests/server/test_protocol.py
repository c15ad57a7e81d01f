"""What the protocol offers beside tools: resources and prompts, and nothing of the shop but through the gate."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp import types as t
from mcp.client.extension import ClientExtension
from msgspec.structs import replace
from worlds import World, customer, make_world

from tillgate.guards.outcome import Outcome
from tillgate.server.cards import cards_of
from tillgate.server.door import Door, Sent
from tillgate.server.driving import AskClient, drive
from tillgate.server.mcp_server import build_server
from tillgate.server.tasks import EXTENSION
from tillgate.server.words import policy_in_words

RULES = """policy: protocol
version: 3
currency: USD
budgets:
  - {id: few, tools: [cancel_order], per: customer.id, window: 1d, limit: {count: 1}, exceeded: {escalate: refunds}}
rules:
  - {id: all, tools: [get_order, issue_refund, cancel_order, check_request, list_offers], permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: {queue: refunds, expires: 24h}}
  - {id: proof, tools: [issue_refund], when: "impact.amount > money('13.37')", verify: authenticated}
context:
  issue_refund: {identified: [order_id, amount]}
  check_request: {identified: [status, message, result]}
  list_offers: {anonymous: ["offers[].code"]}
queues: {refunds: {reviewers: [desk]}}
"""
REFUND = {"order_id": "ord_1", "amount": "40.00", "reason": "broken"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made.under(RULES)
    made.store.close()


def server(world: World, customer_number: int = 1) -> Any:
    async def run(job: Any) -> Any:
        return world.store.run(job)

    async def call(sent: Sent, ask: AskClient) -> Outcome:
        caller = replace(customer(customer_number, conversation=sent.conversation or "talk"), asks=sent.asks)
        return await drive(world.gate.steps(sent.by(caller)), run, world.gate.reach, ask)

    async def words() -> str:
        return policy_in_words(world.gate.tools, world.gate.policy)

    return build_server(
        Door(lambda: cards_of(world.gate.tools), call, lambda _: "p", words, b"k" * 32, world.store.now)
    )


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_knows_no_tasks_gets_the_escalated_outcome(world: World, mode: str) -> None:
    async with Client(server(world), mode=mode) as client:
        told = (await client.call_tool("issue_refund", REFUND)).structured_content
    assert told is not None
    assert told["status"] == "escalated"


class KnowsTasks(ClientExtension):
    identifier = EXTENSION


async def test_an_older_client_that_says_it_knows_tasks_gets_an_answer_its_protocol_has(world: World) -> None:
    """A task would be no valid answer there: the act would wait, and nobody would ever hear of it."""
    async with Client(server(world), mode="legacy", extensions=[KnowsTasks()]) as client:
        told = (await client.call_tool("issue_refund", REFUND)).structured_content
    assert told is not None
    assert told["status"] == "escalated"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_policy_can_be_read_without_what_would_help_to_get_around_it(world: World, mode: str) -> None:
    async with Client(server(world), mode=mode) as client:
        listed = await client.list_resources()
        assert [resource.name for resource in listed.resources] == ["policy", "offers"]
        assert (await client.list_resource_templates()).resource_templates == []
        read = await client.read_resource("tillgate://policy")
    content = read.contents[0]
    assert isinstance(content, t.TextResourceContents)
    line = next(line for line in content.text.splitlines() if "issue_refund" in line)
    assert line.endswith("It may need a code sent to the customer and a colleague's decision first.")
    assert "a colleague's decision" in next(line for line in content.text.splitlines() if "cancel_order" in line)
    assert "edit_cart" not in content.text
    assert not any(secret in content.text for secret in ("20.00", "13.37", "large", "proof"))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_offers_are_read_through_the_gate(world: World, mode: str) -> None:
    async with Client(server(world), mode=mode) as client:
        content = (await client.read_resource("tillgate://offers")).contents[0]
    assert isinstance(content, t.TextResourceContents)
    told = json.loads(content.text)
    assert told["data"] == {"offers": [{"code": "TEN"}]}
    assert world.records()[-1]["tool"] == "list_offers"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_prompts_are_filled_in_or_refused_in_words(world: World, mode: str) -> None:
    async with Client(server(world), mode=mode) as client:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        assert "refund_an_order" in names
        filled = await client.get_prompt("refund_an_order", {"order_id": "ord_1", "reason": "it is torn"})
        content = filled.messages[0].content
        assert isinstance(content, t.TextContent)
        assert "order ord_1. My reason: it is torn." in content.text
        for name, arguments, why in (
            ("refund_an_order", {"order_id": "ord_1"}, "reason is missing"),
            ("refund_an_order", {"order_id": "a", "reason": "b", "x": "c"}, "'x' is not asked for"),
            ("cancel_an_order", {"order_id": "a\u202eb"}, "order_id is too long or not plain text"),
            ("nothing", {}, "There is no prompt"),
        ):
            with pytest.raises(MCPError, match=why):
                await client.get_prompt(name, arguments)


@pytest.mark.parametrize("uri", ["tillgate://policy/", "file:///etc/passwd", "tillgate://orders/ord_1"])
async def test_nothing_else_can_be_read(world: World, uri: str) -> None:
    async with Client(server(world)) as client:
        with pytest.raises(MCPError, match="There is no resource") as refused:
            await client.read_resource(uri)
    assert refused.value.error.data == {"uri": uri}
