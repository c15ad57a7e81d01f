"""Logs by seeded chance: what a real gate wrote, with other times, customers and amounts, and damaged lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from worlds import OPEN, make_world

from tillgate.guards import review
from tillgate.guards.audit.log import export_lines

_ASKS = """
  - {id: all, tools: "*", permit: true}
  - {id: proof, tools: [update_address], verify: stepped_up}
  - {id: yes, tools: [cancel_order, issue_refund], when: "impact.amount > money('6.00')", confirm: agent}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: refunds}
"""
_RULES = '  - {id: all, tools: "*", permit: true}\n'
_RECORDED = OPEN.replace(_RULES, _ASKS)
_BUDGETS = """budgets:
  - {id: kept, tools: [issue_refund, cancel_order], per: customer.id, window: 30d, limit: "90.00", exceeded: deny}
  - {id: hour, tools: [issue_refund, edit_cart, request_human], per: customer.id, window: 1h, limit: {count: 3}}
  - {id: agents, tools: [request_human, issue_refund], per: agent.id, window: 10m, limit: {count: 4}, exceeded: deny}
rules:"""
_USAGE = """  - {id: much, tools: [issue_refund], when: "usage.kept.amount > money('60.00')", deny: much}
context:"""

_NO_CARTS = "  - {id: no, tools: [edit_cart], deny: no}\ncontext:"

POLICIES = {
    "the recorded one": _RECORDED,
    "anything goes": OPEN,
    "stricter": _RECORDED.replace("20.00", "8.00").replace("context:", _NO_CARTS),
    "new budgets": _RECORDED.replace("rules:", _BUDGETS),
    "only budgets": OPEN.replace("rules:", _BUDGETS),
    "a rule over a budget": OPEN.replace("rules:", _BUDGETS).replace("context:", _USAGE),
    "everything to people": OPEN.replace("context:", '  - {id: people, tools: "*", escalate: support}\ncontext:'),
    "only watching": _RECORDED.replace("currency: USD", "currency: USD\nmode: shadow"),
}

_DAMAGED = (b"{", b"", b"[]", b'{"kind":"party"}', b'{"kind":"call"}', b'{"kind":[]}', b"\xff", b"[" * 3000)


def recorded(folder: Path) -> list[dict[str, Any]]:
    """One conversation with everything in it: reads, refusals, proofs, consents, and requests with every end."""
    world = make_world(folder, _RECORDED)
    refund = {"order_id": "ord_1", "reason": "broken"}
    world.call("get_order", order_id="ord_1")
    world.call("get_order", order_id="ord_404")
    world.call("issue_refund", order_id="ord_1", amount="nine")
    world.call("issue_refund", **refund, amount="5.00")
    asked = world.call("issue_refund", **refund, amount="9.00")
    assert asked.confirmation is not None
    world.call("issue_refund", **refund, amount="9.00", confirmation_token=asked.confirmation.token)
    world.call("request_human", reason="help")
    for amount in ("21.00", "22.00", "23.00"):
        yes = world.call("issue_refund", **refund, amount=amount).confirmation
        assert yes is not None
        waits = world.call("issue_refund", **refund, amount=amount, confirmation_token=yes.token).escalation
        assert waits is not None
        if amount == "23.00":
            world.call("withdraw_request", handle=waits.handle)
            continue
        with world.store.transaction() as desk:
            if amount == "21.00":
                review.approve(world.gate, desk, waits.handle, "rosa")
            else:
                review.deny(desk, waits.handle, "rosa", "Not this time.")
    world.call("edit_cart", lines=[{"variant_id": "v_1", "quantity": 1}])
    rows = world.rows("SELECT a.record, a.hash, p.entries FROM audit a LEFT JOIN personal p USING (seq) ORDER BY a.seq")
    world.store.close()
    found: list[dict[str, Any]] = [json.loads(line) for line in export_lines(rows)]
    return found


def random_log(seed: int, found: list[dict[str, Any]], talks: int = 8) -> list[bytes]:
    """Conversations like the recorded one, each with its own chances, one after another and with damage between."""
    chance = Random(seed)
    lines: list[bytes] = []
    now = 1_780_315_200
    for talk in range(talks):
        customer, same = f"cus_{chance.randrange(4)}", f"t{chance.randrange(talks)}"
        for record in found:
            if chance.random() < 0.15:
                continue
            now += chance.choice([0, 1, 60, 600, 4000])
            other = _other(chance, record, talk, same, customer, now)
            lines += [_written(chance, other)] * chance.choice([1, 1, 1, 2])
        lines += list(_damage(chance))
    return lines


def _other(chance: Random, record: dict[str, Any], talk: int, same: str, customer: str, now: int) -> dict[str, Any]:
    """The same record of another conversation. Here and there facts, usage or the plan are not what they were."""
    text = json.dumps(record).replace('"call_0', f'"call_{talk}_0').replace('"esc_0', f'"esc_{talk}_0')
    other: dict[str, Any] = json.loads(text)
    if "tool" not in other:
        return other
    other["conversation"] = same
    facts = other.get("facts")
    if not facts:
        return other
    facts["now"] = now - chance.choice([0, 0, 0, 900])
    facts["agent"]["id"] = chance.choice(["a", "b"])
    if "customer" in facts and facts["customer"]["present"]:
        facts["customer"]["id"] = customer
    if chance.random() < 0.2:
        facts["impact"]["amount"] = chance.randrange(5000)
    if chance.random() < 0.2:
        facts["usage"] = {"kept": {"amount": chance.randrange(12_000), "count": 1, "left": 0}}
    if chance.random() < 0.05:
        del facts[chance.choice(["impact", "call", "conversation"])]
    if chance.random() < 0.05:
        other["policy"] = "sha256:0"
    return other


def _written(chance: Random, record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + chance.choice([b"\n", b"\n", b"\r\n", b" \n", b"\n\n"])


def _damage(chance: Random) -> Iterator[bytes]:
    for line in _DAMAGED:
        if chance.random() < 0.3:
            yield line + b"\n"
