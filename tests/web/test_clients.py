"""The protocol's own client against the real server, in both eras: what a model reads, and what its user is asked."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from e2e.world import World, policy
from mcp import Client, MCPError
from mcp import types as t
from mcp.client.streamable_http import streamable_http_client
from web.house import Web, records, serving

ASKS = policy("{id: ask, tools: [issue_refund], confirm: client}")
REFUND = {"order_id": "ord_a1", "amount": "6.00", "reason": "late"}
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])
YES = t.ElicitResult(action="accept", content={"agree": True})


@pytest.fixture
def web(world: World) -> Iterator[Web]:
    with serving(world, policy=ASKS) as made:
        yield made


@asynccontextmanager
async def client(web: Web, mode: str, token: str, answer: t.ElicitResult | None = None) -> AsyncIterator[Client]:
    async def asked(context: Any, params: t.ElicitRequestParams) -> t.ElicitResult | t.ErrorData:
        assert answer is not None
        return answer

    callback: Any = asked if answer else None
    headers = {"authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(
            streamable_http_client(web.url, http_client=http),
            mode=mode,
            elicitation_callback=callback,
        ) as made,
    ):
        yield made


async def told(made: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    content = (await made.call_tool(tool, arguments)).structured_content
    assert isinstance(content, dict)
    return content


@BOTH
async def test_it_lists_reads_and_calls(web: Web, mode: str) -> None:
    async with client(web, mode, web.token()) as made:
        assert "get_order" in [tool.name for tool in (await made.list_tools()).tools]
        assert (await told(made, "get_order", {"order_id": "ord_a1"}))["status"] == "completed"
        assert (await told(made, "get_order", {"order_id": "ord_b1"}))["reasons"][0]["code"] == "not_found"
        assert (await told(made, "no_such_tool", {}))["reasons"][0]["code"] == "unknown_tool"
        assert "get_order" in str(await made.read_resource("tillgate://policy"))


@BOTH
async def test_its_user_is_asked_in_a_form_and_the_yes_counts_for_them(web: Web, mode: str) -> None:
    async with client(web, mode, web.token(), YES) as made:
        assert (await told(made, "issue_refund", REFUND))["status"] == "completed"
    done = [record for record in records(web.world) if record.get("tool") == "issue_refund"][-1]
    assert done["facts"]["consent"] == {"strength": "CLIENT"}
    assert done["subject"]["customer_id"] == "cus_ana"


@BOTH
async def test_a_client_that_cannot_ask_gets_the_question_to_relay(web: Web, mode: str) -> None:
    async with client(web, mode, web.token()) as made:
        assert (await told(made, "issue_refund", REFUND))["status"] == "confirmation_required"


@BOTH
async def test_without_a_good_token_there_is_no_connection(web: Web, mode: str) -> None:
    with pytest.raises((MCPError, ExceptionGroup, httpx2.HTTPError)):
        async with client(web, mode, web.token(aud="https://other.example/mcp")) as made:
            await made.list_tools()
    assert not any(record.get("kind") == "call" for record in records(web.world))
