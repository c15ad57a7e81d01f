"""What a client can read and start from: what this shop lets an agent do, its offers, and prompts for common journeys.

Offers are read through the gate like everything else that comes out of the shop.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson
from mcp import types as t
from mcp.shared.exceptions import MCPError

from tillgate.guards.outcome import Outcome

POLICY, OFFERS = "tillgate://policy", "tillgate://offers"


def resources() -> list[t.Resource]:
    """What can be read."""
    return [
        t.Resource(
            uri=POLICY,
            name="policy",
            title="What can be done here",
            description="Which acts this shop lets an agent do, and what each may ask for first.",
            mime_type="text/markdown",
        ),
        t.Resource(
            uri=OFFERS,
            name="offers",
            title="Current offers",
            description="The approved offers that run now, as list_offers returns them.",
            mime_type="application/json",
        ),
    ]


async def read(
    uri: str, words: Callable[[], Awaitable[str]], offers: Callable[[], Awaitable[Outcome]]
) -> t.ReadResourceResult:
    """One resource. Raises MCPError for an address that is none."""
    if uri == POLICY:
        text, kind = await words(), "text/markdown"
    elif uri == OFFERS:
        text, kind = orjson.dumps((await offers()).as_json()).decode(), "application/json"
    else:
        raise MCPError(t.INVALID_PARAMS, f"There is no resource {uri[:64]!r}; resources/list names them", {"uri": uri})
    return t.ReadResourceResult(contents=[t.TextResourceContents(uri=uri, mime_type=kind, text=text)])


@dataclass(frozen=True, slots=True)
class Journey:
    """A common conversation to start from. `asks` are the names of its arguments, with what each is."""

    name: str
    description: str
    asks: Mapping[str, str]
    words: str

    def prompt(self) -> t.Prompt:
        """The prompt as it is listed."""
        arguments = [t.PromptArgument(name=name, description=what, required=True) for name, what in self.asks.items()]
        return t.Prompt(name=self.name, description=self.description, arguments=arguments or None)


JOURNEYS: Mapping[str, Journey] = {
    journey.name: journey
    for journey in (
        Journey(
            "where_is_my_order",
            "Tell the customer where an order is.",
            {"order_id": "The order's id"},
            "Look up order {order_id} with get_order and tell me where it is: its status, what is in it, and when it "
            "was delivered if it was. If it cannot be found, ask me for the id again.",
        ),
        Journey(
            "refund_an_order",
            "Ask for money back for an order.",
            {"order_id": "The order's id", "reason": "Why, in the customer's words"},
            "I would like money back for order {order_id}. My reason: {reason}. Use quote_refund first and tell me "
            "what is possible, then issue_refund once I have agreed. Do what next_step says at each answer, and never "
            "promise what has not completed.",
        ),
        Journey(
            "change_an_address",
            "Have an order sent elsewhere, before it leaves.",
            {"order_id": "The order's id"},
            "Order {order_id} should go to another address. Ask me for all of the new address, read it back to me, "
            "then use update_address.",
        ),
        Journey(
            "cancel_an_order",
            "Cancel an order that has not been sent.",
            {"order_id": "The order's id"},
            "Cancel order {order_id}. Tell me first what goes back to me and whether it can be undone.",
        ),
        Journey(
            "talk_to_a_person",
            "Hand over to a colleague.",
            {},
            "I would like to talk to a person. Use request_human with a short reason, and tell me what happens next.",
        ),
    )
}


def get_prompt(name: str, arguments: Mapping[str, str]) -> t.GetPromptResult:
    """A journey with its arguments filled in. Raises MCPError for an unknown one, or arguments that do not fit."""
    journey = JOURNEYS.get(name)
    if journey is None:
        raise MCPError(t.INVALID_PARAMS, f"There is no prompt {name[:64]!r}; prompts/list names them")
    if wrong := _misfits(journey.asks, arguments):
        raise MCPError(t.INVALID_PARAMS, f"{name}: {', '.join(wrong)}")
    text = journey.words.format(**arguments)
    message = t.PromptMessage(role="user", content=t.TextContent(text=text))
    return t.GetPromptResult(description=journey.description, messages=[message])


def _misfits(asks: Iterable[str], arguments: Mapping[str, str]) -> list[str]:
    wanted = set(asks)
    missing = [f"{name} is missing" for name in sorted(wanted - set(arguments))]
    unknown = [f"{name[:32]!r} is not asked for" for name in sorted(set(arguments) - wanted)]
    odd = [f"{name} is too long or not plain text" for name in sorted(wanted & set(arguments)) if _odd(arguments[name])]
    return missing + unknown + odd


def _odd(text: str) -> bool:
    return len(text) > 300 or not text.isprintable()
