"""A pydantic-ai agent whose model is a script: it calls what comes in on stdin, and writes what the model was shown."""

import asyncio
import json
from typing import Any

from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, RetryPromptPart, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import UsageLimits
from wire import COMMAND, CONFIG, ENVIRONMENT, HEADERS, URL, heard, say

ASKED: list[str] = []


async def agree(message: str, _kind: Any, _params: Any, _context: Any) -> dict[str, Any]:
    ASKED.append(message)
    return {"agree": True}


def shown(messages: list[ModelMessage]) -> dict[str, Any] | None:
    """The outcome in the newest message, as this framework gives it to a model: an object, or text when refused."""
    part = messages[-1].parts[-1]
    if isinstance(part, ToolReturnPart | RetryPromptPart):
        return json.loads(part.content) if isinstance(part.content, str) else part.content
    return None


async def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    outcome = shown(messages)
    if outcome is None:
        say(tools=[tool.name for tool in info.function_tools])
    else:
        say(outcome=outcome, asked=ASKED)
        ASKED.clear()
    call = await heard()
    part = ToolCallPart(call["tool"], call["arguments"]) if call else TextPart("done")
    return ModelResponse(parts=[part])


async def main() -> None:
    started = StdioTransport(COMMAND[0], COMMAND[1:], ENVIRONMENT) if COMMAND else None
    transport = started or StreamableHttpTransport(URL, headers=HEADERS)
    # Its own patience is five seconds, which a machine with much to do may take to start a server.
    toolset = MCPToolset(transport, init_timeout=60, elicitation_handler=agree if CONFIG["agrees"] else None)
    agent = Agent(FunctionModel(model), toolsets=[toolset])
    async with agent:
        await agent.run("Help Mira.", usage_limits=UsageLimits(request_limit=None))


asyncio.run(main())
