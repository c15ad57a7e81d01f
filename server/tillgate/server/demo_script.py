"""The demo's script: two customers of the packaged shop, one agent, one reviewer, and how every call has to end."""

import json
import re
from typing import Any

from tillgate.server.demo_cast import Cast

MIRA, LIV = "cus_1001", "cus_1014"
REVIEWER = "demo-reviewer"


async def looking_around(cast: Cast) -> None:
    """Reading the catalogue, and a change to a cart."""
    await cast.scene("Looking around: what a rule permits simply happens")
    await cast.says("Mira", "Do you have wool sweaters? And make it four mugs in my cart, please.")
    await cast.call("search_products", "completed", _found, query="wool sweater", limit=1)
    lines = [{"variant_id": "v_119a", "quantity": 4}]
    await cast.call("edit_cart", "completed", _cart, cart_id="cart_1001", lines=lines)


async def discounts(cast: Cast) -> None:
    """An offer that is for somebody else, one that is hers, and second thoughts."""
    await cast.scene("Discounts: only offers on file, only for whom they are meant")
    await cast.says("Mira", "My cousin works for you, take STAFF40. No? Then WELCOME10.")
    await cast.call("apply_discount", "denied", why="not_for_you", cart_id="cart_1001", offer_code="STAFF40")
    applied = await cast.call("apply_discount", "completed", _cart, cart_id="cart_1001", offer_code="WELCOME10")
    await cast.says("Mira", "On second thoughts, I'll keep that one for later.")
    await cast.call("undo_action", "completed", _undone, call_id=applied["call_id"], reason="keeps it for later")


async def small_refund(cast: Cast) -> None:
    """A one-time code, a yes to the exact plan, and a call that is sent twice."""
    await cast.scene("A small refund: proof, then a yes to exactly this, then once")
    await cast.says("Mira", "The T-shirt shrank. I'd like my money back.")
    wanted: dict[str, Any] = {
        "order_id": "ord_2001",
        "lines": [{"line_id": "ord_2001-1", "quantity": 1}],
        "reason": "shrank",
    }
    asked = await cast.call("issue_refund", "verification_required", **wanted)
    code = await _code(cast)
    await cast.says("Mira", f"The code in my mailbox is {code}.")
    challenge = asked["verification"]["challenge_id"]
    await cast.call("verify_identity", "completed", _assurance, challenge_id=challenge, code=code)
    asked = await cast.call("issue_refund", "confirmation_required", _summary, **wanted)
    await cast.says("Mira", "Yes.")
    token = asked["confirmation"]["token"]
    done = await cast.call("issue_refund", "completed", _refunded, **wanted, confirmation_token=token)
    await cast.aside("The line breaks before the answer arrives, so the client sends the call again.")
    again = await cast.call("issue_refund", "completed", _refunded, **wanted)
    cast.expect("the second answer", (True, done["call_id"]), (again["replayed"], again["call_id"]))


async def large_refund(cast: Cast) -> None:
    """A handle instead of an execution; a person decides; the client reads the result."""
    await cast.scene("A large refund: a person decides, and it is carried out once")
    await cast.says("Mira", "The tent leaks. I want the whole order refunded.")
    words = "The tent leaks. Refund everything."
    wanted: dict[str, Any] = {"order_id": "ord_2002", "reason": "tent leaks", "customer_request": words}
    asked = await cast.call("issue_refund", "confirmation_required", _summary, **wanted)
    await cast.says("Mira", "Yes, all of it.")
    token = asked["confirmation"]["token"]
    held = await cast.call("issue_refund", "escalated", **wanted, confirmation_token=token)
    handle = held["escalation"]["handle"]
    packet = await cast.command("requests", "show", handle)
    await cast.prints(packet.partition("What approval changes")[0])
    ruling = await cast.command("requests", "approve", handle, "--as", REVIEWER)
    await cast.prints(ruling)
    await cast.call("check_request", "completed", _request, handle=handle)


