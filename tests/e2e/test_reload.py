"""A served process takes a changed policy when it is told to, and keeps the last good one when the new one is bad."""

import os
import signal

import pytest
from e2e.world import Session, World
from worlds import OPEN

SHUT = OPEN.replace("context:", "  - {id: shut, tools: [search_products], deny: shut}\ncontext:")
ENOUGH = 2_000
"""Calls that are asked in vain before the change counts as not taken; each is real work, so nothing sleeps."""

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")


def becomes(session: Session, wanted: str) -> bool:
    return any(session.call("search_products", query="shirt").status == wanted for _ in range(ENOUGH))


def test_a_served_process_takes_the_file_on_a_signal_and_survives_a_bad_one(world: World) -> None:
    file = world.path / "policy.yaml"
    with world.serve("cus_ana", policy=OPEN) as session:
        assert session.call("search_products", query="shirt").status == "completed"
        file.write_text(SHUT, "utf-8")
        os.kill(session.process.pid, signal.SIGHUP)
        assert becomes(session, "denied")
        file.write_text("policy: [", "utf-8")
        os.kill(session.process.pid, signal.SIGHUP)
        assert session.call("search_products", query="shirt").status == "denied"
        file.write_text(OPEN, "utf-8")
        os.kill(session.process.pid, signal.SIGHUP)
        assert becomes(session, "completed")
    served = [record["policy"] for record in world.records() if record["kind"] == "policy"]
    assert len(served) == 3
    assert served[0] == served[2] != served[1]
