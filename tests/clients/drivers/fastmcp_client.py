"""FastMCP's client: makes the calls that come in on stdin, a line each, and writes what came back."""

import asyncio
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from wire import COMMAND, CONFIG, ENVIRONMENT, HEADERS, URL, heard, say

ASKED: list[str] = []


async def agree(message: str, _kind: Any, _params: Any, _context: Any) -> dict[str, Any]:
    ASKED.append(message)
    return {"agree": True}


async def main() -> None:
    started = StdioTransport(COMMAND[0], COMMAND[1:], ENVIRONMENT) if COMMAND else None
    transport = started or StreamableHttpTransport(URL, headers=HEADERS)
    handler = agree if CONFIG["agrees"] else None
    async with Client(transport, mode=CONFIG["era"], elicitation_handler=handler) as client:
        say(tools=[tool.name for tool in await client.list_tools()])
        while call := await heard():
            result = await client.call_tool(call["tool"], call["arguments"], raise_on_error=False)
            say(outcome=result.structured_content, asked=ASKED)
            ASKED.clear()


asyncio.run(main())
