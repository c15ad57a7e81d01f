"""Reads one line of a transcript (an audit export, or written by hand) into what a replay needs of it.

The rule kept: a line is understood whole or refused with a sentence; personal values are put back only where they are
what the record committed to.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

import orjson
from msgspec import UNSET, DecodeError, ValidationError, convert
from msgspec.json import Decoder, decode
from msgspec.structs import replace

from tillgate.guards.audit.canonical import canonical
from tillgate.guards.audit.personal import restore
from tillgate.guards.audit.record import requirements_from_json
from tillgate.guards.model import Facts, Json, Requirement, Verdict
from tillgate.server.recorded import Decision, Limits, Noun, Plan, Record

_DECIDED = frozenset({"call", "execution"})
_ENDS = frozenset({"denial", "withdrawal", "expiry", "stale"})
_OTHERS = frozenset(
    {
        "approval",
        "outcome",
        "pause",
        "resume",
        "declined",
        "confirmed",
        "wrong_code",
        "policy",
        "seed",
        "failure",
        "refused_requests",
        "checkpoint",
    }
)

_DECIDES = ("facts.", "arguments.")
"""Where what a decision is made from stands."""

Line: TypeAlias = bytes | memoryview | str
_Object: TypeAlias = Mapping[str, Json]


class Side(Noun, frozen=True):
    """How one call ended: its status, the policy's verdict, the ids of the rules that fired, and where it waits."""

    status: str | None
    verdict: Verdict | None
    fired: tuple[str, ...]
    shadow: str | None
    queue: str | None

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that fired, each once, sorted."""
        return tuple(sorted(set(self.fired)))


class Entry(Noun, frozen=True):
    """One recorded call. `not_decided` says why it cannot be decided again; it is empty when it can.

    `seconds` is when it was decided (epoch), `amount` its money in minor units, `counts` whether it draws on budgets,
    `same_call` what it has in common with the same call sent again, `request` the handle of the request that it opened,
    carried out or withdrew.
    """

    line: int
    kind: str
    at: str
    seconds: int
    conversation: str
    call_id: str | None
    tool: str
    facts: Facts
    usage: Mapping[str, Any]
    amount: int
    counts: bool
    refuses_itself: bool
    same_call: bytes
    exceeded: frozenset[str]
    requires: tuple[Requirement, ...]
    old: Side
    policy: str | None
    request: str | None
    not_decided: str


class Ended(Noun, frozen=True):
    """A record that a request ended without being carried out."""

    request: str | None


_DECODER = Decoder(Record)


def read_entry(number: int, line: Line, *, strict: bool = True) -> Entry | Ended | None:
    """The call on a line, or the end of a request; None for any other record. Raises ValueError, in words, for anything
    else.

    Without `strict` only what a decision is made from is looked at: enough for an export that `audit verify` accepts.
    """
    record = _whole_record(line) if strict else _record(line)
    if record.kind in _DECIDED:
        return _entry(number, record)
    if record.kind in _ENDS:
        return Ended(record.request)
    if record.kind in _OTHERS:
        return None
    raise ValueError(f"{record.kind!r} is not a kind of record")


def _record(line: Line) -> Record:
    try:
        record = _DECODER.decode(line)
    except ValidationError:
        raise
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    decides = {
        path: {"salt": held.salt, "value": decode(held.value)}
        for path, held in (record.personal or {}).items()
        if path.startswith(_DECIDES)
    }
    if not decides:
        return record
    content = restore({"facts": record.facts, "arguments": record.arguments}, decides)
    return replace(record, facts=content["facts"], arguments=content["arguments"])


def _whole_record(line: Line) -> Record:
    """The same, where everything on the line is canonical and every personal value is what was committed to."""
    try:
        content: Json = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    if content.__class__ is not dict:
        raise ValueError("not a JSON object")
    personal = _object(content, "personal")
    content = {name: value for name, value in content.items() if name not in ("hash", "personal")}
    canonical(content)
    try:
        return convert(restore(content, personal), Record)
    except (KeyError, TypeError) as error:
        raise ValueError(f"personal values are not written as an export writes them: {error!r}") from error


def _entry(number: int, record: Record) -> Entry:
    if not (record.at and record.conversation and record.tool):
        missing = "at" if not record.at else "conversation" if not record.conversation else "tool"
        raise ValueError(f"{missing} is missing")
    facts, limits, plan = record.facts or {}, record.limits or Limits(), record.plan or Plan()
    counts = _counts(record, facts, limits, plan)
    return Entry(
        line=number,
        kind=record.kind,
        at=record.at,
        seconds=_seconds(record.at, facts),
        conversation=record.conversation,
        call_id=record.call_id,
        tool=record.tool,
        facts=facts,
        usage=_usage(facts),
        amount=_amount(facts),
        counts=counts,
        refuses_itself=bool(plan.denies),
        same_call=canonical([record.conversation, record.tool, record.arguments]) if counts else b"",
        exceeded=limits.exceeded or frozenset(),
        requires=requirements_from_json(limits.requires) if limits.requires else (),
        old=_side(record, record.decision or Decision()),
        policy=record.policy,
        request=_request(record, plan),
        not_decided=_not_decided(record, facts),
    )


def _counts(record: Record, facts: Facts, limits: Limits, plan: Plan) -> bool:
    """A plan that changes or demands something draws on budgets; without a recorded plan, a call of a writing tool."""
    if record.plan is UNSET:
        return _object(facts, "call").get("effect") == "write"
    return bool(plan.changes or limits.requires) and not plan.denies


def _side(record: Record, decision: Decision) -> Side:
    status = record.outcome.status if record.outcome is not None else None
    if record.under_way:
        status = "completed"  # it was let through; what became of it outside is in a record of its own
    fired = tuple([hit.rule for hit in decision.hits or ()])
    queue = decision.unmet[0].queue if decision.unmet else None
    return Side(status, decision.verdict, fired, decision.shadow, queue)


def _request(record: Record, plan: Plan) -> str | None:
    if record.request is not None or plan.request is not None:
        return record.request or plan.request
    outcome = record.outcome
    if outcome is None or outcome.status != "escalated" or outcome.escalation is None:
        return None
    return outcome.escalation.handle


def _not_decided(record: Record, facts: Facts) -> str:
    if record.refusal:
        return f"kept: refused before policy ({record.refusal.get('code')})"
    if record.replayed is True:
        return "kept: answered again from an earlier call"
    if not facts:
        return "not decided: no recorded facts"
    args = _object(facts, "args")
    erased = [name for name, value in args.items() if value.__class__ is dict and list(value) == ["commitment"]]
    if erased:
        return f"not decided: personal facts are not in this file (args.{', args.'.join(sorted(erased))})"
    return ""


def _object(holder: _Object, name: str) -> _Object:
    value = holder.get(name)
    if value is None:
        return {}
    if value.__class__ is not dict:
        raise ValueError(f"{name} is not an object")
    return value


def _seconds(at: str, facts: Facts) -> int:
    """When it was decided: the fact `now`, else the time of the line."""
    if (now := facts.get("now")) is not None:
        return _whole(now, "facts.now")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise ValueError(f"at: {at!r} is not an RFC 3339 time") from error
    if moment.tzinfo is None:
        raise ValueError(f"at: {at!r} has no zone; write it like 2026-01-01T00:00:00Z")
    return int(moment.timestamp())


def _whole(value: Json, place: str) -> int:
    if value.__class__ is not int:
        raise ValueError(f"{place} is not a whole number")
    return value


def _amount(facts: Facts) -> int:
    return _whole(_object(facts, "impact").get("amount", 0), "facts.impact.amount")


def _usage(facts: Facts) -> Mapping[str, Any]:
    usage = _object(facts, "usage")
    for budget in usage:
        held = _object(usage, budget)
        for name in ("amount", "count"):
            _whole(held.get(name), f"facts.usage.{budget}.{name}")
    return usage
