"""The benchmark's shop as seeded chance draws from it: lawful calls, to be left as they are or to be spoilt.

Nothing here knows Tillgate. Where nothing fits, `choice` of an empty list raises IndexError; the caller draws again.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, TypeAlias, TypeVar

from tau.adapter import Call, Json

T = TypeVar("T")
Swaps: TypeAlias = Sequence[tuple[Json, Json]]
"""Lines of an order, each with the variant it is to become."""


def cents(price: str) -> int:
    return round(float(price) * 100)


class Market:
    """The shop by its ids, and chance."""

    def __init__(self, shop: Json, seed: int) -> None:
        self.chance = random.Random(seed)
        self.customers: Mapping[str, Json] = {customer["id"]: customer for customer in shop["customers"]}
        self.orders: Mapping[str, Json] = {order["id"]: order for order in shop["orders"]}
        self.products: Mapping[str, Json] = {product["id"]: product for product in shop["products"]}
        self.variants: Mapping[str, Json] = {v["id"]: v for p in self.products.values() for v in p["variants"]}
        self.product_of = {v["id"]: p["id"] for p in self.products.values() for v in p["variants"]}
        self.methods: Mapping[str, Json] = {m["id"]: m for c in self.customers.values() for m in c["payment_methods"]}
        self.owned: defaultdict[str, list[Json]] = defaultdict(list)
        for order in self.orders.values():
            self.owned[order["customer_id"]].append(order)

    # -- draws

    def choice(self, of: Sequence[T]) -> T:
        return self.chance.choice(of)

    def order(self, status: str, fits: Callable[[Json], bool] = lambda _: True) -> Json:
        return self.choice([order for order in self.orders.values() if order["status"] == status and fits(order)])

    def own(self, order: Json, status: str) -> Json:
        """Another order of the same customer."""
        return self.choice([o for o in self.owned[order["customer_id"]] if o["status"] == status and o is not order])

    def stranger(self, customer: str) -> str:
        """Another customer; one of the same name where there is one."""
        name = self._name(customer)
        others = [other for other in self.customers if other != customer]
        same = [other for other in others if self._name(other) == name]
        return self.choice(same or others)

    def _name(self, customer: str) -> tuple[str, str]:
        return self.customers[customer]["first_name"], self.customers[customer]["last_name"]

    def method(self, customer: str, need: int = 0, fits: Callable[[Json], bool] = lambda _: True) -> str:
        """A method on file that can pay so much."""
        on_file = self.customers[customer]["payment_methods"]
        found: str = self.choice([m["id"] for m in on_file if fits(m) and covers(m, need)])
        return found

    def foreign_method(self, customer: str) -> str:
        own = self.customers[customer]["payment_methods"]
        other = self.choice([name for name, method in self.methods.items() if method not in own])
        return self.choice([other, "credit_card_0000001"])

    def alternatives(self, line: Json, *, available: bool = True) -> list[Json]:
        """Other variants of the same product."""
        product = self.products[self.product_of[line["variant_id"]]]
        return [v for v in product["variants"] if v["id"] != line["variant_id"] and (v["stock"] > 0) is available]

    def lines(self, order: Json) -> list[Json]:
        """Some lines of the order, at least one."""
        some = self.choice(range(1, len(order["lines"]) + 1))
        return self.chance.sample(order["lines"], some)

    def swaps(self, order: Json) -> Swaps:
        return [(line, self.choice(self.alternatives(line))) for line in self.lines(order)]

    def upgrades(self, order: Json, most: int) -> list[tuple[Json, Json]]:
        """Every swap of one line that costs something and no more than this, dearest last."""
        found = [(line, variant) for line in order["lines"] for variant in self.alternatives(line)]
        return sorted((swap for swap in found if 0 < difference([swap]) <= most), key=lambda swap: difference([swap]))

    def after(self, order: Json, call: Call) -> Json:
        """The order as it reads once the call is done: swapped items are the new ones, returned ones are gone."""
        left = list(order["lines"])
        for old, new in zip_longest(call.arguments["item_ids"], call.arguments.get("new_item_ids", [])):
            at = next(at for at, line in enumerate(left) if line["variant_id"] == old)
            line = left.pop(at)
            if new is not None:
                left.insert(at, {**line, "variant_id": new, "unit_price": self.variants[new]["price"]})
        return {**order, "lines": left}

    # -- calls of the customer whose order it is

    def look_up(self, customer: str) -> Call:
        known = self.customers[customer]
        by_name = {"first_name": known["first_name"], "last_name": known["last_name"],
                   "zip": known["address"]["postal_code"]}  # fmt: skip
        by_email = Call("find_user_id_by_email", {"email": known["email"]})
        return self.choice([by_email, Call("find_user_id_by_name_zip", by_name)])

    def address(self) -> dict[str, Any]:
        """An address of somebody else, which is one that exists."""
        found = self.choice(list(self.customers.values()))["address"]
        return {"address1": found["line1"], "address2": found["line2"], "city": found["city"],
                "state": found["region"], "country": "USA", "zip": found["postal_code"]}  # fmt: skip

    def write(self, tool: str, order: Json) -> Call:
        """A call of this tool for this order that nothing but its status or history can make unlawful."""
        return {
            "cancel_pending_order": self.cancel,
            "modify_pending_order_address": self.move,
            "modify_pending_order_payment": self.pay,
            "modify_pending_order_items": self.change,
            "return_delivered_order_items": self.give_back,
            "exchange_delivered_order_items": self.exchange,
            "modify_user_address": self.settle,
        }[tool](order)

    def cancel(self, order: Json) -> Call:
        reason = self.choice(["no longer needed", "ordered by mistake"])
        return Call("cancel_pending_order", {"order_id": order["id"], "reason": reason})

    def move(self, order: Json) -> Call:
        return Call("modify_pending_order_address", {"order_id": order["id"], **self.address()})

    def settle(self, order: Json) -> Call:
        return Call("modify_user_address", {"user_id": order["customer_id"], **self.address()})

    def pay(self, order: Json, method: str | None = None) -> Call:
        other = method or self.method(order["customer_id"], total(order), lambda m: m["id"] != paid_by(order))
        return Call("modify_pending_order_payment", {"order_id": order["id"], "payment_method_id": other})

    def change(self, order: Json) -> Call:
        return self.swap("modify_pending_order_items", order, self.swaps(order))

    def exchange(self, order: Json) -> Call:
        return self.swap("exchange_delivered_order_items", order, self.swaps(order))

    def swap(self, tool: str, order: Json, swaps: Swaps, method: str | None = None) -> Call:
        method = method or self.method(order["customer_id"], difference(swaps))
        items = {"item_ids": [line["variant_id"] for line, _ in swaps], "new_item_ids": [new["id"] for _, new in swaps]}
        return Call(tool, {"order_id": order["id"], **items, "payment_method_id": method})

    def give_back(self, order: Json, lines: Sequence[Json] | None = None, method: str | None = None) -> Call:
        back = method or self.method(order["customer_id"], fits=lambda m: lawful_return(m, order))
        items = [line["variant_id"] for line in lines or self.lines(order)]
        return Call("return_delivered_order_items", {"order_id": order["id"], "item_ids": items,
                                                     "payment_method_id": back})  # fmt: skip


def covers(method: Json, amount: int) -> bool:
    return method["balance"] is None or cents(method["balance"]) >= amount


def paid_by(order: Json) -> str:
    paying: str = order["payments"][0]["method_id"]
    return paying


def lawful_return(method: Json, order: Json) -> bool:
    """R31: where it came from, or a gift card."""
    return bool(method["kind"] == "gift_card" or method["id"] == paid_by(order))


def total(order: Json) -> int:
    return sum(cents(line["unit_price"]) for line in order["lines"])


def difference(swaps: Swaps) -> int:
    return sum(cents(new["price"]) - cents(line["unit_price"]) for line, new in swaps)


def altered(call: Call, **arguments: Any) -> Call:
    """The call with some arguments otherwise."""
    return Call(call.tool, {**call.arguments, **arguments})
