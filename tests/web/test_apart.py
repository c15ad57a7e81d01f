"""The process that speaks HTTP and the one with the gate: neither outlives the other, nor has what is the other's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.world import TILLGATE, World, policy
from web.house import CAPABILITIES, META, Web, Wire, message, records, request, serving

OPEN = policy()
ORDER = {"order_id": "ord_a1"}


@pytest.fixture
def web(world: World) -> Iterator[Web]:
    with serving(world, policy=OPEN) as made:
        yield made


def speaker(web: Web) -> int:
    """The process that speaks HTTP."""
    [child] = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text().split()
    return int(child)


def cart(quantity: int) -> dict[str, object]:
    return {"cart_id": "cart_ana", "lines": [{"variant_id": "v_mug", "quantity": quantity}]}


def test_it_knows_neither_the_store_nor_a_secret_of_the_gate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLGATE_SMTP_PASSWORD", "opensesame")
    monkeypatch.setenv("PGPASSWORD", "opensesame")
    with serving(world, policy=OPEN) as web:
        assert web.call("get_order", ORDER).answer.status == "completed"
        number = speaker(web)
        assert b"opensesame" not in Path(f"/proc/{number}/environ").read_bytes()
        assert b"TILLGATE_" not in Path(f"/proc/{number}/environ").read_bytes()
        opened = [os.readlink(each) for each in Path(f"/proc/{number}/fd").iterdir() if each.is_symlink()]
        assert not [name for name in opened if ".db" in name]
        gate = [os.readlink(each) for each in Path(f"/proc/{web.process.pid}/fd").iterdir() if each.is_symlink()]
        assert [name for name in gate if ".db" in name], "what would have been seen"


def test_killed_it_takes_the_gate_with_it_once_what_it_asked_for_is_done(web: Web) -> None:
    wires = [web.connect() for _ in range(20)]
    for quantity, wire in enumerate(wires, 1):
        wire.send(request("POST", "/mcp", web.head("edit_cart"), message("edit_cart", cart(quantity))))
    wires[0].reply()
    os.kill(speaker(web), signal.SIGKILL)
    assert web.process.wait(20) == 1
    assert web.wait("the process that speaks HTTP has ended by itself")
    for wire in wires:
        wire.close()
    assert not any("Traceback" in line for line in web.said)
    done = [record for record in records(web.world) if record.get("outcome", {}).get("status") == "completed"]
    [(version,)] = web.world.rows("SELECT version FROM cart WHERE id = 'cart_ana'")
    changed = [record for record in done if record["plan"] is not None]
    assert version == 1 + len(changed), "what was done is on record, once each"


def test_without_the_gate_it_answers_nobody(web: Web) -> None:
    wire = web.connect()
    number = speaker(web)
    web.process.kill()
    web.process.wait(20)
    assert wire.ended()
    wire.close()
    until = time.monotonic() + 20
    while not refused(web.port):
        assert time.monotonic() < until, "it goes on without a gate"
    assert not Path(f"/proc/{number}/fd").is_dir() or not list(Path(f"/proc/{number}/fd").iterdir())


def refused(port: int) -> bool:
    try:
        Wire(port).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def test_an_interrupt_from_the_terminal_ends_both_in_order(web: Web) -> None:
    assert web.call("edit_cart", cart(3)).answer.status == "completed"
    number = speaker(web)
    for each in (number, web.process.pid):  # a terminal tells every process of the group
        os.kill(each, signal.SIGINT)
    assert web.process.wait(20) == 0
    assert not any("Traceback" in line for line in web.said), "".join(web.said)


def test_told_to_end_the_gate_has_it_end_in_order(web: Web) -> None:
    """What it only counted so far is written down on its way out."""
    for _ in range(3):
        assert web.call("get_order", ORDER, token=None).status == 401
    assert web.end() == 0
    counts = [record["count"] for record in records(web.world) if record["kind"] == "refused_requests"]
    assert counts == [1, 2]


def test_a_token_that_no_message_can_hold_keeps_nobody_waiting(web: Web) -> None:
    answer = web.call("get_order", ORDER, web.token(scope="tools:read \ud800")).answer
    assert (answer.status, answer.codes) == ("failed", ["unavailable"])
    assert web.call("get_order", ORDER).answer.status == "completed"


def test_a_hang_up_is_for_the_process_with_the_policy(web: Web) -> None:
    os.kill(speaker(web), signal.SIGHUP)
    assert web.call("get_order", ORDER).answer.status == "completed"


def test_the_gate_knows_where_the_customers_page_is(world: World) -> None:
    asking = policy("{id: ask, tools: [cancel_order], confirm: customer}")
    with serving(world, policy=asking) as web:
        meta = {**META, CAPABILITIES: {"elicitation": {"url": {}}}}
        reply = web.call("cancel_order", {"order_id": "ord_a2", "reason": "other"}, meta=meta)
        url = reply.message["result"]["inputRequests"]["answer"]["params"]["url"]
        assert url.startswith(f"http://{web.host}/verify/cnf_")
        assert web.get(url.removeprefix(f"http://{web.host}")).status == 200


def test_a_setting_it_cannot_serve_by_is_refused_before_anything_is_served(world: World) -> None:
    done = subprocess.run(
        [TILLGATE, "serve", "--http", "127.0.0.1:0", "--acr", "gold=nobody"],
        env=world.env(policy=OPEN) | {"TILLGATE_DEV_KEY": str(world.path / "none.json")},
        cwd=world.path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr


HERE = """
from tillgate.server import front
from tillgate.server.cli.main import main
front.APART = False
main()
"""


def test_one_process_has_both_sides_where_none_can_be_given_open_sockets(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world.path / "here"
    here.write_text(f"#!{sys.executable}\n{HERE}")
    here.chmod(0o755)
    monkeypatch.setattr("web.house.TILLGATE", str(here))
    with serving(world, policy=OPEN) as web:
        assert Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children").read_text() == ""
        assert web.call("edit_cart", cart(3)).answer.status == "completed"
        assert web.get("/healthz").status == 200
        assert web.end() == 0
        assert not any("Traceback" in line for line in web.said)
    assert records(world)[-1]["outcome"]["status"] == "completed"
