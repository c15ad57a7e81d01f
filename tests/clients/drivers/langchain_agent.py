"""A LangChain agent whose model is a script: it calls what comes in on stdin, and writes what the model was shown.

The session is opened once for the whole conversation. Tools of `MultiServerMCPClient.get_tools` open one for each call,
and then nobody knows any more who was identified before.
"""

import asyncio
import json
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.types import ElicitResult
from wire import COMMAND, CONFIG, ENVIRONMENT, HEADERS, URL, heard, say

ASKED: list[str] = []


async def agree(_mcp: Any, params: Any, _context: Any) -> ElicitResult:
    ASKED.append(params.message)
    return ElicitResult(action="accept", content={"agree": True})


def shown(message: ToolMessage) -> dict[str, Any]:
    """The outcome as this framework gives it to a model: text."""
    text = message.content if isinstance(message.content, str) else message.content[0]["text"]
    outcome: dict[str, Any] = json.loads(text)
    return outcome


class Script(BaseChatModel):
    """A model that does what it is told on stdin."""

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Any, **_: Any) -> "Script":
        return self

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        if isinstance(messages[-1], ToolMessage):
            say(outcome=shown(messages[-1]), asked=ASKED)
            ASKED.clear()
        message = AIMessage("done")
        if call := await heard():
            wanted = {"name": call["tool"], "args": call["arguments"], "id": str(len(messages))}
            message = AIMessage("", tool_calls=[wanted])
        return ChatResult(generations=[ChatGeneration(message=message)])


def connection() -> dict[str, Any]:
    if URL:
        return {"transport": "streamable_http", "url": URL, "headers": HEADERS}
    return {"transport": "stdio", "command": COMMAND[0], "args": COMMAND[1:], "env": ENVIRONMENT}


async def main() -> None:
    callbacks = Callbacks(on_elicitation=agree) if CONFIG["agrees"] else Callbacks()
    client = MultiServerMCPClient({"tillgate": connection()}, callbacks=callbacks)
    async with client.session("tillgate") as session:
        tools = await load_mcp_tools(session, callbacks=callbacks, server_name="tillgate")
        say(tools=[tool.name for tool in tools])
        agent = create_agent(Script(), tools)
        await agent.ainvoke({"messages": [("user", "Help Mira.")]}, {"recursion_limit": 200})


asyncio.run(main())
