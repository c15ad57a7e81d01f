"""Reads one line of a transcript (an audit export, or written by hand) into what a replay needs of it.

The rule kept: a line is understood whole or refused with a sentence; personal values are put back only where they are
what the record committed to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeGuard

import orjson

from tillgate.guards.audit.canonical import canonical
from tillgate.guards.audit.personal import restore
from tillgate.guards.audit.record import requirements_from_json
from tillgate.guards.model import Facts, Json, Requirement, Verdict

_DECIDED = frozenset({"call", "execution"})
_OTHER_KINDS = frozenset(
    {
        "approval",
        "denial",
        "withdrawal",
        "expiry",
        "stale",
        "outcome",
        "pause",
        "resume",
        "policy",
        "seed",
        "failure",
        "checkpoint",
    }
)

_DECIDES = ("facts.", "arguments.")
"""Where what a decision is made from stands."""

_Object: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Side:
    """How one call ended: its status, the policy's verdict, the ids of the rules that matched, and where it waits."""

    status: str | None
    verdict: str | None
    rules: tuple[str, ...]
    shadow: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded call. `not_decided` says why it cannot be decided again; it is empty when it can.

    `seconds` is when it was decided (epoch), `amount` its money in minor units, `counts` whether it draws on budgets,
    `same_call` what it has in common with the same call sent again.
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
    not_decided: str


def read_entry(number: int, line: bytes | str, *, strict: bool = True) -> Entry | None:
    """The call on a line; None for a record that is no call. Raises ValueError, in words, for anything else.

    Without `strict` only what a decision is made from is looked at: enough for an export that `audit verify` accepts.
    """
    body = _body(line, strict)
    kind = body.get("kind", "call")
    if kind in _OTHER_KINDS:
        return None
    if kind not in _DECIDED:
        raise ValueError(f"{kind!r} is not a kind of record")
    facts, at = _object(body, "facts"), _text(body, "at")
    limits, counts = _object(body, "limits"), _counts(body, facts)
    return Entry(
        line=number,
        kind=kind,
        at=at,
        seconds=_seconds(at, facts),
        conversation=_text(body, "conversation"),
        call_id=_text_or_none(body, "call_id"),
        tool=_text(body, "tool"),
        facts=facts,
        usage=_usage(facts),
        amount=_amount(facts),
        counts=counts,
        refuses_itself=bool(_object(body, "plan").get("denies")),
        same_call=canonical([body["conversation"], body["tool"], body.get("arguments")]) if counts or strict else b"",
        exceeded=frozenset(_text_of(each, "limits.exceeded") for each in _list(limits, "exceeded")),
        requires=requirements_from_json(_list(limits, "requires")),
        old=_side(_object(body, "decision"), _object(body, "outcome")),
        policy=_text_or_none(body, "policy"),
        not_decided=_not_decided(body, facts),
    )


def _body(line: bytes | str, strict: bool) -> _Object:
    try:
        content: Json = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not _is_object(content):
        raise ValueError("not a JSON object")
    personal = _object(content, "personal")
    if strict:
        content = {name: value for name, value in content.items() if name not in ("hash", "personal")}
        canonical(content)
    else:
        personal = {path: entry for path, entry in personal.items() if path.startswith(_DECIDES)}
    try:
        return restore(content, personal) if personal else content
    except (KeyError, TypeError) as error:
        raise ValueError(f"personal values are not written as an export writes them: {error!r}") from error


def _side(decision: _Object, outcome: _Object) -> Side:
    return Side(
        status=_text_or_none(outcome, "status", "outcome."),
        verdict=_verdict(decision),
        rules=tuple(sorted({_rule(hit) for hit in _list(decision, "hits")})),
        shadow=_text_or_none(decision, "shadow", "decision."),
        queue=_queue(decision),
    )


def _queue(decision: _Object) -> str | None:
    """The queue of the first demand that was open, where that was for a person."""
    first = next(iter(_list(decision, "unmet")), None)
    queue = first.get("queue") if _is_object(first) else None
    return _text_of(queue, "decision.unmet[].queue") if queue is not None else None


def _not_decided(body: _Object, facts: Facts) -> str:
    refusal = _object(body, "refusal")
    if refusal:
        return f"kept: refused before policy ({refusal.get('code')})"
    if body.get("replayed") is True:
        return "kept: answered again from an earlier call"
    if not facts:
        return "not decided: no recorded facts"
    erased = [name for name, value in sorted(_object(facts, "args").items()) if _is_commitment(value)]
    if erased:
        return f"not decided: personal facts are not in this file (args.{', args.'.join(erased)})"
    return ""


def _is_commitment(value: Json) -> bool:
    return _is_object(value) and list(value) == ["commitment"]


def _is_object(value: Json) -> TypeGuard[_Object]:
    return isinstance(value, dict)


def _object(holder: _Object, name: str) -> _Object:
    value = holder.get(name)
    if value is None:
        return {}
    if not _is_object(value):
        raise ValueError(f"{name} is not an object")
    return value


def _list(holder: _Object, name: str) -> list[Any]:
    value = holder.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")  # noqa: TRY004
    return value  # pyright: ignore[reportUnknownVariableType]


def _text(body: _Object, name: str) -> str:
    return _text_of(body.get(name), name)


def _text_or_none(body: _Object, name: str, within: str = "") -> str | None:
    return None if body.get(name) is None else _text_of(body[name], within + name)


def _text_of(value: Json, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{place} is missing or not a text")
    return value


def _rule(hit: Json) -> str:
    return _text_of(hit.get("rule") if _is_object(hit) else None, "decision.hits[].rule")


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
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{place} is not a whole number")  # noqa: TRY004
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


def _counts(body: _Object, facts: Facts) -> bool:
    """A plan that changes something draws on budgets; without a recorded plan, a call of a writing tool does."""
    if "plan" not in body:
        return _object(facts, "call").get("effect") == "write"
    plan = _object(body, "plan")
    return bool(plan.get("changes")) and not plan.get("denies")


def _verdict(decision: _Object) -> str | None:
    verdict = decision.get("verdict")
    if verdict is not None and verdict not in set(Verdict):
        raise ValueError(f"{verdict!r} is not a verdict")
    return verdict
