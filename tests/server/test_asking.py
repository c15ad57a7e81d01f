"""What a client can be asked, in both protocol eras: a form's yes is the client's, the customer's comes elsewhere."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp import types as t
from msgspec.structs import replace
from worlds import World, customer, make_world

from tillgate.guards import asking
from tillgate.guards.desk import Received
from tillgate.guards.outcome import Outcome
from tillgate.server.cards import cards_of
from tillgate.server.door import Door, Sent
from tillgate.server.driving import AskClient, drive
from tillgate.server.mcp_server import build_server
from tillgate.server.words import policy_in_words

CLIENT = """
  - {id: all, tools: "*", permit: true}
  - {id: ask, tools: [issue_refund], confirm: client}
"""
CUSTOMER = CLIENT.replace("confirm: client", "confirm: customer")
REFUND = {"order_id": "ord_1", "amount": "5.00", "reason": "late"}
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])
ACCEPT = t.ElicitResult(action="accept", content={"agree": True})

Answer = Callable[[t.ElicitRequestParams], t.ElicitResult]


@dataclass
class Desk:
    """A client at a server on a world, and whoever sits at it."""

    world: World
    asked: list[Any] = field(default_factory=list[Any])
    answer: t.ElicitResult = field(default_factory=lambda: ACCEPT)

    async def elicit(self, context: Any, params: t.ElicitRequestParams) -> t.ElicitResult:
        self.asked.append(params)
        return self.answer

    def server(self) -> Any:
        async def run(job: Any) -> Any:
            return self.world.store.run(job)

        async def call(sent: Sent, ask: AskClient) -> Outcome:
            gate = self.world.gate
            caller = replace(customer(conversation=sent.conversation or "talk"), asks=sent.asks)
            return await drive(gate.steps(sent.by(caller)), run, gate.reach, ask)

        async def words() -> str:
            return policy_in_words(self.world.gate.tools, self.world.gate.policy)

        return build_server(
            Door(lambda: cards_of(self.world.gate.tools), call, lambda _: "p", words, b"k" * 32, self.world.store.now)
        )

    async def call(self, mode: str, tool: str = "issue_refund", **arguments: Any) -> dict[str, Any]:
        async with Client(self.server(), mode=mode, elicitation_callback=self.elicit) as client:
            answer = await client.call_tool(tool, arguments or REFUND)
            assert isinstance(answer.structured_content, dict)
            return answer.structured_content


def refunds(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM transfer WHERE kind = 'refund'")[0][0])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    world = make_world(tmp_path)
    yield Desk(world.under(CLIENT))
    world.store.close()


@BOTH
async def test_a_form_that_is_agreed_to_lets_the_call_through(desk: Desk, mode: str) -> None:
    told = await desk.call(mode)
    assert told["status"] == "completed"
    assert [ask.message for ask in desk.asked] == [
        "Refund 5.00 USD of order ord_1 to the original card. This cannot be taken back: The refund has been handed to "
        "the payment provider and cannot be called back."
    ]
    assert refunds(desk.world) == 1
    assert desk.world.records()[-1]["facts"]["consent"] == {"strength": "CLIENT"}


@BOTH
@pytest.mark.parametrize("content", [{"agree": False}, {}, None])
async def test_accepting_without_agreeing_is_a_no(desk: Desk, mode: str, content: dict[str, Any] | None) -> None:
    desk.answer = t.ElicitResult(action="accept", content=content)
    told = await desk.call(mode)
    assert (told["status"], told["reasons"][0]["code"]) == ("denied", "declined")
    assert refunds(desk.world) == 0


@BOTH
async def test_a_no_is_on_record_and_spends_the_question(desk: Desk, mode: str) -> None:
    desk.answer = t.ElicitResult(action="decline")
    told = await desk.call(mode)
    assert (told["status"], told["reasons"][0]["code"]) == ("denied", "declined")
    assert [record["kind"] for record in desk.world.records()] == ["call", "declined"]
    assert desk.world.rows("SELECT spent FROM confirmation") == [(1,)]


@BOTH
async def test_a_window_that_is_closed_is_no_answer(desk: Desk, mode: str) -> None:
    desk.answer = t.ElicitResult(action="cancel")
    told = await desk.call(mode)
    assert told["status"] == "confirmation_required"
    assert "token" not in told["confirmation"]
    assert refunds(desk.world) == 0


@BOTH
async def test_a_client_that_cannot_be_asked_gets_a_code_for_its_customer(desk: Desk, mode: str) -> None:
    async with Client(desk.server(), mode=mode) as client:
        told = (await client.call_tool("issue_refund", REFUND)).structured_content
    assert told is not None
    assert told["status"] == "confirmation_required"
    assert told["confirmation"]["sent_to"] == "p***@example.com"
    assert "cannot ask in a window" in told["next_step"]


async def first_round(client: Client) -> t.InputRequiredResult:
    first = await client.session.call_tool("issue_refund", REFUND, allow_input_required=True)
    assert isinstance(first, t.InputRequiredResult)
    return first


async def second_round(client: Client, first: t.InputRequiredResult, **arguments: Any) -> Any:
    return await client.session.call_tool(
        "issue_refund",
        REFUND | arguments,
        input_responses={"answer": ACCEPT},
        request_state=first.request_state,
        allow_input_required=True,
    )


async def test_a_sealed_yes_works_once(desk: Desk) -> None:
    async with Client(desk.server(), elicitation_callback=desk.elicit) as client:
        first = await first_round(client)
        again = await second_round(client, first)
        assert again.structured_content["status"] == "completed"
        replayed = await second_round(client, first)
    assert (replayed.structured_content["replayed"], refunds(desk.world)) == (True, 1)
    key = {"idempotency_key": "other"}
    async with Client(desk.server(), elicitation_callback=desk.elicit) as client:
        with pytest.raises(Exception, match="Invalid or expired requestState"):
            await second_round(client, first, **key)
    assert refunds(desk.world) == 1


async def test_a_sealed_yes_is_worth_nothing_for_other_arguments_or_when_it_was_changed(desk: Desk) -> None:
    async with Client(desk.server(), elicitation_callback=desk.elicit) as client:
        first = await first_round(client)
        with pytest.raises(Exception, match="Invalid or expired requestState"):
            await second_round(client, first, amount="50.00")
        assert first.request_state is not None
        flipped = first.model_copy(update={"request_state": first.request_state[:-4] + "AAAA"})
        with pytest.raises(Exception, match="Invalid or expired requestState"):
            await second_round(client, flipped)
    assert refunds(desk.world) == 0


async def test_a_sealed_yes_ends_with_its_question(desk: Desk) -> None:
    async with Client(desk.server(), elicitation_callback=desk.elicit) as client:
        first = await first_round(client)
        desk.world.clock.advance(minutes=16)
        late = await second_round(client, first)
    assert late.structured_content["reasons"][0]["code"] == "confirmation_expired"
    assert refunds(desk.world) == 0


async def test_a_form_token_that_a_model_relays_is_worth_nothing(desk: Desk) -> None:
    async with Client(desk.server(), elicitation_callback=desk.elicit) as client:
        await first_round(client)
    # Even whoever could read the token in the process cannot use it as the model's own yes.
    steps = desk.world.gate.steps(Received("issue_refund", REFUND, replace(customer(), asks=frozenset({"form"}))))
    transact = next(steps)
    asked = steps.send(desk.world.store.run(transact.job))  # type: ignore[union-attr]
    relayed = desk.world.call("issue_refund", **REFUND, confirmation_token=asked.secret)  # type: ignore[union-attr]
    assert relayed.reasons[0].code == "confirmation_invalid"
    assert refunds(desk.world) == 0


@BOTH
async def test_an_auto_accepted_form_never_passes_for_the_customer(desk: Desk, mode: str) -> None:
    desk.world = desk.world.under(CUSTOMER)
    told = await desk.call(mode)
    assert told["status"] == "confirmation_required"
    assert desk.asked == []
    assert refunds(desk.world) == 0


def paged(desk: Desk, rules: str = CUSTOMER) -> Desk:
    world = desk.world.under(rules)
    desk.world = dataclasses.replace(world, gate=dataclasses.replace(world.gate, pages="https://shop.example/verify"))
    return desk


def code_in(desk: Desk) -> str:
    """The code in the newest message."""
    return str(re.findall(r"\b[0-9]{6}\b", desk.world.mailbox()[-1])[0])


@BOTH
async def test_the_customer_confirms_on_our_page_and_the_call_goes_through(desk: Desk, mode: str) -> None:
    told = await paged(desk).call(mode)
    pending = desk.world.rows("SELECT id FROM confirmation")[0][0]
    url = f"https://shop.example/verify/{pending}"
    assert told["confirmation"]["url"] == url
    assert url in desk.world.mailbox()[-1]
    assert "token" not in told["confirmation"]
    assert not desk.world.store.run(lambda at: asking.say(at, pending, "000000"))
    assert (await desk.call(mode))["status"] == "confirmation_required"
    code = code_in(desk)
    assert desk.world.store.run(lambda at: asking.say(at, pending, code))
    assert (await desk.call(mode))["status"] == "completed"
    assert desk.world.records()[-1]["facts"]["consent"] == {"strength": "CUSTOMER"}
    again = await desk.call(mode, **REFUND, idempotency_key="again")
    assert again["status"] == "confirmation_required"
    assert refunds(desk.world) == 1


async def test_what_was_said_on_the_page_holds_for_exactly_that(desk: Desk) -> None:
    await paged(desk).call("auto")
    pending = desk.world.rows("SELECT id FROM confirmation")[0][0]
    code = code_in(desk)
    assert desk.world.store.run(lambda at: asking.say(at, pending, code))
    other = await desk.call("auto", **REFUND | {"amount": "50.00"})
    assert other["status"] == "confirmation_required"
    elsewhere = desk.world.call("issue_refund", customer(conversation="elsewhere"), **REFUND)
    assert elsewhere.status == "confirmation_required"
    assert refunds(desk.world) == 0


async def test_a_page_can_be_tried_three_times(desk: Desk) -> None:
    await paged(desk).call("auto")
    pending = desk.world.rows("SELECT id FROM confirmation")[0][0]
    right = code_in(desk)
    wrong = "999999" if right != "999999" else "000000"
    for _ in range(3):
        assert not desk.world.store.run(lambda at: asking.say(at, pending, wrong))
    assert not desk.world.store.run(lambda at: asking.say(at, pending, right))
    assert [record["kind"] for record in desk.world.records()][-3:] == ["wrong_code"] * 3
