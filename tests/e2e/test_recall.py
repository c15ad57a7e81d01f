"""The same changing call acts once, across connections and a kill; a confirmation is good once, for one thing."""

from e2e.world import OPEN, STORE, Session, World, policy

KEY = "refund-2026-03-01-a"
ASK = policy("{id: ask, tools: [issue_refund, edit_cart], confirm: agent}")
LATER, TOO_LATE = "2026-03-01T12:14:00Z", "2026-03-01T12:16:00Z"


def refunded(world: World) -> list[int]:
    return [row[0] for row in world.rows("SELECT amount FROM transfer WHERE kind = 'refund' ORDER BY id")]


def test_a_call_sent_again_acts_once(world: World) -> None:
    with world.serve("cus_ana", policy=OPEN) as session:
        one = session.call("issue_refund", order_id="ord_a1", amount="5.00", reason="x")
        two = session.call("issue_refund", order_id="ord_a1", amount="5.00", reason="x")
        assert (one.envelope["replayed"], two.envelope["replayed"]) == (False, True)
        assert {**two.envelope, "replayed": False} == one.envelope
        # the words of the customer are evidence, not part of what is asked for
        again = session.call("issue_refund", order_id="ord_a1", amount="5.00", reason="x", customer_request="please!")
        assert again.envelope["replayed"]
        assert session.call("issue_refund", order_id="ord_a1", amount="6.00", reason="x").status == "completed"
        reads = [session.call("get_order", order_id="ord_a1") for _ in range(2)]
        assert [read.envelope["replayed"] for read in reads] == [False, False]
        assert len({read.call_id for read in reads}) == 2
    assert refunded(world) == [500, 600]


def test_one_two_one_is_three_calls(world: World) -> None:
    with world.serve("cus_ana", policy=OPEN) as session:
        replayed = []
        for quantity in (1, 2, 2, 1, 1):
            lines = [{"variant_id": "v_shirt_m", "quantity": quantity}]
            replayed.append(session.call("edit_cart", cart_id="cart_ana", lines=lines).envelope["replayed"])
        assert session.call("get_cart", cart_id="cart_ana").data["lines"][0]["quantity"] == 1
        # the same key for another act is refused, and the same one is recalled even after others
        lines = [{"variant_id": "v_shirt_m", "quantity": 7}]
        keyed = {"cart_id": "cart_ana", "lines": lines, "idempotency_key": "k"}
        assert session.call("edit_cart", **keyed).status == "completed"
        assert session.call("edit_cart", **{**keyed, "lines": [{"variant_id": "v_mug", "quantity": 1}]}).codes == [
            "idempotency_conflict"
        ]
        assert session.call("issue_refund", order_id="ord_a1", reason="x", idempotency_key="k").codes == [
            "idempotency_conflict"
        ]
        assert session.call("edit_cart", cart_id="cart_ana", lines=[{"variant_id": "v_mug", "quantity": 1}]).data[
            "total"
        ]
        assert session.call("edit_cart", **keyed).envelope["replayed"]
    assert replayed[1:4] == [False, True, False]
    assert replayed[4] is True
    assert refunded(world) == []


def test_a_killed_server_is_asked_again_and_pays_once(world: World) -> None:
    arguments = {"order_id": "ord_a1", "amount": "5.00", "reason": "x", "idempotency_key": KEY}
    first = Session(world, "--customer", "cus_ana", "--assurance", "stepped_up", policy=OPEN)
    first.send("issue_refund", arguments)
    first.kill()
    with world.serve("cus_ana", policy=OPEN) as second:
        answers = [second.call("issue_refund", **arguments) for _ in range(2)]
        assert [answer.status for answer in answers] == ["completed"] * 2
        assert answers[1].envelope["replayed"]
        assert second.call("issue_refund", **{**arguments, "amount": "6.00"}).codes == ["idempotency_conflict"]
    assert refunded(world) == [500]
    # another customer's key of the same name is another key, and tells nothing
    with world.serve("cus_ben", policy=OPEN) as ben:
        theirs = ben.call("issue_refund", order_id="ord_b1", amount="7.00", reason="x", idempotency_key=KEY)
        assert (theirs.status, theirs.envelope["replayed"]) == ("completed", False)
    assert world.run("audit", "verify").returncode == 0


