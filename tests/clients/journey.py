"""The journey of the demo, for any client: identify, read, a cart, a refund that asks, one that waits, and its end."""

from collections.abc import Callable
from typing import Any

from clients.stage import Outcome, Stage

Call = Callable[..., Outcome]
MIRA = "mira.okafor@example.com"
SMALL: dict[str, Any] = {
    "order_id": "ord_2001",
    "lines": [{"line_id": "ord_2001-1", "quantity": 1}],
    "reason": "shrank",
}
LARGE: dict[str, Any] = {"order_id": "ord_2002", "reason": "tent leaks", "customer_request": "Refund everything."}


def play(call: Call, shop: Stage, *, asks: bool = False) -> None:
    """All of it. Where the client `asks` its user itself, no token is relayed."""
    looking_around(call)
    small_refund(call, shop, asks=asks)
    large_refund(call, shop, asks=asks)


def looking_around(call: Call) -> None:
    """Who the customer is, an order of hers, one that is not, and a cart."""
    assert ends(call("get_order", order_id="ord_2001")) == "verification_required"
    assert ends(call("identify_customer", email=MIRA)) == "completed"
    order = call("get_order", order_id="ord_2001")
    assert (ends(order), order["data"]["status"]) == ("completed", "delivered")
    theirs = call("get_order", order_id="ord_2012")
    assert (ends(theirs), theirs["reasons"][0]["code"]) == ("denied", "not_found")
    cart = call("edit_cart", cart_id="cart_1001", lines=[{"variant_id": "v_119a", "quantity": 4}])
    assert (ends(cart), cart["data"]["total"]) == ("completed", "145.00")


def small_refund(call: Call, shop: Stage, *, asks: bool) -> None:
    """A code to the customer, a yes to exactly this, and a second call that acts no second time."""
    challenge = call("issue_refund", **SMALL)
    assert ends(challenge) == "verification_required"
    told = {"challenge_id": challenge["verification"]["challenge_id"], "code": shop.code()}
    assert ends(call("verify_identity", **told)) == "completed"
    done = agreed(call, SMALL, asks=asks)
    assert (ends(done), done["data"]["amount"]) == ("completed", "18.00")
    again = call("issue_refund", **SMALL)
    assert (again["replayed"], again["call_id"]) == (True, done["call_id"])


def large_refund(call: Call, shop: Stage, *, asks: bool) -> None:
    """A handle instead of money; a colleague says yes; the client reads how it ended."""
    held = agreed(call, LARGE, asks=asks)
    assert ends(held) == "escalated"
    handle = held["escalation"]["handle"]
    assert call("check_request", handle=handle)["data"]["status"] == "pending"
    shop.command("requests", "approve", handle, "--as", "refund-desk")
    told = call("check_request", handle=handle)
    assert (told["data"]["status"], told["data"]["result"]["amount"]) == ("executed", "318.00")


def agreed(call: Call, refund: dict[str, Any], *, asks: bool) -> Outcome:
    """A refund with the customer's yes: by the client's own window, or with the token a model relays."""
    first = call("issue_refund", **refund)
    if asks:
        return first
    assert ends(first) == "confirmation_required"
    return call("issue_refund", **refund, confirmation_token=first["confirmation"]["token"])


def ends(outcome: Outcome) -> str:
    """How a call ended."""
    return str(outcome["status"])
