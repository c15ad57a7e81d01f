"""Rows of the gate's tables to its nouns and back. Times are RFC 3339 UTC text, whole seconds, so they sort."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import orjson

from tillgate.guards.desk import Action, Caller, Pending, Received, Request, Talk
from tillgate.guards.effects import Effect
from tillgate.guards.model import Agent, Assurance, Json, Subject, inside
from tillgate.tools.shops.embedded.sql import Row, Statement


@lru_cache(64)
def time_text(at: datetime) -> str:
    """A time as it is stored."""
    return at.astimezone(UTC).isoformat()[:19] + "Z"


def time_from(text: str) -> datetime:
    """A stored time."""
    return datetime.fromisoformat(text)


def json_text(value: Json) -> str:
    """A JSON value as it is stored."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def inserting(shop: str, table: str, values: Mapping[str, Any], otherwise: str = "") -> Statement:
    """A new row of this shop, or what happens otherwise."""
    return _insertion(table, tuple(values)) + otherwise, (shop, *values.values())


def adding(shop: str, table: str, values: Mapping[str, Any]) -> Statement:
    """A new row after all others of this shop, with the next number."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    statement = (
        f"INSERT INTO {table} (shop, seq, {names})"  # noqa: S608
        f" SELECT ?, coalesce(max(seq), 0) + 1, {marks} FROM {table} WHERE shop = ?"
    )
    return statement, (shop, *values.values(), shop)


@cache
def _insertion(table: str, columns: tuple[str, ...]) -> str:
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
    return f"INSERT INTO {table} (shop, {names}) VALUES (?, {marks})"  # noqa: S608


def talk_from(row: Row | Mapping[str, Any]) -> Talk:
    return Talk(
        key=row["id"],
        id=row["name"],
        nonce=row["nonce"],
        customer_id=row["customer_id"],
        stepped_up_at=time_from(row["stepped_up_at"]) if row["stepped_up_at"] else None,
        misses=row["misses"],
        calls=row["calls"],
        writes=row["writes"],
        denied=row["denied"],
        escalated=row["escalated"],
        orders=frozenset(orjson.loads(row["orders"])),
        last_record=row["last_record"],
    )


def action_from(row: Row) -> Action:
    return Action(
        call_id=row["call_id"],
        tool=row["tool"],
        key=row["key"],
        arguments=row["arguments"],
        outcome=orjson.loads(row["outcome"]),
        roots=orjson.loads(row["roots"]),
        handle=row["handle"],
    )


def pending_from(row: Row) -> Pending:
    return Pending(
        id=row["id"],
        tool=row["tool"],
        plan=row["plan"],
        customer_id=row["customer_id"],
        strength=row["strength"],
        salt=row["salt"],
        token_hash=row["token_hash"],
        expires_at=time_from(row["expires_at"]),
        attempts=row["attempts"],
        said=bool(row["said"]),
    )


def caller_json(caller: Caller) -> dict[str, Json]:
    return {
        "agent": {"id": caller.agent.id, "channel": caller.agent.channel},
        "principal": caller.principal,
        "conversation": caller.conversation,
        "customer_id": caller.customer_id,
        "assurance": int(caller.assurance),
        "since": time_text(caller.since),
    }


def caller_from(stored: Mapping[str, Any]) -> Caller:
    return Caller(
        agent=Agent(**stored["agent"]),
        principal=stored["principal"],
        conversation=stored["conversation"],
        customer_id=stored["customer_id"],
        assurance=Assurance(stored["assurance"]),
        since=time_from(stored["since"]),
    )


def _effect_json(effect: Effect) -> dict[str, Json]:
    return {"port": effect.port, "act": effect.act, "details": dict(effect.details)}


def request_row(request: Request) -> dict[str, Any]:
    """The columns of an escalation."""
    return {
        "id": request.handle,
        "call_id": request.call_id,
        "conversation": request.talk_key,
        "customer_id": request.subject.customer_id,
        "caller": json_text(caller_json(request.received.caller)),
        "assurance": int(request.subject.assurance),
        "tool": request.received.tool,
        "arguments": json_text(dict(request.received.arguments)),
        "consent": request.consent,
        "plan_digest": request.plan_digest,
        "basis": json_text([list(pair) for pair in request.basis]),
        "summary": request.summary,
        "amount": request.amount,
        "queue": request.queue,
        "approvals": request.approvals,
        "policy": request.policy,
        "created_at": time_text(request.created_at),
        "expires_at": time_text(request.expires_at),
        "status": request.status,
        "message": request.message,
        "packet": json_text(dict(request.packet)),
        "result": None,
        "effects": json_text([_effect_json(effect) for effect in request.effects]),
        "fence": request.fence,
        "lease_until": time_text(request.lease_until) if request.lease_until else None,
    }


def request_from(row: Row, approved_by: Sequence[str]) -> Request:
    caller = caller_from(orjson.loads(row["caller"]))
    return Request(
        handle=row["id"],
        call_id=row["call_id"],
        received=Received(row["tool"], orjson.loads(row["arguments"]), caller),
        subject=Subject(row["customer_id"], Assurance(row["assurance"])),
        talk_key=row["conversation"],
        consent=row["consent"],
        plan_digest=row["plan_digest"],
        basis=tuple((entity, version) for entity, version in orjson.loads(row["basis"])),
        summary=row["summary"],
        amount=row["amount"],
        queue=row["queue"],
        approvals=row["approvals"],
        policy=row["policy"],
        created_at=time_from(row["created_at"]),
        expires_at=time_from(row["expires_at"]),
        status=row["status"],
        message=row["message"],
        packet=orjson.loads(row["packet"]),
        approved_by=tuple(approved_by),
        result=orjson.loads(row["result"]) if row["result"] else None,
        effects=tuple(Effect(**each) for each in orjson.loads(row["effects"])),
        fence=row["fence"],
        lease_until=time_from(row["lease_until"]) if row["lease_until"] else None,
    )


def glimpse(record: Mapping[str, Any]) -> Mapping[str, Json]:
    """What a reviewer sees of an earlier call of the same conversation."""
    outcome = inside(record, "outcome")
    return {
        "at": record["at"],
        "tool": record.get("tool"),
        "status": outcome.get("status"),
        "reasons": [reason["code"] for reason in outcome.get("reasons", [])],
    }
