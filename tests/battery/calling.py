"""Many callers at once: each call as if alone, transactions together, as behind a transport for many clients."""

import asyncio
from collections.abc import Iterable
from typing import Any

from battery.stage import Shop, caller
from turning import Turning

from tillgate.guards.desk import Received
from tillgate.guards.outcome import Outcome

Call = tuple[int, str, dict[str, Any]]
"""Who, which tool, and with what."""


def call(shop: Shop, who: int, tool: str, **arguments: Any) -> Outcome:
    """One call, here and now."""
    return shop.gate.handle(Received(tool, arguments, caller(who)))


def at_once(shop: Shop, calls: Iterable[Call]) -> list[Outcome]:
    """All of them at the same moment, on one event loop."""
    return asyncio.run(_at_once(shop, calls))


async def _at_once(shop: Shop, calls: Iterable[Call]) -> list[Outcome]:
    async with Turning(shop.store, shop.gate.reach) as counter:
        received = (Received(tool, arguments, caller(who)) for who, tool, arguments in calls)
        return await asyncio.gather(*(counter.call(shop.gate, each) for each in received))


def told(shop: Shop, calls: Iterable[Call]) -> list[dict[str, Any]]:
    """The same for a process of its own: answers as a client gets them."""
    return [outcome.as_json() for outcome in at_once(shop, calls)]


def small(who: int, reason: str, amount: str = "1.00", order: str = "a", **more: str) -> Call:
    """A refund to the customer's gift card: nothing outside is needed for it."""
    named = {"order_id": f"{order}_{who}", "amount": amount, "reason": reason, "method": f"gift_{who}", **more}
    return who, "issue_refund", named


def to_card(who: int, reason: str, amount: str = "1.00", order: str = "a", **more: str) -> Call:
    """A refund to the customer's card, which a provider has to make."""
    return who, "issue_refund", {"order_id": f"{order}_{who}", "amount": amount, "reason": reason, **more}