def test_what_was_refused_or_sent_back_is_decided_anew(world: World) -> None:
    with world.serve(policy=STORE) as session:
        arguments = {"order_id": "ord_a9", "reason": "x", "idempotency_key": KEY}
        assert session.call("issue_refund", **arguments).status == "verification_required"
        session.call("identify_customer", email="zq-ana.planted@example.com")
        asked = session.call("issue_refund", **arguments)
        assert asked.status == "confirmation_required"
        assert session.call("issue_refund", **{**arguments, "order_id": "ord_zz"}).codes == ["not_found"]
        done = session.call("issue_refund", **arguments, confirmation_token=asked.token)
        assert (done.status, done.envelope["replayed"]) == ("completed", False)
        assert session.call("issue_refund", **arguments).envelope["replayed"]


def test_a_yes_is_good_once_and_only_for_what_it_was_given_to(world: World) -> None:
    five = {"order_id": "ord_a1", "amount": "5.00", "reason": "x"}
    with world.serve("cus_ana", policy=ASK) as session:
        other = {"tillgate/conversation": "other"}
        token = session.call("issue_refund", **five).token
        # with another amount it is refused, and spent
        assert session.call("issue_refund", **{**five, "amount": "6.00"}, confirmation_token=token).status == "denied"
        assert session.call("issue_refund", **five, confirmation_token=token).status == "denied"
        # in another conversation
        token = session.call("issue_refund", **five).token
        assert session.call("issue_refund", other, **five, confirmation_token=token).status == "denied"
        # for another tool
        lines = [{"variant_id": "v_mug", "quantity": 1}]
        assert session.call("edit_cart", cart_id="cart_ana", lines=lines, confirmation_token=token).status == "denied"
        assert refunded(world) == []
        # twice, once the record is another
        token = session.call("issue_refund", **five).token
        assert session.call("issue_refund", **five, confirmation_token=token).status == "completed"
        assert session.call("issue_refund", **{**five, "reason": "y"}, confirmation_token=token).status == "denied"
        assert session.call("issue_refund", **five, idempotency_key="new", confirmation_token=token).status == "denied"
        # after the record has changed
        token = session.call("issue_refund", **{**five, "reason": "z"}).token
        step = session.call("issue_refund", order_id="ord_a1", amount="1.00", reason="w")
        assert (
            session.call(
                "issue_refund", order_id="ord_a1", amount="1.00", reason="w", confirmation_token=step.token
            ).status
            == "completed"
        )
        stale = session.call("issue_refund", **{**five, "reason": "z"}, confirmation_token=token)
        assert stale.codes == ["confirmation_mismatch"]
        # guesses
        for _ in range(4):
            session.call("issue_refund", **{**five, "reason": "z"}, confirmation_token="guess-guess")
    assert sorted(refunded(world)) == [100, 500]


def test_a_yes_ends_with_its_process_and_its_time(world: World) -> None:
    five = {"order_id": "ord_a1", "amount": "5.00", "reason": "x"}
    meta = {"tillgate/conversation": "c"}
    with world.serve("cus_ana", policy=ASK) as session:
        token = session.call("issue_refund", meta, **five).token
    for now in (LATER, TOO_LATE):
        with world.serve("cus_ana", policy=ASK, now=now) as session:
            late = session.call("issue_refund", meta, **five, confirmation_token=token)
            assert (late.status, late.is_error) == ("denied", True)
    assert refunded(world) == []


def test_the_customers_own_word_is_not_in_the_answer(world: World) -> None:
    text = policy("{id: ask, tools: [issue_refund], confirm: customer}")
    five = {"order_id": "ord_a1", "amount": "5.00", "reason": "x"}
    with world.serve("cus_ana", policy=text) as session:
        asked = session.call("issue_refund", **five)
        assert asked.status == "confirmation_required"
        assert "token" not in asked.envelope["confirmation"]
        assert asked.envelope["confirmation"]["sent_to"] == "z***@example.com"
        code = world.code()
        assert code.encode() not in bytes(session.heard)
        wrong = "000000" if code != "000000" else "111111"
        assert session.call("issue_refund", **five, confirmation_token=wrong).status == "denied"
        assert session.call("issue_refund", **five, confirmation_token=code).status == "completed"
        for _ in range(9):
            again = session.call("issue_refund", **{**five, "amount": "6.00"})
            if again.status == "denied":
                break
            for _ in range(4):
                session.call("issue_refund", **{**five, "amount": "6.00"}, confirmation_token="000001")
        assert again.codes == ["too_many_codes"], "guessing codes is bounded by how many are sent"
    assert refunded(world) == [500]
