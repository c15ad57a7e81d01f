"""The kill switch: agents stop at once, what people decide does not, and nothing of it is lost."""

from pathlib import Path

from typer.testing import CliRunner
from worlds import World

from tillgate.guards import review
from tillgate.guards.desk import Desk
from tillgate.server.cli.main import app

RULES = """
  - {id: all, tools: "*", permit: true}
  - {id: large, tools: [issue_refund], when: "impact.amount > money('20.00')", escalate: {queue: refunds, expires: 24h}}
"""
SMALL = {"order_id": "ord_1", "amount": "5.00", "reason": "late"}
LARGE = {"order_id": "ord_1", "amount": "40.00", "reason": "broken"}


def switch(world: World, tool: str | None, *, on: bool) -> review.Ruling:
    def job(desk: Desk) -> review.Ruling:
        return review.switch(desk, tool, "rosa", on=on)

    return world.store.run(job)


def codes(world: World, tool: str, **arguments: str) -> list[str]:
    return [reason.code for reason in world.call(tool, **arguments).reasons]


def test_a_paused_tool_is_refused_and_the_others_are_not(world: World) -> None:
    assert switch(world, "issue_refund", on=False).done
    before = world.shop()
    assert codes(world, "issue_refund", **SMALL) == ["paused"]
    assert world.shop() == before
    assert world.call("get_order", order_id="ord_1").status == "completed"
    assert world.records()[1]["refusal"]["code"] == "paused"
    assert switch(world, "issue_refund", on=True).done
    assert world.call("issue_refund", **SMALL).status == "completed"


def test_everything_can_be_paused_at_once(world: World) -> None:
    switch(world, None, on=False)
    switch(world, "issue_refund", on=False)
    assert codes(world, "get_order", order_id="ord_1") == ["paused"]
    switch(world, None, on=True)
    assert world.call("get_order", order_id="ord_1").status == "completed"
    assert codes(world, "issue_refund", **SMALL) == ["paused"]


def test_an_approval_of_what_is_paused_waits_and_is_not_lost(world: World) -> None:
    world = world.under(RULES)
    handle = world.call("issue_refund", **LARGE).escalation
    assert handle is not None
    switch(world, "issue_refund", on=False)
    with world.store.transaction() as desk:
        ruling = review.approve(world.gate, desk, handle.handle, "rosa")
    assert (ruling.done, ruling.status) == (False, "pending")
    switch(world, "issue_refund", on=True)
    with world.store.transaction() as desk:
        assert review.approve(world.gate, desk, handle.handle, "rosa").status == "executed"


def test_a_switch_that_changes_nothing_says_so_and_leaves_no_record(world: World) -> None:
    assert switch(world, "edit_cart", on=False).message == "edit_cart is paused."
    again = switch(world, "edit_cart", on=False)
    assert (again.done, again.message) == (False, "edit_cart is paused already.")
    assert not switch(world, None, on=True).done
    assert [(record["kind"], record["tool"], record["by"]) for record in world.records()] == [
        ("pause", "edit_cart", "rosa")
    ]


def test_the_command_switches_a_running_store(world: World, tmp_path: Path) -> None:
    run = CliRunner().invoke
    db = str(tmp_path / "tillgate.db")
    assert run(app, ["pause", "issue_refund", "--db", db, "--as", "rosa"]).output == "issue_refund is paused.\n"
    assert codes(world, "issue_refund", **SMALL) == ["paused"]
    assert run(app, ["pause", "issue_refunds", "--db", db]).exit_code == 3
    assert run(app, ["resume", "--db", db]).exit_code == 1
    assert run(app, ["resume", "issue_refund", "--db", db]).exit_code == 0
    assert world.call("issue_refund", **SMALL).status == "completed"
