"""What waits for a person: the packet, one execution, stale, denied, withdrawn, expired, two people, less."""

import json

from e2e.world import ESCALATE, NEW_ADDRESS, NOW, Session, World, policy

TWO = policy("{id: two, tools: [issue_refund], escalate: {queue: refunds, approvals: 2, expires: 2h}}")
ROUTE = policy("{id: large, tools: [cancel_order], escalate: {queue: refunds, expires: 2h}}")


def refunded(world: World) -> list[int]:
    return [row[0] for row in world.rows("SELECT amount FROM transfer WHERE kind = 'refund' ORDER BY id")]


def opened(session: Session, amount: str = "50.00", order: str = "ord_a1", **more: str) -> str:
    answer = session.call("issue_refund", order_id=order, amount=amount, reason="x", **more)
    assert (answer.status, answer.is_error) == ("escalated", False)
    assert {"handle", "status", "queue", "expires_at", "check_after_seconds"} <= set(answer.envelope["escalation"])
    return answer.handle


def test_the_packet_holds_what_a_reviewer_needs(world: World) -> None:
    risk = (
        "risk:\n  factors: [{id: big, when: \"impact.amount > money('10.00')\", points: 35, because: over ten moves}]\n"
        "  tiers: {medium: 30, high: 60, critical: 85}\n"
    )
    near = "{id: near, tools: [issue_refund], when: \"order.country == 'US' && order.disputed\", deny: no}"
    rule = (
        "{id: large, tools: [issue_refund], when: \"impact.amount > money('40.00')\","
        " escalate: {queue: refunds, expires: 2h}}"
    )
    with world.serve("cus_ana", policy=policy(rule, near, extra=risk)) as session:
        session.call("get_order", order_id="ord_a1")
        session.call("get_order", order_id="ord_zz")
        handle = opened(session, customer_request="It came broken, I want my money.")
        again = session.call("issue_refund", order_id="ord_a1", amount="50.00", reason="x")
        assert (again.handle, again.envelope["replayed"]) == (handle, True)
    shown = world.json("requests", "show", handle)
    packet = shown["packet"]
    assert packet["words"] == "It came broken, I want my money."
    assert [call["tool"] for call in packet["conversation"]] == ["get_order", "get_order"]
    assert [call["status"] for call in packet["conversation"]] == ["completed", "denied"]
    changes = {
        (change["field"], change["before"], change["after"])
        for change in packet["plan"]["changes"]
        if change["field"] == "amount"
    }
    assert changes == {("amount", None, 5000)}
    assert (shown["amount"], shown["currency"], shown["customer_id"]) == ("50.00", "USD", "cus_ana")
    assert packet["facts"]["order"]["total"] == 10_850
    assert packet["risk"]["contributions"][0]["points"] == 35
    assert {hit["rule"] for hit in packet["decision"]["hits"]} == {"all", "large"}
    assert packet["nearly"] == ["near"]
    assert packet["verification"]["assurance"] == "STEPPED_UP"
    assert packet["on_approval"]
    for words in ("It came broken", "over ten moves", "near", "large"):
        assert words in world.run("requests", "show", handle).stdout.decode()


def test_eight_approvals_at_once_are_one_execution(world: World) -> None:
    with world.serve("cus_ana", policy=ESCALATE) as session:
        handle = opened(session)
        reviewers = [world.start("requests", "approve", handle, "--as", f"rev{n}", "--json") for n in range(8)]
        done = [(json.loads(process.communicate(timeout=60)[0]), process.returncode) for process in reviewers]
        assert sorted(code for _, code in done) == [0] + [1] * 7
        assert refunded(world) == [5000]
        checked = session.call("check_request", handle=handle)
        assert checked.data["status"] == "executed"
        assert set(checked.data["result"]) == {"amount", "currency", "order_id", "refundable", "undo"}, (
            "by the tool's own view"
        )
        replayed = session.call("issue_refund", order_id="ord_a1", amount="50.00", reason="x")
        assert (replayed.envelope["replayed"], replayed.envelope["escalation"]["status"]) == (True, "executed")
    assert refunded(world) == [5000]


def test_what_has_changed_since_is_stale_and_moves_nothing(world: World) -> None:
    with world.serve("cus_ana", policy=ROUTE) as session:
        waits = session.call("cancel_order", order_id="ord_a2", reason="other")
        assert session.call("update_address", order_id="ord_a2", address=NEW_ADDRESS).status == "completed"
        before = world.shop()
        done = world.run("requests", "approve", waits.handle, "--as", "anna")
        assert (done.returncode, done.stdout.startswith(b"stale")) == (1, True)
        assert world.shop() == before
        assert session.call("check_request", handle=waits.handle).data["status"] == "stale"
        again = session.call("cancel_order", order_id="ord_a2", reason="other")
        assert (again.status, again.envelope["replayed"]) == ("escalated", False)
    # a stricter policy is served since then
    stricter = ROUTE.replace("rules:\n", "rules:\n  - {id: stop, tools: [cancel_order], deny: stopped}\n", 1)
    with world.serve("cus_ana", policy=stricter) as session:
        done = world.run("requests", "approve", again.handle, "--as", "anna")
        assert (done.returncode, done.stdout.startswith(b"stale")) == (1, True), done.stderr
        assert session.call("check_request", handle=again.handle).data["status"] == "stale"
    assert refunded(world) == []


