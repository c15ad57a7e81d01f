"""A pydantic-ai agent whose model is a script: it calls what comes in on stdin, and writes what the model was shown."""

import asyncio
import json
import os
import sys
from typing import Any

from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, RetryPromptPart, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import UsageLimits


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def shown(messages: list[ModelMessage]) -> dict[str, Any] | None:
    """The outcome in the newest message, in the shape this framework gives it to a model."""
    part = messages[-1].parts[-1]
    if isinstance(part, ToolReturnPart):
        return part.content if isinstance(part.content, dict) else json.loads(part.content)
    if isinstance(part, RetryPromptPart) and isinstance(part.content, str):
        return json.loads(part.content)
    return None


async def main(config: dict[str, Any]) -> None:
    asked: list[str] = []

    async def agree(message: str, _kind: Any, _params: Any, _context: Any) -> dict[str, Any]:
        asked.append(message)
        return {"agree": True}

    async def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        outcome = shown(messages)
        if outcome is None:
            say({"tools": [tool.name for tool in info.function_tools]})
        else:
            say({"outcome": outcome, "asked": asked[:]})
            asked.clear()
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return ModelResponse(parts=[TextPart("done")])
        call = json.loads(line)
        return ModelResponse(parts=[ToolCallPart(call["tool"], call["arguments"])])

    url, command = config.get("url"), config.get("command")
    transport = (
        StreamableHttpTransport(url) if url else StdioTransport(command[0], command[1:], {**os.environ, **config["env"]})
    )
    # Its own patience is five seconds, which a machine with much to do may take to start a server.
    toolset = MCPToolset(transport, init_timeout=60, elicitation_handler=agree if config["agrees"] else None)
    agent = Agent(FunctionModel(model), toolsets=[toolset])
    async with agent:
        await agent.run("Help Mira.", usage_limits=UsageLimits(request_limit=None))


asyncio.run(main(json.loads(sys.argv[1])))
