"""The customer's page: a code entered there counts, a link proves nothing, and looking changes nothing."""

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from worlds import World, customer

from tillgate.guards.model import Assurance
from tillgate.guards.steps import drive
from tillgate.server.questions import entered, is_open
from tillgate.server.web.verifying import verify_routes

CONFIRM = """
  - {id: all, tools: "*", permit: true}
  - {id: ask, tools: [issue_refund], confirm: customer}
"""
PROVE = CONFIRM.replace("confirm: customer", "verify: stepped_up")
REFUND = {"order_id": "ord_1", "amount": "5.00", "reason": "late"}


class Near:
    """As much of a line to the gate as the page needs."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def is_open(self, question: str) -> bool:
        return self._world.store.run(lambda desk: is_open(desk, question))

    async def entered(self, question: str, code: str) -> bool:
        gate = self._world.gate
        return drive(entered(gate, question, code), self._world.store, gate.reach)


def page(world: World) -> TestClient:
    return TestClient(Starlette(routes=verify_routes(Near(world))))


def code(world: World) -> str:
    return str(re.findall(r"\b[0-9]{6}\b", world.mailbox()[-1])[0])


def dump(world: World) -> list[object]:
    return [world.shop(), world.rows("SELECT * FROM confirmation"), world.rows("SELECT * FROM challenge")]


def confirming(world: World) -> tuple[World, str]:
    world = world.under(CONFIRM)
    assert world.call("issue_refund", **REFUND).status == "confirmation_required"
    return world, str(world.rows("SELECT id FROM confirmation")[0][0])


def proving(world: World) -> tuple[World, str]:
    world = world.under(PROVE)
    who = customer(assurance=Assurance.AUTHENTICATED)
    told = world.call("issue_refund", who, **REFUND)
    assert told.verification is not None
    return world, str(told.verification.challenge_id)


def test_a_code_entered_on_the_page_is_the_customers_yes(world: World) -> None:
    world, question = confirming(world)
    done = page(world).post(f"/verify/{question}", data={"code": code(world)})
    assert (done.status_code, "Thank you" in done.text) == (200, True)
    assert world.rows("SELECT said FROM confirmation") == [(1,)]
    assert world.shop() == world.shop()
    assert page(world).get(f"/verify/{question}").status_code == 404


def test_a_code_entered_on_the_page_proves_identity_in_the_conversation_that_asked(world: World) -> None:
    world, question = proving(world)
    who = customer(assurance=Assurance.AUTHENTICATED)
    assert page(world).post(f"/verify/{question}", data={"code": code(world)}).status_code == 200
    assert world.call("issue_refund", who, **REFUND).status == "completed"
    elsewhere = customer(assurance=Assurance.AUTHENTICATED, conversation="elsewhere")
    assert world.call("issue_refund", elsewhere, **REFUND | {"reason": "again"}).status == "verification_required"
    record = next(record for record in world.records() if record["tool"] == "verify_identity")
    assert (record["agent"]["id"], record["arguments"]["code"]) == ("customer", "[secret]")


@pytest.mark.parametrize("ask", [confirming, proving])
def test_looking_at_the_page_changes_nothing_and_shows_nothing(world: World, ask: object) -> None:
    world, question = ask(world)  # type: ignore[operator]
    before, records = dump(world), world.records()
    for _ in range(20):
        seen = page(world).get(f"/verify/{question}")
        assert seen.status_code == 200
        assert not re.search(r"ord_1|5\.00|example\.com|Person|4242", seen.text)
    assert (dump(world), world.records()) == (before, records)


@pytest.mark.parametrize("ask", [confirming, proving])
def test_wrong_codes_end_the_question(world: World, ask: object) -> None:
    world, question = ask(world)  # type: ignore[operator]
    right = code(world)
    wrong = "000001" if right != "000001" else "000002"
    answers = [page(world).post(f"/verify/{question}", data={"code": wrong}).status_code for _ in range(6)]
    assert answers[0] == 422
    assert answers[-1] == 404
    assert page(world).post(f"/verify/{question}", data={"code": right}).status_code == 404
    assert world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'") == [(0,)]


def test_a_question_ends_with_its_time(world: World) -> None:
    world, question = confirming(world)
    right = code(world)
    world.clock.advance(minutes=16)
    assert page(world).post(f"/verify/{question}", data={"code": right}).status_code == 404


@pytest.mark.parametrize("question", ["cnf_0", "chl_0", "x", "%00", "'; DROP TABLE audit;--", "a" * 3000])
def test_what_never_was_is_told_like_what_has_ended(world: World, question: str) -> None:
    world, real = confirming(world)
    page(world).post(f"/verify/{real}", data={"code": code(world)})
    ended = page(world).get(f"/verify/{real}")
    never = page(world).get(f"/verify/{question}")
    assert (never.status_code, never.text) == (ended.status_code, ended.text)


@pytest.mark.parametrize(
    "body",
    [b"", b"code=", b"code=12345", b"code=1234567", b"code=%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5%D9%A6", b"code=abcdef",
     b"code=123456&code=654321", b"code=" + b"1" * 5000, b"\xff\xfe", b"kode=123456"],
)  # fmt: skip
def test_what_is_no_code_costs_no_try(world: World, body: bytes) -> None:
    world, question = confirming(world)
    right = code(world)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert page(world).post(f"/verify/{question}", content=body, headers=kind).status_code == 422
    assert page(world).post(f"/verify/{question}", data={"code": right}).status_code == 200


def test_the_page_forbids_everything_it_does_not_need(world: World) -> None:
    world, question = confirming(world)
    seen = page(world).get(f"/verify/{question}")
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in seen.headers["content-security-policy"]
    assert "<script" not in seen.text
    assert page(world).get("/verify/style.css").headers["content-type"].startswith("text/css")
