"""What every journey does with a call: send it, know beforehand how it ends, and let the model do the same."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from ledger.carts import offers
from ledger.house import House
from ledger.model import Act, Call, Deed, Model, Waiting
from ledger.shops import CENTS, ENOUGH, FOUR_EYES, LARGE, LARGE_ONES, WATCHED
from worlds import TestClock

from tillgate.guards.outcome import Outcome

T = TypeVar("T")
NEW = "new"
Move = Callable[[st.DataObject], None]
"""A step of a journey."""
seldom = st.sampled_from([False] * 11 + [True])


def mostly(likely: Iterable[T], others: Iterable[T]) -> st.SearchStrategy[T]:
    """One of the likely ones, now and then one of the others."""
    first, rest = list(likely), list(others)
    return st.sampled_from(first * (1 + 8 * len(rest) // max(1, len(first))) + rest)


class Play(RuleBasedStateMachine):
    """The house the journey is in, and the calls sent there. The acts stand in the classes that widen this one."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = TestClock()
        self.houses = {CENTS.code: House(self.clock)}
        self.here = CENTS.code
        self.keys = 0

    def teardown(self) -> None:
        for house in self.houses.values():
            house.close()

    @property
    def house(self) -> House:
        return self.houses[self.here]

    @property
    def model(self) -> Model:
        """The model, at the time of the clock."""
        self.house.model.now = self.clock.now()
        return self.house.model

    def acts(self) -> list[Move]:
        """What can be done next; what stands twice is done more often."""
        return []

    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        """One act of all: a rule for each would leave out many of them in every journey."""
        named = {each.__name__: each for each in self.acts()}
        named[data.draw(st.sampled_from([each.__name__ for each in self.acts()]))](data)

    def caller_for(self, data: st.DataObject, owner: str | None) -> int:
        """Mostly whose it is, now and then the other customer."""
        whose = int(owner[-1]) if owner else 1
        return 3 - whose if data.draw(seldom) else whose

    def new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def call(
        self, who: int, tool: str, act: Act, lower: Callable[[Model, int], Deed | None] | None = None, **arguments: Any
    ) -> Outcome | None:
        """A new call; every second one has a key."""
        made = Call(who, tool, {name: value for name, value in arguments.items() if value is not None}, act, lower)
        made = made.under(self.new_key()) if len(self.house.sent) % 2 else made
        self.house.sent.append(made)
        return self.play(made)

    def play(self, call: Call) -> Outcome:
        """Send a call and hold its end against what the model says."""
        model, memory = self.model, self.house.memory
        earlier = memory.recalled(call.who, call.tool, call.arguments)
        before = self.others(call.who)
        outcome = self.house.ask(call.who, call.tool, call.arguments)
        assert outcome.status != "failed", call
        assert self.others(call.who) == before, call
        if earlier == "conflict":
            assert [reason.code for reason in outcome.reasons] == ["idempotency_conflict"], call
        elif earlier is not None:
            assert (outcome.replayed, outcome.call_id) == (True, earlier.call_id), call
        else:
            assert not outcome.replayed, call
            self._ends(call, outcome, call.act(model, str((outcome.data or {}).get("id", NEW))))
        return outcome

    def others(self, who: int) -> list[Any]:
        """Everything that is the other customer's."""
        return list(_owned_by(self.house, 3 - who))

    def _ends(self, call: Call, outcome: Outcome, deed: Deed | None) -> None:
        status, people = expected(self.model, call, deed)
        assert outcome.status == status, (call, status, [reason.code for reason in outcome.reasons])
        if deed is not None and status == "completed":
            self.carried_out(call.who, outcome.call_id, deed)
            self.house.memory.keep(call.who, call.tool, call.arguments, outcome.call_id, None, deed)
        elif deed is not None and status == "escalated":
            assert outcome.escalation is not None
            handle, expires = outcome.escalation.handle, self.model.now + people[1]
            basis = self.model.versions(deed.roots)
            self.model.waiting[handle] = Waiting(outcome.call_id, call, deed, basis, expires, people[0])
            self.model.tables["request"][handle] = "pending"
            self.house.memory.keep(call.who, call.tool, call.arguments, outcome.call_id, handle, deed)

    def carried_out(self, who: int, call_id: str, deed: Deed) -> None:
        self.model.carry_out(who, call_id, deed)


def expected(model: Model, call: Call, deed: Deed | None) -> tuple[str, tuple[int, timedelta]]:
    """How the policy has a call end, and for one that waits: how many people must agree, and how long it waits."""
    people = (2 if deed and deed.impact > FOUR_EYES else 1, timedelta(hours=2))
    if deed is None:
        return "denied", people
    if call.tool == "request_human":
        return "escalated", (1, timedelta(hours=24))
    if call.tool == "apply_discount" and len(offers(model, call.arguments["cart_id"])) >= ENOUGH:
        return "denied", people
    large = call.tool in LARGE_ONES and deed.impact > LARGE
    watched = call.tool in WATCHED and call.arguments["order_id"] == "o_d2"
    return "escalated" if large or watched else "completed", people


def _owned_by(house: House, who: int) -> Iterator[Any]:
    orders = f"SELECT id FROM orders WHERE customer_id = 'cus_{who}'"
    carts = f"SELECT id FROM cart WHERE customer_id = 'cus_{who}'"
    yield house.rows(f"SELECT * FROM orders WHERE id IN ({orders}) ORDER BY id")
    for table in ("order_line", "transfer", "amendment", "stock_move"):
        yield house.rows(f"SELECT * FROM {table} WHERE order_id IN ({orders}) ORDER BY id")
    for table in ("cart_line", "cart_offer"):
        yield house.rows(f"SELECT * FROM {table} WHERE cart_id IN ({carts}) ORDER BY id")
    yield house.rows(f"SELECT * FROM customer WHERE id = 'cus_{who}'")
