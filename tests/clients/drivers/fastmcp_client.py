"""FastMCP's client: makes the calls that come in on stdin, a line each, and writes what came back."""

import asyncio
import json
import os
import sys
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main(config: dict[str, Any]) -> None:
    asked: list[str] = []

    async def agree(message: str, _kind: Any, _params: Any, _context: Any) -> dict[str, Any]:
        asked.append(message)
        return {"agree": True}

    url, command = config.get("url"), config.get("command")
    transport = (
        StreamableHttpTransport(url) if url else StdioTransport(command[0], command[1:], {**os.environ, **config["env"]})
    )
    async with Client(transport, mode=config["era"], elicitation_handler=agree if config["agrees"] else None) as client:
        say({"tools": [tool.name for tool in await client.list_tools()]})
        while line := await asyncio.to_thread(sys.stdin.readline):
            call = json.loads(line)
            result = await client.call_tool(call["tool"], call["arguments"], raise_on_error=False)
            say({"outcome": result.structured_content, "asked": asked[:]})
            asked.clear()


asyncio.run(main(json.loads(sys.argv[1])))
