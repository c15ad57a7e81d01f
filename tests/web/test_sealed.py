"""A yes that was asked for works once, for whoever was asked and for exactly that, whichever replica it is brought to.

Everything that can carry one: the token a model relays, the sealed state of a question, and a code the customer says.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from e2e.world import NOW, SHOP, JsonObject, World, policy
from postgresql import Server
from psycopg.rows import tuple_row
from web.house import CAPABILITIES, META, START, Reply, Web, records, request

RESOURCE = "https://shop.example/mcp"
EXPIRED = "2026-03-01T12:15:00Z"
"""A quarter of an hour after it was asked: as long as a question stands."""
LATE = {"exp": START + 86_400}
POLICY = policy(
    "{id: relay, tools: [cancel_order], confirm: agent}",
    "{id: form, tools: [issue_refund], confirm: client}",
    "{id: code, tools: [return_items], confirm: customer}",
)
FORM: JsonObject = {**META, CAPABILITIES: {"elicitation": {"form": {}}}, "tillgate/conversation": "talk"}
YES: JsonObject = {"answer": {"action": "accept", "content": {"agree": True}}}
LINES = [{"line_id": "ord_a1-1", "quantity": 1}]


@dataclass(frozen=True)
class PostgresWorld(World):
    """The same shop in a database that several machines could reach."""

    url: str = ""

    def env(self, now: str = "", policy: str | None = None) -> dict[str, str]:
        return {**super().env(now, policy), "TILLGATE_DATABASE_URL": self.url}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, row_factory=tuple_row) as connection:
            return connection.execute(sql.encode()).fetchall()


@dataclass(frozen=True)
class Carrier:
    """A way in which a yes travels: the call it is for, other arguments of it, and another tool that takes them."""

    tool: str
    arguments: JsonObject
    others: JsonObject
    other_tool: str
    other_arguments: JsonObject


CARRIERS: Mapping[str, Carrier] = {
    "token": Carrier(
        "cancel_order", {"order_id": "ord_a2", "reason": "other"}, {"order_id": "ord_a7"},
        "issue_refund", {"order_id": "ord_a1", "amount": "6.00", "reason": "late"},
    ),
    "state": Carrier(
        "issue_refund", {"order_id": "ord_a1", "amount": "6.00", "reason": "late"}, {"amount": "7.00"},
        "cancel_order", {"order_id": "ord_a2", "reason": "other"},
    ),
    **dict.fromkeys(
        ("code", "page"),
        Carrier(
            "return_items", {"order_id": "ord_a1", "lines": LINES, "reason": "too small"}, {"reason": "too large"},
            "cancel_order", {"order_id": "ord_a2", "reason": "other"},
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Yes:
    """One that was asked for on `asked`: what it is for, and what carries it."""

    how: str
    asked: Web
    carrier: Carrier
    secret: str
    said: JsonObject = field(default_factory=lambda: YES)

    def raw(self, web: Web, token: str, tool: str, arguments: JsonObject, meta: JsonObject = FORM) -> bytes:
        """The request that brings it to a replica."""
        sealed = {"requestState": self.secret, "inputResponses": self.said} if self.how == "state" else {}
        plain = {"confirmation_token": self.secret} if self.how in ("token", "code") else {}
        params = {"name": tool, "arguments": {**arguments, **plain}, "_meta": meta, **sealed}
        body = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
        return request("POST", "/mcp", web.head(tool, token), body)

    def brought(self, web: Web, token: str | None = None, **more: Any) -> Reply:
        """By its own principal and for its own call, but for what is said."""
        tool = more.pop("tool", self.carrier.tool)
        arguments = more.pop("arguments", self.carrier.arguments)
        return web.send(self.raw(web, token or good(web), tool, arguments, **more))


def good(web: Web, customer: str | None = "cus_ana", **claims: Any) -> str:
    return web.token(customer, aud=RESOURCE, **{**LATE, **claims})


@dataclass
class House:
    """One store and replicas on it."""

    world: World
    stack: ExitStack

    def replica(self, now: str = NOW) -> Web:
        web = Web(self.world, "--resource-url", RESOURCE, policy=POLICY, now=now)
        self.stack.callback(web.close)
        return web

    def asks(self, web: Web, how: str, **more: Any) -> Yes:
        """A question, and what its yes would be carried by."""
        carrier = replace(CARRIERS[how], arguments={**CARRIERS[how].arguments, **more})
        told = web.call(carrier.tool, carrier.arguments, good(web), FORM)
        if how == "state":
            return Yes(how, web, carrier, str(told.message["result"]["requestState"]))
        assert told.answer.status == "confirmation_required", told
        if how == "page":
            page = {"host": web.host, "content-type": "application/x-www-form-urlencoded"}
            path = "/verify/" + told.answer.envelope["confirmation"]["url"].rpartition("/")[2]
            assert web.post(f"code={self.world.code()}".encode(), page, path).status == 200
            return Yes(how, web, carrier, "")
        return Yes(how, web, carrier, told.answer.token if how == "token" else self.world.code())


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, seeded: World, tmp_path: Path) -> Iterator[House]:
    world: World = seeded.copy(tmp_path / "world") if request.param == "sqlite" else in_postgres(request, tmp_path)
    with ExitStack() as stack:
        yield House(world, stack)


def in_postgres(request: pytest.FixtureRequest, folder: Path) -> World:
    server: Server = request.getfixturevalue("postgresql")
    name = server.database()
    request.addfinalizer(lambda: server.drop(name))
    world = PostgresWorld(folder, server.url(name))
    (folder / "shop.json").write_text(json.dumps(SHOP), "utf-8")
    done = world.run("seed", "shop.json")
    assert done.returncode == 0, done.stderr
    return world


def acts(world: World) -> list[str]:
    """The tools of the calls that changed something, from the log."""
    calls = [record for record in records(world) if record["kind"] == "call" and not record["replayed"]]
    return [record["tool"] for record in calls if record["outcome"]["status"] == "completed" and record["plan"]]


def idle(world: World, bring: Callable[[], Reply]) -> Reply:
    """What comes of bringing it, which has no effect."""
    shop, before = world.shop(), acts(world)
    reply = bring()
    assert b"Traceback" not in reply.body
    assert reply.answer.envelope.get("replayed") or reply.answer.status != "completed", reply
    assert (world.shop(), acts(world)) == (shop, before), reply
    return reply


Misuse = Callable[[House, Yes, Web], Sequence[Reply]]


def by_others(_house: House, yes: Yes, web: Web) -> Sequence[Reply]:
    others = [good(web, "cus_ben"), good(web, client_id="other-agent"), good(web, sub="other"), good(web, None)]
    return [idle(web.world, lambda token=token: yes.brought(web, token)) for token in others]  # type: ignore[misc]


def for_other_arguments(_house: House, yes: Yes, web: Web) -> Sequence[Reply]:
    arguments = {**yes.carrier.arguments, **yes.carrier.others}
    return [idle(web.world, lambda: yes.brought(web, arguments=arguments))]


def for_another_tool(_house: House, yes: Yes, web: Web) -> Sequence[Reply]:
    other = yes.carrier
    return [idle(web.world, lambda: yes.brought(web, tool=other.other_tool, arguments=other.other_arguments))]


def in_another_conversation(_house: House, yes: Yes, web: Web) -> Sequence[Reply]:
    meta = {**FORM, "tillgate/conversation": "another"}
    return [idle(web.world, lambda: yes.brought(web, meta=meta))]


def when_it_has_expired(house: House, yes: Yes, _web: Web) -> Sequence[Reply]:
    late = house.replica(EXPIRED)
    return [idle(late.world, lambda: yes.brought(late))]


def altered(_house: House, yes: Yes, web: Web) -> Sequence[Reply]:
    if yes.how == "page":
        return []
    middle = len(yes.secret) // 2
    flipped = "7" if yes.secret[middle] != "7" else "8"
    wrong = replace(yes, secret=yes.secret[:middle] + flipped + yes.secret[middle + 1 :])
    return [idle(web.world, lambda: wrong.brought(web))]


MISUSES: Mapping[str, Misuse] = {
    each.__name__: each
    for each in (
        by_others,
        for_other_arguments,
        for_another_tool,
        in_another_conversation,
        when_it_has_expired,
        altered,
    )
}


@pytest.mark.parametrize("how", CARRIERS)
def test_a_yes_works_once_whichever_replicas_it_is_brought_to(house: House, how: str) -> None:
    """Who asked has been killed; the others are told at once, some of them twice, and then again."""
    first = house.replica()
    yes = house.asks(first, how)
    first.process.kill()
    webs = [house.replica(), house.replica()]
    wires = [(web, web.connect()) for web in webs * 4]
    for web, wire in wires:
        wire.send(yes.raw(web, good(web), yes.carrier.tool, yes.carrier.arguments))
    told = [wire.reply().answer for _, wire in wires]
    assert acts(house.world) == [yes.carrier.tool]
    assert sum(answer.status == "completed" and not answer.envelope["replayed"] for answer in told) == 1
    for web, wire in wires:
        wire.close()
        idle(house.world, lambda web=web: yes.brought(web))  # type: ignore[misc]


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
@pytest.mark.parametrize("how", CARRIERS)
def test_a_yes_is_worth_nothing_used_in_any_other_way(house: House, how: str) -> None:
    """On a replica that did not ask. Each try is on record."""
    first, second = house.replica(), house.replica()
    yes = house.asks(first, how)
    for name, misuse in MISUSES.items():
        yes = yes if how == "page" else house.asks(first, how)  # what was said on the page stands
        start = len(records(house.world))
        replies = misuse(house, yes, second)
        assert all(reply.status in (200, 400) for reply in replies), (name, replies)
        assert [record["kind"] for record in records(house.world)[start:]] == ["call"] * len(replies), name


def test_a_no_after_the_yes_was_used_does_not_say_that_nothing_was_done(house: House) -> None:
    web = house.replica()
    yes = house.asks(web, "state")
    done = yes.brought(web).answer
    told = idle(house.world, lambda: replace(yes, said={"answer": {"action": "decline"}}).brought(web)).answer
    assert (done.status, told.status, told.codes) == ("completed", "denied", ["question_ended"])
    assert records(house.world)[-1]["too_late"] is True
    unused = house.asks(web, "state", amount="6.01")
    no = replace(unused, said={"answer": {"action": "decline"}})
    assert idle(house.world, lambda: no.brought(web)).answer.codes == ["declined"]
    assert idle(house.world, lambda: unused.brought(web)).answer.codes == ["confirmation_invalid"]
