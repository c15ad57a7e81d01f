"""Whether, until when and with what residue an act can be taken back is said with it, and holds."""

import json

import pytest
from worlds import OPEN, World, policy

VIEWS = """
  update_address: {identified: [undo]}
  cancel_order: {identified: [undo]}
"""


def _under(world: World, rules: str = "") -> World:
    base = OPEN.replace("context:", "context:" + VIEWS.rstrip()).replace("refundable]}", "refundable, undo]}")
    return world.under(base + rules)


def test_an_answer_says_until_when_and_with_what_residue(world: World) -> None:
    done = _under(world).call("cancel_order", order_id="ord_2", reason="other")
    assert done.data is not None
    assert done.data["undo"] == {
        "possible": True,
        "until": "2026-06-01T13:00:00Z",
        "residue": "A card statement may show the reserved amount for some days.",
        "why_not": None,
    }


def test_an_answer_says_why_not(world: World) -> None:
    done = _under(world).call("issue_refund", order_id="ord_1", amount="1.00", reason="x")
    assert done.data is not None
    assert done.data["undo"]["possible"] is False
    assert done.data["undo"]["why_not"]
    assert world.call("undo_action", call_id=done.call_id, reason="x").status == "denied"


def test_the_customer_is_told_before_they_say_yes(world: World) -> None:
    asked = world.under(
        '  - {id: all, tools: "*", permit: true}\n  - {id: ask, tools: [cancel_order], confirm: customer}\n'
    ).call("cancel_order", order_id="ord_2", reason="other")
    assert asked.status == "confirmation_required"
    assert "This can be taken back until 2026-06-01T13:00:00Z." in world.mailbox()[-1]


def test_the_reviewer_is_told_before_they_decide(world: World) -> None:
    world.under(
        '  - {id: all, tools: "*", permit: true}\n  - {id: ask, tools: [issue_refund], escalate: refunds}\n'
    ).call("issue_refund", order_id="ord_1", amount="1.00", reason="x")
    [(packet,)] = world.rows("SELECT packet FROM escalation")
    assert json.loads(packet)["undo"].startswith("This cannot be taken back:")


@pytest.mark.parametrize("path", ["undo", "undo.until", "undo.residue", "undo.possible", "undo.why_not"])
def test_a_policy_can_show_any_part_of_it(path: str) -> None:
    text = 'policy: p\nversion: 1\ncurrency: USD\nrules:\n  - {id: all, tools: "*", permit: true}\n'
    assert policy(text + f'context:\n  edit_cart: {{anonymous: ["{path}"]}}\n').warnings == ()
