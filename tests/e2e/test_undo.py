"""Taking back what a call did: exactly, once, while it is possible, and only one's own."""

import json

from e2e.world import NEW_ADDRESS, OPEN, JsonObject, World

LINES = [{"variant_id": "v_shirt_m", "quantity": 4}]
BEFORE, AFTER = "2026-03-01T12:59:59Z", "2026-03-01T13:00:00Z"
VERSIONED = ("version", "address_changed_at")


def values(world: World) -> dict[str, list[tuple[object, ...]]]:
    """The shop without its version counts."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for table in world.shop():
        names = [row[1] for row in world.rows(f"PRAGMA table_info({table})") if row[1] not in VERSIONED]
        found[table] = sorted(world.rows(f"SELECT {', '.join(names)} FROM {table}"), key=repr)
    return found


def test_each_act_is_taken_back_exactly_and_once(world: World) -> None:
    before = values(world)
    acts: list[tuple[str, JsonObject]] = [
        ("edit_cart", {"cart_id": "cart_ana", "lines": LINES}),
        ("edit_cart", {"cart_id": "cart_ana", "lines": [{"variant_id": "v_shirt_m", "quantity": 0}]}),
        ("edit_cart", {"lines": [{"variant_id": "v_mug", "quantity": 2}]}),
        ("apply_discount", {"cart_id": "cart_ana", "offer_code": "TAKE5"}),
        ("update_address", {"order_id": "ord_a2", "address": NEW_ADDRESS}),
        ("update_address", {"address": NEW_ADDRESS}),
        ("cancel_order", {"order_id": "ord_a2", "reason": "other"}),
    ]
    with world.serve("cus_ana", policy=OPEN) as session:
        for tool, arguments in acts:
            done = session.call(tool, **arguments)
            assert done.status == "completed", (tool, done.envelope)
            assert values(world) != before, tool
            undone = session.call("undo_action", call_id=done.call_id, reason="a mistake")
            assert (undone.status, undone.data.get("undone")) == ("completed", True), (tool, undone.envelope)
            assert values(world) == before, tool
            assert session.call("undo_action", call_id=done.call_id, reason="again").codes == ["already_undone"], tool
            assert session.call("undo_action", call_id=undone.call_id, reason="back").status == "denied", tool
            redone = session.call(tool, **arguments)
            assert (redone.status, redone.envelope["replayed"]) == ("completed", False), tool
            session.call("undo_action", call_id=redone.call_id, reason="a mistake")
            assert values(world) == before, tool


def test_money_that_left_does_not_come_back(world: World) -> None:
    with world.serve("cus_ana", policy=OPEN) as session:
        refund = session.call("issue_refund", order_id="ord_a9", reason="x")
        assert session.call("undo_action", call_id=refund.call_id, reason="x").codes == ["not_reversible"]
        early, late = (session.call("cancel_order", order_id=key, reason="other") for key in ("ord_a2", "ord_a7"))
        read = session.call("get_order", order_id="ord_a1")
        denied = session.call("cancel_order", order_id="ord_a3", reason="other")
        for call in (read, denied):
            assert session.call("undo_action", call_id=call.call_id, reason="x").codes == ["not_found"]
    with world.serve("cus_ana", policy=OPEN, now=BEFORE) as session:
        assert session.call("undo_action", call_id=early.call_id, reason="x").status == "completed"
    with world.serve("cus_ana", policy=OPEN, now=AFTER) as session:
        assert session.call("undo_action", call_id=late.call_id, reason="x").codes == ["undo_too_late"]
    assert world.rows("SELECT order_id, amount FROM transfer WHERE kind = 'refund' ORDER BY 1") == [
        ("ord_a7", 90_000),
        ("ord_a9", 1250),
    ]


def test_what_has_moved_since_or_is_anothers_is_not_taken_back(world: World) -> None:
    with world.serve("cus_ana", policy=OPEN) as session:
        first = session.call("edit_cart", cart_id="cart_ana", lines=LINES)
        session.call("edit_cart", cart_id="cart_ana", lines=[{"variant_id": "v_shirt_m", "quantity": 5}])
        assert session.call("undo_action", call_id=first.call_id, reason="x").codes == ["changed_since"]
        moved = session.call("update_address", order_id="ord_a2", address=NEW_ADDRESS)
        session.call("cancel_order", order_id="ord_a2", reason="other")
        assert session.call("undo_action", call_id=moved.call_id, reason="x").status == "denied"
    before = world.shop()
    with world.serve("cus_ben", policy=OPEN) as ben:
        assert ben.call("undo_action", call_id=first.call_id, reason="x").codes == ["not_found"]
    with world.serve(policy=OPEN) as nobody:
        assert nobody.call("undo_action", call_id=first.call_id, reason="x").status == "denied"
    assert world.shop() == before


def test_an_operator_takes_back_too(world: World) -> None:
    with world.serve("cus_ana", policy=OPEN) as session:
        done = session.call("cancel_order", order_id="ord_a2", reason="other")
    before = values(world)
    for call_id, code in (("call_no", 3), ("'; --", 3), (done.call_id[:-1], 3)):
        slip = world.run("undo", call_id, "--as", "anna")
        assert (slip.returncode, b"Traceback" in slip.stderr) == (code, False)
    assert world.run("undo", done.call_id).returncode == 2
    assert values(world) == before
    fine = world.run("undo", done.call_id, "--as", "anna", "--reason", "a mistake")
    assert fine.returncode == 0, fine.stdout + fine.stderr
    assert world.rows("SELECT status FROM orders WHERE id = 'ord_a2'") == [("pending",)]
    assert world.run("undo", done.call_id, "--as", "anna").returncode == 1
    assert "anna" in str(world.records()[-2:])


def test_everything_a_policy_let_through_is_taken_back_after_it_was_shown(world: World) -> None:
    before = values(world)
    with world.serve("cus_ana", policy=OPEN) as session:
        session.call("edit_cart", cart_id="cart_ana", lines=LINES)
        session.call("edit_cart", cart_id="cart_ana", lines=[{"variant_id": "v_shirt_m", "quantity": 0}])
        session.call("update_address", order_id="ord_a2", address=NEW_ADDRESS)
        session.call("cancel_order", order_id="ord_a2", reason="other")
        session.call("undo_action", call_id=session.call("update_address", address=NEW_ADDRESS).call_id, reason="x")
    [(digest,)] = world.rows("SELECT DISTINCT policy FROM action")
    with world.serve("cus_ana", policy=OPEN + "\n# mended\n") as session:
        kept = session.call("edit_cart", lines=[{"variant_id": "v_mug", "quantity": 2}])
        assert kept.status == "completed"
    changed = values(world)
    for slip, code in (("", 3), ("zz", 3), ("12345678", 3), (digest[:10], 3)):
        assert world.run("undo", "--policy-digest", slip, "--as", "anna").returncode == code, slip
    assert world.run("undo", "call_1", "--policy-digest", digest, "--as", "anna").returncode == 2
    shown = world.run("undo", "--policy-digest", digest, "--as", "anna", "--json")
    assert (shown.returncode, values(world) == changed) == (0, True), shown.stderr
    listed = json.loads(shown.stdout)
    assert listed["rehearsed"] is True
    assert [row["tool"] for row in listed["actions"]] == ["cancel_order", "update_address", "edit_cart", "edit_cart"]
    table = world.run("undo", "--policy-digest", digest[:20], "--as", "anna")
    assert (table.returncode, values(world) == changed) == (0, True)
    assert b"would be taken back" in table.stdout
    done = world.run("undo", "--policy-digest", digest, "--as", "anna", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    after = values(world)
    assert {table: rows for table, rows in after.items() if not table.startswith("cart")} == {
        table: rows for table, rows in before.items() if not table.startswith("cart")
    }
    assert after["cart_line"] == sorted([*before["cart_line"], *_line_of(world, kept.data["id"])], key=repr)
    assert world.run("undo", "--policy-digest", digest, "--as", "anna", "--yes").returncode == 0
    assert values(world) == after


def test_what_cannot_be_taken_back_is_said_and_stops_nothing_else(world: World) -> None:
    with world.serve("cus_ana", policy=OPEN) as session:
        session.call("cancel_order", order_id="ord_a2", reason="other")
        session.call("issue_refund", order_id="ord_a9", reason="x")
    [(digest,)] = world.rows("SELECT DISTINCT policy FROM action")
    done = world.run("undo", "--policy-digest", digest, "--as", "anna", "--yes", "--json")
    assert done.returncode == 1
    ends = [(row["tool"], row["why_not"] is None) for row in json.loads(done.stdout)["actions"]]
    assert ends == [("issue_refund", False), ("cancel_order", True)]
    assert world.rows("SELECT order_id FROM transfer WHERE kind = 'refund' AND cause = 'refund'") != []
    assert world.rows("SELECT status FROM orders WHERE id = 'ord_a2'") == [("pending",)]


def _line_of(world: World, cart: str) -> list[tuple[object, ...]]:
    return list(world.rows(f"SELECT * FROM cart_line WHERE cart_id = '{cart}'"))
