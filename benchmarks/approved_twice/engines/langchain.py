"""LangChain's `HumanInTheLoopMiddleware` on a LangGraph checkpointer, with a chat model that follows a script.

Every step (the agent's turn, and each resume after the person's yes) is a worker of its own that finds its state in the
checkpointer. Delivering an approval again is resuming again with the same answer, which is also how a queue hands the
job of a worker that died to another one. Runs where langchain is installed.
"""

import json
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.approved_twice.engines.catalogue import DATABASE
from benchmarks.approved_twice.provider import Books
from benchmarks.approved_twice.story import Doubt, Saying, Ticket
from benchmarks.approved_twice.workers import Worker, barrier, prepare
from langchain.agents import create_agent  # type: ignore[import-not-found]
from langchain.agents.middleware import HumanInTheLoopMiddleware  # type: ignore[import-not-found]
from langchain.tools import ToolRuntime, tool  # type: ignore[import-not-found]
from langchain_core.language_models import BaseChatModel  # type: ignore[import-not-found]
from langchain_core.messages import AIMessage, ToolMessage  # type: ignore[import-not-found]
from langchain_core.outputs import ChatGeneration, ChatResult  # type: ignore[import-not-found]
from langgraph.checkpoint.postgres import PostgresSaver  # type: ignore[import-not-found]
from langgraph.checkpoint.sqlite import SqliteSaver  # type: ignore[import-not-found]
from langgraph.func import task  # type: ignore[import-not-found]
from langgraph.types import Command  # type: ignore[import-not-found]

APPROVE = {"type": "approve"}
NEEDS_APPROVAL = {"issue_refund": {"allowed_decisions": ["approve", "reject"]}}


def versions() -> str:
    """What is measured."""
    names = ("langchain", "langgraph", "langgraph-checkpoint-sqlite", "langgraph-checkpoint-postgres")
    return ", ".join(f"{name} {version(name)}" for name in names)


@dataclass(frozen=True, slots=True)
class Setup:
    """How the agent is put together: as the first page says, or with all that the documentation advises."""

    strict: bool
    folder: Path
    books: Books
    postgres: str | None


class Langchain:
    """Implements `story.Engine`."""

    rounds_at_once = 4

    def __init__(self, folder: Path, books: Books, _orders: Sequence[str], *, strict: bool = False) -> None:
        prepare(__name__)
        self._setup = Setup(strict, folder, books, os.environ[DATABASE] if strict else None)
        if self._setup.postgres:
            with PostgresSaver.from_conn_string(self._setup.postgres) as saver:
                saver.setup()

    def ask(self, order: str, amount: str) -> Ticket:
        """One turn of the agent, in the conversation of this order."""
        shown = json.loads(Worker(turn, self._setup, order, amount).answer())
        return {"order": order, "amount": amount, "interrupt": shown}

    def deliver(self, ticket: Ticket, worker: int = 0, start: Callable[[], object] | None = None) -> Worker:
        return Worker(resume, self._setup, ticket["order"], ticket["interrupt"], start=start)

    def victim(self) -> int:
        return 0

    def gun(self) -> Callable[[], object]:
        return barrier()

    def settle(self, ticket: Ticket) -> None:
        """Nothing moves that nobody resumes."""

    def says(self, ticket: Ticket) -> tuple[Saying, Doubt]:
        """By the state of the thread: what it waits for, and what the agent was told."""
        state = json.loads(Worker(state_of, self._setup, ticket["order"]).answer())
        if state["next"]:
            return "waiting", "nowhere"
        return ("done" if "refunded" in state["told"] else "failed"), "nowhere"

    def close(self) -> None:
        """Nothing is left running."""


class Script(BaseChatModel):  # type: ignore[misc]
    """Asks for the refund the user names, then repeats what the tool said."""

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Any, **_: Any) -> "Script":
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        last = messages[-1]
        said = AIMessage(content=f"The shop says: {last.content}")
        if last.type == "human":
            order, amount = last.content.split()
            arguments = {"order_id": order, "amount": amount}
            call = {"name": "issue_refund", "args": arguments, "id": f"{order}-{len(messages)}"}
            said = AIMessage(content="", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=said)])


def turn(setup: Setup, order: str, amount: str) -> str:
    """The agent's turn; the id of the interrupt at which it waits for a person."""
    with agent(setup, order) as (graph, options):
        said = {"role": "user", "content": f"{order} {amount}"}
        graph.invoke({"messages": [said]}, _thread(order), version="v2", **options)
        return json.dumps(graph.get_state(_thread(order)).interrupts[0].id)


def resume(setup: Setup, order: str, interrupt: str) -> str:
    """The person's yes; what the agent says then, or what went wrong."""
    answer: Any = {interrupt: APPROVE} if setup.strict else {"decisions": [APPROVE]}
    with agent(setup, order) as (graph, options):
        try:
            graph.invoke(Command(resume=answer), _thread(order), version="v2", **options)
        except Exception as error:  # noqa: BLE001 - the worker's own words
            return f"{type(error).__name__}: {error}"
        return str(graph.get_state(_thread(order)).values["messages"][-1].content)


def state_of(setup: Setup, order: str) -> str:
    """What the thread waits for, and what its last tool message says."""
    with agent(setup, order) as (graph, _):
        state = graph.get_state(_thread(order))
    told = [str(message.content) for message in state.values["messages"] if isinstance(message, ToolMessage)]
    return json.dumps({"next": list(state.next), "told": (told or [""])[-1]})


@contextmanager
def agent(setup: Setup, order: str) -> Generator[tuple[Any, dict[str, Any]]]:
    """The agent on the checkpointer of this conversation, and the options it is invoked with."""
    saver = (
        PostgresSaver.from_conn_string(setup.postgres)
        if setup.postgres
        else SqliteSaver.from_conn_string(str(setup.folder / f"{order}.db"))
    )
    middleware = HumanInTheLoopMiddleware(
        interrupt_on=NEEDS_APPROVAL, interrupt_mode="per_call" if setup.strict else "batched"
    )
    with saver as checkpointer:
        graph = create_agent(Script(), [refunds(setup)], middleware=[middleware], checkpointer=checkpointer)
        yield graph, ({"durability": "sync"} if setup.strict else {})


def refunds(setup: Setup) -> Any:
    """The tool. Strictly, what it does outside is a task, and carries the call's id as its key."""

    @tool  # type: ignore[untyped-decorator]
    def issue_refund(order_id: str, amount: str, runtime: ToolRuntime) -> str:
        """Refund an order."""
        if setup.strict:
            return str(paid(order_id, amount, runtime.tool_call_id).result())
        return f"refunded {amount}: {setup.books.refund(order_id, amount, None)}"

    @task  # type: ignore[untyped-decorator]
    def paid(order_id: str, amount: str, key: str) -> str:
        return f"refunded {amount}: {setup.books.refund(order_id, amount, key)}"

    return issue_refund


def _thread(order: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": order}}