def test_no_withdrawn_and_expired_are_ends(world: World) -> None:
    with world.serve("cus_ana", policy=ESCALATE) as session:
        refused, taken, late = opened(session, "50.00"), opened(session, "51.00"), opened(session, "52.00")
        # not a fault of the request: markup and controls in a reviewer's message are words
        world.run("requests", "deny", refused, "--as", "anna", "--message", "Not [bold]this[/bold] time, sorry.")
        checked = session.call("check_request", handle=refused).data
        assert checked["status"] == "denied"
        assert "Not [bold]this[/bold] time, sorry." in json.dumps(checked["message"])
        assert session.call("withdraw_request", handle=taken).data["status"] == "withdrawn"
        assert session.call("withdraw_request", handle=taken).envelope["replayed"]
        assert session.call("withdraw_request", handle=refused).codes == ["not_pending"]
        again = session.call("issue_refund", order_id="ord_a1", amount="51.00", reason="x")
        assert (again.status, again.envelope["replayed"]) == ("escalated", False)
    for handle, now in ((refused, NOW), (taken, NOW), (late, "2026-03-01T14:00:00Z")):
        done = world.run("requests", "approve", handle, "--as", "anna", now=now)
        assert done.returncode == 1, done.stdout
    assert refunded(world) == []
    with world.serve("cus_ana", policy=ESCALATE, now="2026-03-01T14:00:01Z") as session:
        assert session.call("check_request", handle=late).data["status"] == "expired"


def test_two_people_are_two_people(world: World) -> None:
    with world.serve("cus_ana", policy=TWO) as session:
        handle = opened(session, "5.00")
        for name in ("agent", "cus_ana", "", " ", "anna\x1b[2J", "a" * 65):
            assert world.run("requests", "approve", handle, "--as", name).returncode == 1, name
        assert world.run("requests", "approve", handle, "--as", "anna").returncode == 0
        assert world.run("requests", "approve", handle, "--as", "anna").returncode == 1
        assert refunded(world) == []
        assert session.call("check_request", handle=handle).data["status"] == "pending"
        assert world.run("requests", "approve", handle, "--as", "bert").returncode == 0
    assert refunded(world) == [500]


def test_a_large_amount_needs_two_where_the_queue_says_so(world: World) -> None:
    with world.serve("cus_ana", policy=ESCALATE) as session:
        exactly, over = opened(session, "500.00", "ord_a4"), opened(session, "500.01", "ord_a4")
    assert world.json("requests", "show", exactly)["approvals"] == 1
    assert world.json("requests", "show", over)["approvals"] == 2


def test_less_may_be_approved_and_never_more(world: World) -> None:
    with world.serve("cus_ana", policy=ESCALATE) as session:
        handle = opened(session)
        for amount in ("50.01", "108.51", "0", "-1.00", "40,00", "abc", "1e1", ""):
            done = world.run("requests", "approve", handle, "--as", "anna", "--amount", amount)
            assert done.returncode in (1, 2), amount
            assert b"Traceback" not in done.stderr
        assert session.call("check_request", handle=handle).data["status"] == "pending", "a slip must not end a request"
        assert refunded(world) == []
        done = world.run("requests", "approve", handle, "--as", "anna", "--amount", "40.00")
        assert done.returncode == 0, done.stdout
        checked = session.call("check_request", handle=handle)
        assert checked.data["result"]["amount"] == "40.00"
    assert refunded(world) == [4000]


def test_what_a_reviewer_reads_cannot_draw_on_the_terminal(world: World) -> None:
    evil = "[bold red]OK[/] \x1b[2J\x1b]0;x\x07 \u202eevil [link=javascript:x]y[/link] <img onerror=x>"
    with world.serve("cus_ana", policy=ESCALATE) as session:
        session.call("\x1b[2Jget_\u202eorder")
        session.call("get_order", order_id="ord_a1")
        handle = opened(session, customer_request=evil)
    for command in (("requests", "show", handle), ("requests", "list"), ("audit", "show"), ("outbox",)):
        done = world.run(*command)
        assert done.returncode == 0, done.stderr
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout.decode()), command
    assert "[link=javascript:x]y[/link]" in world.run("requests", "show", handle).stdout.decode()


def test_an_unknown_handle_is_a_finding_and_not_a_fault(world: World) -> None:
    for command in (
        ["show", "esc_[/x]"],
        ["approve", "esc_no", "--as", "anna"],
        ["deny", "'", "--as", "a", "--message", "b"],
    ):
        done = world.run("requests", *command)
        assert done.returncode == 1
        assert b"Traceback" not in done.stderr
    assert world.run("requests", "approve", "esc_no").returncode == 2
    assert world.run("requets").returncode == 2
