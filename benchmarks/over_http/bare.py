"""The SDK's own server with one answer for every call, straight from memory: what a call over HTTP costs at the least.

    python benchmarks/over_http/bare.py ANSWER.json default|fast

`default` is how the SDK serves without being told anything and without anything beside it installed; `fast` answers as
JSON on an event loop and a parser in C. Prints the port it serves.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from mcp import types as t
from mcp.server import Server, ServerRequestContext

from tillgate.guards.outcome import outcome_schema


def server(answer: dict[str, Any], tools: list[str]) -> Server[Any]:
    """Every call of these tools has the same answer."""
    result = t.CallToolResult(
        content=[t.TextContent(text=json.dumps(answer))], structured_content=answer, is_error=False
    )
    listed = [
        t.Tool(name=name, description="The same", input_schema={"type": "object"}, output_schema=outcome_schema())
        for name in tools
    ]
    schemas = {tool.name: tool.input_schema for tool in listed}

    async def list_tools(
        _ctx: ServerRequestContext[Any], _params: t.PaginatedRequestParams | None
    ) -> t.ListToolsResult:
        return t.ListToolsResult(tools=listed, ttl_ms=60_000, cache_scope="private")

    async def call_tool(_ctx: ServerRequestContext[Any], _params: t.CallToolRequestParams) -> t.CallToolResult:
        return result

    return Server("bare", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=schemas.get)


def main() -> None:
    """Serve until killed."""
    answer, form = json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2]
    fast = form == "fast"
    app = server(answer, ["get_order", "edit_cart"]).streamable_http_app(json_response=fast)
    config = uvicorn.Config(
        app,
        loop="uvloop" if fast else "asyncio",
        http="httptools" if fast else "h11",
        log_level="warning",
        access_log=False,
    )
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:  # which is how the loop knows to send at once
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        print(listening.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
