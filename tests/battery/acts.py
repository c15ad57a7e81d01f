"""What the processes of the crash loop do: act `n` of a seed is the same act whoever sends it, and however often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from battery.stage import CUSTOMERS, address

ABOUT = "act "
"""How the reason of a refund names its act, so that it can be counted in the ledger and in the provider's books."""


@dataclass(frozen=True)
class Act:
    """One call of a customer's. `takes_back` is the act whose call it undoes."""

    number: int
    who: int
    tool: str
    arguments: Mapping[str, Any]
    takes_back: int | None = None


def act(seed: int, number: int) -> Act:
    """The act with this number."""
    chance = Random(f"{seed}/{number}")
    who = number % CUSTOMERS + 1
    (make,) = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    if make is _undo and (before := _earlier(seed, number)) is not None:
        return Act(number, who, "undo_action", {"reason": "a mistake"}, before)
    tool, arguments = make(chance, who, number)
    return Act(number, who, tool, {**arguments, "idempotency_key": f"k{number}"})


def _earlier(seed: int, number: int) -> int | None:
    """The last act of the same customer that can be taken back."""
    for before in range(number - CUSTOMERS, 0, -CUSTOMERS):
        if act(seed, before).tool in ("update_address", "edit_cart"):
            return before
    return None


_Made = tuple[str, dict[str, Any]]


def _refund(chance: Random, who: int, number: int, amount: str, **more: str) -> _Made:
    order = f"{chance.choice('ab')}_{who}"
    return "issue_refund", {"order_id": order, "amount": amount, "reason": f"{ABOUT}{number}", **more}


def _to_card(chance: Random, who: int, number: int) -> _Made:
    return _refund(chance, who, number, f"{chance.randint(1, 5)}.{chance.randint(10, 99)}")


def _to_gift_card(chance: Random, who: int, number: int) -> _Made:
    return _refund(chance, who, number, "1.00", method=f"gift_{who}")


def _large(chance: Random, who: int, number: int) -> _Made:
    return _refund(chance, who, number, f"6{chance.randint(0, 9)}.00")


def _large_to_gift_card(chance: Random, who: int, number: int) -> _Made:
    return _refund(chance, who, number, "51.00", method=f"gift_{who}")


def _address(chance: Random, who: int, _number: int) -> _Made:
    return "update_address", {"order_id": f"w_{who}", "address": address(chance.randint(100, 999))}


def _cart(chance: Random, who: int, _number: int) -> _Made:
    lines = [{"variant_id": chance.choice(["v_1", "v_2"]), "quantity": chance.randint(1, 9)}]
    return "edit_cart", {"cart_id": f"cart_{who}", "lines": lines}


def _discount(chance: Random, who: int, _number: int) -> _Made:
    tool = chance.choice(["apply_discount", "remove_discount"])
    return tool, {"cart_id": f"cart_{who}", "offer_code": chance.choice(["TEN", "FIVE"])}


def _undo(chance: Random, who: int, number: int) -> _Made:
    """While there is nothing to take back yet."""
    return _cart(chance, who, number)


_WEIGHTS: Mapping[Callable[[Random, int, int], _Made], int] = {
    _to_card: 30,
    _to_gift_card: 15,
    _large: 8,
    _large_to_gift_card: 5,
    _address: 15,
    _cart: 12,
    _discount: 8,
    _undo: 7,
}
