"""A shop's money and goods by plain arithmetic: what each completed call must have done, apart from the code.

An act is a list of movements, so taking it back is the same list with the signs turned.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

Movement = tuple[str, str, int]
BALANCES = ("gift", "credit")


@dataclass
class Model:
    """`left` is what of each payment has not gone back, by order; `balance` and `stock` are what there is."""

    left: dict[str, dict[str, int]]
    method_of: dict[str, str]
    balance: dict[str, int]
    stock: dict[str, int]
    price: dict[str, int]
    line: dict[str, tuple[str, int]]
    status: dict[str, str]
    acts: dict[str, list[Movement]] = field(default_factory=dict[str, list[Movement]])
    swaps: dict[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])
    cancels: dict[str, str] = field(default_factory=dict[str, str])

    def held(self, order: str) -> int:
        """What the shop holds for an order."""
        return sum(self.left[order].values())

    def give_back(self, order: str, amount: int, to: str | None, *, now: bool) -> Iterator[Movement]:
        """From the payments in their order, those of the same method first; balances go up only when it is paid now."""
        for payment in sorted(self.left[order], key=lambda key: to is not None and self.method_of[key] != to):
            part = min(amount, self.left[order][payment])
            if part:
                amount -= part
                yield ("left", f"{order} {payment}", -part)
                goes_to = to or self.method_of[payment]
                if now and goes_to in self.balance:
                    yield ("balance", goes_to, part)

    def capture(self, order: str, call: str, method: str, amount: int) -> Iterator[Movement]:
        """A new payment, taken from its method at once."""
        self.method_of[call] = method
        self.left[order].setdefault(call, 0)
        yield ("left", f"{order} {call}", amount)
        if method in self.balance:
            yield ("balance", method, -amount)

    def carry_out(self, call: str, movements: list[Movement]) -> None:
        """Remember the act and let it happen."""
        self.acts[call] = movements
        self._move(movements, 1)

    def take_back(self, call: str) -> None:
        """The act never was."""
        self._move(self.acts.pop(call), -1)
        if call in self.swaps:
            line, before, _ = self.swaps.pop(call)
            self.line[line] = (before, self.line[line][1])
        if call in self.cancels:
            self.status[self.cancels.pop(call)] = "pending"

    def _move(self, movements: list[Movement], sign: int) -> None:
        for kind, key, amount in movements:
            if kind == "left":
                order, payment = key.split(" ")
                self.left[order][payment] += sign * amount
            else:
                table = self.balance if kind == "balance" else self.stock
                table[key] += sign * amount
