"""Calling a tool the way the gate does, without the gate: parse, look up, plan."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace
from tools.world import World

from tillgate.guards.model import Facts, Json, Plan, Reason
from tillgate.guards.ports import ArgumentError
from tillgate.tools.arguments import Args
from tillgate.tools.commerce.record import PastCall, Record
from tillgate.tools.registry import tools
from tillgate.tools.spec import Found, Tool

TOOLS: Mapping[str, Tool[Any]] = {tool.name: tool for tool in tools()}


def parsed(name: str, **arguments: Json) -> Args:
    args = TOOLS[name].parse(arguments, 2)
    assert isinstance(args, Args), args
    return args


def errors(name: str, **arguments: Json) -> list[ArgumentError]:
    args = TOOLS[name].parse(arguments, 2)
    assert not isinstance(args, Args), "it was accepted"
    return list(args)


def facts_of(record: Record, name: str, **arguments: Json) -> Facts:
    """The facts of the record a call is judged by."""
    tool, args = TOOLS[name], parsed(name, **arguments)
    found = tool.look_up(args, record)
    assert isinstance(found, Found), found
    return tool.facts(found, planned(record, name, **arguments), record.now)


def call(record: Record, name: str, **arguments: Json) -> Plan | Reason:
    """What the tool plans; every plan is checked for the facts its tool promises."""
    tool, args = TOOLS[name], parsed(name, **arguments)
    found = tool.look_up(args, record)
    if isinstance(found, Reason):
        return found
    plan = tool.plan(args, found, record)
    if isinstance(plan, Plan):
        facts = tool.facts(found, plan, record.now)
        assert all(facts[group]["present"] for group in tool.always), f"{name} lacks a group it always has"
        assert set(facts) == tool.always | tool.maybe
    return plan


def planned(record: Record, name: str, **arguments: Json) -> Plan:
    plan = call(record, name, **arguments)
    assert isinstance(plan, Plan), plan
    return plan


def refused(record: Record, name: str, **arguments: Json) -> str:
    reason = call(record, name, **arguments)
    assert isinstance(reason, Reason), reason
    assert reason.message.endswith("."), "a refusal is a sentence for the customer"
    return reason.code


def done(world: World, plan: Plan, call_id: str = "call_1", **fields: Any) -> World:
    """The world after the plan, in which the call can be looked up for taking back."""
    past = PastCall(call_id, plan.tool, plan.summary, world.now, plan.changes, plan.undo.until, plan.undo.why_not, None)
    after = world.applied(plan)
    return replace(after, past=(*after.past, replace(past, **fields)))
