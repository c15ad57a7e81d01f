"""A LangChain agent whose model is a script: it calls what comes in on stdin, and writes what the model was shown.

The session is opened once for the whole conversation. Tools of `MultiServerMCPClient.get_tools` open one for each call,
and then nobody knows any more who was identified before.
"""

import asyncio
import json
import os
import sys
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.types import ElicitResult

ASKED: list[str] = []


def say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


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
            say({"outcome": shown(messages[-1]), "asked": ASKED[:]})
            ASKED.clear()
        line = await asyncio.to_thread(sys.stdin.readline)
        message = AIMessage("done")
        if line:
            call = json.loads(line)
            message = AIMessage("", tool_calls=[{"name": call["tool"], "args": call["arguments"], "id": str(len(messages))}])
        return ChatResult(generations=[ChatGeneration(message=message)])


async def agree(_mcp: Any, params: Any, _context: Any) -> ElicitResult:
    ASKED.append(params.message)
    return ElicitResult(action="accept", content={"agree": True})


def connection(config: dict[str, Any]) -> dict[str, Any]:
    if url := config.get("url"):
        return {"transport": "streamable_http", "url": url}
    command, *words = config["command"]
    return {"transport": "stdio", "command": command, "args": words, "env": {**os.environ, **config["env"]}}


async def main(config: dict[str, Any]) -> None:
    callbacks = Callbacks(on_elicitation=agree) if config["agrees"] else Callbacks()
    client = MultiServerMCPClient({"tillgate": connection(config)}, callbacks=callbacks)
    async with client.session("tillgate") as session:
        tools = await load_mcp_tools(session, callbacks=callbacks, server_name="tillgate")
        say({"tools": [tool.name for tool in tools]})
        agent = create_agent(Script(), tools)
        await agent.ainvoke({"messages": [("user", "Help Mira.")]}, {"recursion_limit": 200})


asyncio.run(main(json.loads(sys.argv[1])))
