"""A shop by plain arithmetic: what each completed call must have done, apart from the code.

A deed is a list of steps, so taking it back is the same list the other way round. What a shop holds is one table of
entries for each kind; balances and what an order has left are sums over its transfers.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

BALANCES = ("gift_card", "store_credit")
Tables = dict[str, dict[str, Any]]


class Transfer(NamedTuple):
    """One movement of money. `waits` for the goods; `lines` is JSON text."""

    kind: str
    order: str | None
    method: str
    payment: str | None
    amount: int
    cause: str
    waits: bool
    lines: str


class Line(NamedTuple):
    """What of an order's line never changes; a charge is no `goods`."""

    order: str
    quantity: int
    goods: bool


class Offer(NamedTuple):
    """A discount on file; `ends` is text, as stored."""

    kind: str
    value: int
    minimum: int
    stackable: bool
    most: int
    ends: str | None


@dataclass(frozen=True)
class Put:
    """An entry from one value to another; None is no entry."""

    kind: str
    key: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Add:
    """An amount onto an entry that several deeds move."""

    kind: str
    key: str
    amount: int


Step = Put | Add


@dataclass(frozen=True)
class Deed:
    """What one call does: its steps, the records it stands on, and the money that leaves the shop by it.

    `lasts` is how long it can be taken back; a `final` one never can. `undoes` names the call it takes back.
    """

    steps: tuple[Step, ...] = ()
    roots: tuple[str, ...] = ()
    impact: int = 0
    lasts: timedelta | None = None
    final: bool = False
    undoes: str | None = None


@dataclass
class Done:
    """A deed that happened."""

    who: int
    deed: Deed
    at: datetime
    undone: bool = False


Act = Callable[["Model", str], Deed | None]
"""What a call does to a model, or None where the shop refuses it; with the id of a cart it would make."""


@dataclass(frozen=True)
class Call:
    """One call of one customer, and what it means to the model. `lower` is the same act for less money."""

    who: int
    tool: str
    arguments: dict[str, Any]
    act: Act
    lower: Callable[["Model", int], Deed | None] | None = None

    def under(self, key: str) -> "Call":
        """The same act as a call of its own."""
        return replace(self, arguments={**self.arguments, "idempotency_key": key})


@dataclass
class Waiting:
    """A deed that waits for people: what it would do and the records it was planned from."""

    call_id: str
    call: Call
    deed: Deed
    basis: tuple[Any, ...]
    expires: datetime
    approvals: int
    names: list[str] = field(default_factory=list[str])


@dataclass
class Model:
    """The entries of one shop, what was done by which call, and what waits."""

    tables: Tables
    now: datetime
    done: dict[str, Done] = field(default_factory=dict[str, Done])
    waiting: dict[str, Waiting] = field(default_factory=dict[str, Waiting])
    deciding: str | None = None

    def get(self, kind: str, key: str, otherwise: Any = None) -> Any:
        """One entry."""
        return self.tables[kind].get(key, otherwise)

    def put(self, kind: str, key: str, after: Any) -> Put:
        """The step that sets an entry."""
        return Put(kind, key, self.get(kind, key), after)

    def payments(self, order: str) -> list[tuple[str, Transfer]]:
        """What was captured for an order, oldest first."""
        return [
            (key, row) for key, row in self.tables["transfer"].items() if (row.kind, row.order) == ("payment", order)
        ]

    def left(self, payment: str) -> int:
        """What of a payment has not gone back."""
        back = sum(row.amount for row in self.tables["transfer"].values() if row.payment == payment)
        return int(self.tables["transfer"][payment].amount - back)

    def held(self, order: str) -> int:
        """What the shop holds for an order."""
        return sum(self.left(payment) for payment, _ in self.payments(order))

    def balance(self, method: str) -> int:
        """What is on a gift card or store credit."""
        rows = [row for row in self.tables["transfer"].values() if row.method == method and not row.waits]
        return sum(row.amount if row.kind in ("refund", "credit") else -row.amount for row in rows)

    def available(self, method: str) -> int:
        """The balance without what waiting requests would take."""
        others = [each for handle, each in self.waiting.items() if handle != self.deciding and self.waits(handle)]
        held = sum(row.amount for each in others for _, row in captures(each.deed) if row.method == method)
        return max(0, self.balance(method) - held)

    def waits(self, handle: str) -> bool:
        """Whether a request still waits for people."""
        return bool(self.get("request", handle) == "pending" and self.now < self.waiting[handle].expires)

    def kind_of(self, method: str) -> str:
        return str(self.get("method", method)[1])

    def owns(self, who: int, method: str) -> bool:
        """Whether a customer has this method on file."""
        return bool(self.get("method", method, ("", ""))[0] == f"cus_{who}")

    def returned(self, line: str) -> int:
        """How many units of a line were refunded or are coming back."""
        return sum(count_of(row.lines, line) for row in self.tables["transfer"].values() if row.kind == "refund")

    def amendments(self, order: str, kind: str) -> list[str]:
        """The lines text of what was done to an order of one kind."""
        return [lines for of, what, lines in self.tables["amendment"].values() if (of, what) == (order, kind)]

    def versions(self, roots: Iterable[str]) -> tuple[Any, ...]:
        """How often each record was planned upon; what is not there has no version."""
        return tuple((root, version) for root in sorted(set(roots)) if (version := self.get("version", root)))

    def carry_out(self, who: int, call_id: str, deed: Deed) -> None:
        """Remember the deed and let it happen."""
        if deed.steps:
            self._raise(deed.roots)
        for step in deed.steps:
            self._take(step)
        self.done[call_id] = Done(who, deed, self.now)
        if deed.undoes is not None:
            self.done[deed.undoes].undone = True
        self._forget_what_is_gone()

    def _raise(self, roots: Iterable[str]) -> None:
        for root in set(roots):
            if root.partition(":")[0] in ("order", "cart", "customer"):
                self.tables["version"][root] += 1

    def _take(self, step: Step) -> None:
        table = self.tables[step.kind]
        if isinstance(step, Add):
            table[step.key] = table.get(step.key, 0) + step.amount
            return
        assert table.get(step.key) == step.before, step
        table.pop(step.key, None)
        if step.after is not None:
            table[step.key] = step.after

    def _forget_what_is_gone(self) -> None:
        """A record that is no more has no version, a new one has the first."""
        versions = self.tables["version"]
        for kind in ("cart", "method"):
            root = "payment_method" if kind == "method" else kind
            for key in self.tables[kind]:
                versions.setdefault(f"{root}:{key}", 1)
            for name in [name for name in versions if name.startswith(f"{root}:")]:
                if name.partition(":")[2] not in self.tables[kind]:
                    del versions[name]


def puts(deed: Deed, kind: str) -> list[Put]:
    """The entries of one kind that a deed sets."""
    return [step for step in deed.steps if isinstance(step, Put) and step.kind == kind]


def captures(deed: Deed) -> list[tuple[str, Transfer]]:
    """The payments a deed makes."""
    made = [(step.key, step.after) for step in puts(deed, "transfer")]
    return [(key, row) for key, row in made if row is not None and row.kind == "payment"]


def count_of(lines: str, line: str) -> int:
    """How many of a line the JSON text of a refund names."""
    return int(json.loads(lines).get(line, 0))
