"""Tillgate with the tools that the conformance suite wants to call, and a colleague who decides at once.

Tools, policy and gate are of the usual kind; only what they are about is not. `python -m clients.workshop --http …`.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar, TypedDict

from pydantic import create_model

from tillgate.guards import review
from tillgate.guards.model import Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.server.app import build, tool_map
from tillgate.server.serving import serve
from tillgate.server.settings import Settings, settings
from tillgate.tools.arguments import Args, ChangeArgs
from tillgate.tools.commerce.record import Record
from tillgate.tools.spec import Found, Tool

POLICY = """policy: workshop
version: 1
currency: USD
rules:
  - {id: all, tools: "*", permit: true}
  - {id: agreed, tools: [test_elicitation, test_input_required_result_elicitation,
     test_input_required_result_request_state, test_input_required_result_tampered_state], confirm: client}
  - {id: colleague, tools: [slow_compute, failing_job], escalate: {queue: bench, expires: 24h}}
context:
  greet: {anonymous: [words]}
  slow_compute: {anonymous: [words]}
  check_request: {anonymous: [status, message, result]}
queues: {bench: {reviewers: [bench]}}
"""
UNHURRIED = 60
"""Work of this many seconds is left waiting."""

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"city": {"type": "string"}}}},
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}, "phone": {"type": "string"}},
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["name"]}]}],
    "if": {"required": ["address"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["name"]},
    "additionalProperties": False,
}


class Words(TypedDict):
    """What a tool here answers."""

    words: str


class Bench(Tool[Args]):
    """A tool that changes nothing. `refuses` has the shop refuse it."""

    description = "A tool to try a client with."
    effect = "read"
    intent = "browse"
    hints = Hints(read_only=True, destructive=False, idempotent=True)
    result = Words
    refuses: ClassVar[bool] = False

    def look_up(self, args: Args, record: Record) -> Found | Reason:
        return Found()

    def plan(self, args: Args, found: Found, record: Record) -> Plan | Reason:
        if self.refuses:
            return Reason("broken", "This tool is always refused.")
        return Plan(self.name, f"Try {self.name}", result={"words": f"Hello, {args.as_json().get('name', 'you')}!"})


class WithSchema(Bench):
    """A tool whose schema no model of ours would write."""

    def input_schema(self) -> dict[str, Any]:
        return SCHEMA


def tool(
    name: str, base: type[Bench] = Bench, /, *, writes: bool = False, refuses: bool = False, **fields: Any
) -> Bench:
    """A tool by this name, with these arguments: a type and a default each."""
    args = create_model(f"{name}_args", __base__=ChangeArgs if writes else Args, **fields)
    hints = Hints(read_only=not writes, destructive=False, idempotent=not writes)
    about = {"name": name, "args": args, "refuses": refuses, "effect": "write" if writes else "read", "hints": hints}
    made: type[Bench] = type(name, (base,), about)
    return made()


BENCH = (
    tool("greet", name=(str, "you")),
    tool("test_simple_text"),
    tool("test_error_handling", refuses=True),
    tool("json_schema_2020_12_tool", WithSchema),
    tool("slow_compute", writes=True, seconds=(int, 0), label=(str, "")),
    tool("failing_job", writes=True),
    tool("test_elicitation", writes=True, message=(str, "")),
    tool("test_input_required_result_elicitation", writes=True),
    tool("test_input_required_result_request_state", writes=True),
    tool("test_input_required_result_tampered_state", writes=True),
)


def main(*words: str) -> None:
    """Serve at the address that follows `--http`, in this directory's shop."""
    os.environ.pop("TILLGATE_NOW", None)  # tasks last from when they were made until they expire
    Path("workshop.yaml").write_text(POLICY, encoding="utf-8")
    chosen = settings(http=words[words.index("--http") + 1], unsafe_no_auth=True, policy=Path("workshop.yaml"))
    threading.Thread(target=decide, args=(chosen,), daemon=True).start()
    serve(chosen, tools())


def tools() -> dict[str, Any]:
    """What is shipped, and what is on the bench."""
    return {**tool_map(), **{each.name: each for each in BENCH}}


def decide(chosen: Settings) -> None:
    """A colleague who has nothing else to do: one job is refused, the others are granted."""
    with_it = build(chosen, tools=tools())
    while True:
        with with_it.store.transaction() as desk:
            waiting = [each for each in desk.requests() if each.status == "pending"]
            for request in waiting:
                if request.received.tool == "failing_job":
                    review.deny(desk, request.handle, "bench", "This job always fails.")
                elif request.received.arguments.get("seconds", 0) < UNHURRIED:
                    review.approve(with_it.gate, desk, request.handle, "bench")
        threading.Event().wait(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
