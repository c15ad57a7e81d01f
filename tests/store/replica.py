"""One of several processes on a store, told over a pipe what to do. The other end is `Replica`.

    python -m store.replica URL POLICY [TIME]

Every line it reads is a JSON object; it answers each with a line of JSON.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from turning import Turning
from worlds import TestClock, World, customer, policy

from tillgate.guards import review
from tillgate.guards.desk import Received
from tillgate.guards.effects import reach
from tillgate.guards.finishing import recover
from tillgate.guards.gate import Gate
from tillgate.guards.steps import Transact, drive
from tillgate.server.app import tool_map
from tillgate.server.payments.stub import StubProvider
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.opening import open_at
from tillgate.server.world import RandomMinter
from tillgate.tools.shops.embedded.outside import PAYMENTS, refunds_outside


class Replica:
    """The end in the test: starts the process, and asks it."""

    def __init__(self, url: str, rules: Path, now: datetime | None = None) -> None:
        told = [url, str(rules), *([now.isoformat()] if now else [])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "store.replica", *told],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, **what: Any) -> None:
        """Begin; `hear` waits for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """The next answer; None when the process has ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else None

    def ask(self, **what: Any) -> Any:
        self.tell(**what)
        return self.hear()

    def kill(self) -> None:
        """kill -9: nothing of it gets to say anything."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Kill it if it still runs, and let go of its pipes."""
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def together(replicas: Sequence[Replica], *asked: Mapping[str, Any]) -> list[Any]:
    """Ask all of them at once, each its own or all the same; their answers."""
    for number, each in enumerate(replicas):
        each.tell(**asked[number % len(asked)])
    return [each.hear() for each in replicas]


def _refund(of: int, amount: str, reason: str) -> Received:
    """A refund of a customer's order, in a conversation of its own."""
    arguments = {"order_id": f"ord_{of}", "amount": amount, "reason": reason}
    return Received("issue_refund", arguments, customer(of, conversation=reason))


async def _refunds(world: World, of: int, count: int, name: str) -> list[str]:
    """How so many refunds at once end, all of one order."""
    async with Turning(world.store, world.gate.reach) as counter:
        refunds = (counter.call(world.gate, _refund(of, "1.00", f"{name} {n}")) for n in range(count))
        return [outcome.status for outcome in await asyncio.gather(*refunds)]


def _approve(world: World, handles: Sequence[str], name: str) -> list[bool]:
    done: list[bool] = []
    for handle in handles:
        with world.store.transaction() as desk:
            done.append(review.approve(world.gate, desk, handle, name, None).done)
    return done


def _recover(world: World) -> str:
    drive(recover(world.gate), world.store, world.gate.reach)
    return "looked"


def _hang(world: World, of: int) -> str:
    """In the middle of a batch: one job is done, another never ends."""

    refund = next(world.gate.steps(_refund(of, "1.00", "lost")))
    assert isinstance(refund, Transact)

    def never(_desk: SqlDesk) -> None:
        _say("inside")
        sys.stdin.read()

    world.store.run_all([refund.job, never])
    return "over"


def _load(world: World, of: int, name: str) -> str:
    """Refunds until the process is killed, each told of once it was answered."""
    for n in range(1_000_000):
        outcome = world.gate.handle(_refund(of, "0.01", f"{name} {n}"))
        _say([outcome.status, outcome.call_id])
    return "over"


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    url, rules, *now = sys.argv[1:]
    clock = TestClock(datetime.fromisoformat(now[0])) if now else None
    store = open_at(url, clock, RandomMinter())
    gate = Gate(tool_map(), policy(Path(rules).read_text()), store, RandomMinter())
    books = Path(rules).with_name("books.db")
    if books.exists():
        store.outside = refunds_outside
        gate = replace(gate, reach=partial(reach, {PAYMENTS: StubProvider(books)}))
    world = World(gate, store, clock or TestClock(), customer(), url)
    does: dict[str, Callable[..., Any]] = {
        "refunds": lambda **what: asyncio.run(_refunds(world, **what)),
        "approve": partial(_approve, world),
        "recover": partial(_recover, world),
        "hang": partial(_hang, world),
        "load": partial(_load, world),
    }
    _say("ready")
    for line in sys.stdin:
        what = json.loads(line)
        _say(does[what.pop("do")](**what))
    store.close()


if __name__ == "__main__":
    main()