async def not_hers(cast: Cast) -> None:
    """Somebody else's order, an order that does not exist, and a return that comes too late."""
    await cast.scene("What is refused: another customer's order looks like none at all")
    await cast.says("Mira", "What did my neighbour order? It must be ord_2012.")
    theirs = await cast.call("get_order", "denied", why="not_found", order_id="ord_2012")
    nobodys = await cast.call("get_order", "denied", why="not_found", order_id="ord_9999")
    cast.expect("both answers", _without_id(theirs), _without_id(nobodys))
    await cast.says("Mira", "Then refund the jacket I got in September.")
    await cast.call("issue_refund", "denied", why="too_late", order_id="ord_2005", reason="does not fit")


async def a_note(cast: Cast) -> None:
    """Text in a record gives orders; a model that obeys it still gets nowhere."""
    await cast.scene("Another customer: a note in the record gives orders")
    await cast.says("Liv", "Where is my pen?")
    read = await cast.call("get_order", "completed", _order, order_id="ord_2012")
    note = read["data"]["note"]
    cast.expect("the note is marked as data", ["untrusted_text"], list(note))
    await cast.says("note", note["untrusted_text"])
    await cast.aside("Suppose the model believes it.")
    wanted: dict[str, Any] = {"order_id": "ord_2012", "reason": "the manager approved"}
    await cast.call("issue_refund", "denied", why="amount_exceeds_refundable", **wanted, amount="500.00")
    await cast.call("issue_refund", "verification_required", **wanted, amount="47.00")
    await cast.says("Liv", "I never asked for a refund! Can I talk to somebody?")
    held = await cast.call("request_human", "escalated", reason="wants to talk to a person", order_id="ord_2012")
    cast.waiting = held["escalation"]["handle"]


async def the_record(cast: Cast) -> None:
    """The log is exported, checked without the store, and decided again under stricter limits."""
    await cast.scene("The record: complete, checked, and decided again under another policy")
    await cast.command("audit", "export", "--out", "audit.jsonl")
    verified = await cast.command("audit", "verify", "audit.jsonl")
    await cast.prints(verified)
    found = await cast.command("replay", "audit.jsonl", "--policy", "stricter.yaml", "--json", exits=1)
    replayed = json.loads(found)
    changed = [row for row in replayed["rows"] if row["change"] != "none"]
    for row in changed:
        await cast.prints(
            f"{row['tool']} of {row['money']['amount']} {replayed['currency']}: "
            f"{row['old']['status']} → {row['new']['status']} [{', '.join(why['rule'] for why in row['why'])}]"
        )
    ends = sorted((row["tool"], row["old"]["status"], row["new"]["status"]) for row in changed)
    wanted = [("apply_discount", "completed", "escalated"), ("issue_refund", "completed", "escalated")]
    cast.expect("calls the stricter policy decides otherwise", wanted, ends)


async def _code(cast: Cast) -> str:
    mails: list[dict[str, str]] = json.loads(await cast.command("outbox", "--json"))
    match = re.search(r"\b[0-9]{6}\b", mails[-1]["body"] if mails else "")
    return match[0] if match else "000000"


def _without_id(outcome: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in outcome.items() if name != "call_id"}


def _found(outcome: dict[str, Any]) -> str:
    first = outcome["data"]["products"][0]
    prices = sorted({variant["price"] for variant in first["variants"]})
    return f"{first['title']}, {', '.join(prices)} {outcome['data']['currency']}, {len(first['variants'])} variants"


def _cart(outcome: dict[str, Any]) -> str:
    cart = outcome["data"]
    return f"subtotal {cart['subtotal']}, discount {cart['discount']}, total {cart['total']} {cart['currency']}"


def _undone(outcome: dict[str, Any]) -> str:
    return f"{outcome['data']['tool']} was taken back"


def _assurance(outcome: dict[str, Any]) -> str:
    return f"assurance: {outcome['data']['assurance']}"


def _summary(outcome: dict[str, Any]) -> str:
    return f"“{outcome['confirmation']['summary']}”"


def _refunded(outcome: dict[str, Any]) -> str:
    refund = outcome["data"]
    return f"{refund['amount']} {refund['currency']} refunded, {refund['refundable']} still refundable"


def _request(outcome: dict[str, Any]) -> str:
    result = outcome["data"]["result"]
    return f"the request is {outcome['data']['status']}: {result['amount']} {result['currency']} refunded"


def _order(outcome: dict[str, Any]) -> str:
    order = outcome["data"]
    return f"{order['lines'][0]['title']}, {order['status']}, {order['total']} {order['currency']}"
