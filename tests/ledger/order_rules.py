"""Journeys with orders: every tool that moves their money and goods, or says where they go."""

import json
from collections.abc import Mapping

from hypothesis import strategies as st
from ledger import buying
from ledger.model import captures
from ledger.play import Move, Play, mostly
from ledger.shops import ADDRESSES

counts = st.sampled_from([1, 1, 1, 1, 2, 3])


class Orders(Play):
    """Refunds, returns, cancellations, payments, swaps and addresses."""

    def acts(self) -> list[Move]:
        often = [self.refund, self.refund, self.swap, self.swap, self.swap, self.swap, self.pay_otherwise]
        return [*super().acts(), *often, self.give_back, self.cancel, self.pay_otherwise, self.move]

    def refund(self, data: st.DataObject) -> None:
        order, who = self._order(data, "delivered", "pending", "shipped")
        lines = data.draw(st.none() | st.none() | self._counts(order))
        minor, to = self._amount(data, order), self._target(data, who)
        self._refund(who, order, minor, lines, to)

    def _amount(self, data: st.DataObject, order: str) -> int | None:
        """Any amount, or about as much as there is."""
        near = max(1, self.model.held(order) + data.draw(st.sampled_from([0, 1, 7, -1])))
        return data.draw(st.none() | st.just(near) | st.integers(1, 600) | st.integers(601, 1800))

    def _refund(self, who: int, order: str, minor: int | None, lines: Mapping[str, int] | None, to: str | None) -> None:
        self.call(
            who,
            "issue_refund",
            lambda model, _: buying.refund(model, who, order, minor, lines, to),
            lambda model, less: buying.refund(model, who, order, less, lines, to),
            order_id=order,
            amount=None if minor is None else self.house.money.format(minor),
            lines=None if lines is None else _quantities(lines),
            reason="x",
            method=to,
        )

    def give_back(self, data: st.DataObject) -> None:
        order, who = self._order(data, "delivered")
        lines, to = data.draw(self._counts(order)), self._target(data, who)
        self.call(
            who,
            "return_items",
            lambda model, _: buying.take_back_goods(model, who, order, lines, to),
            order_id=order,
            lines=_quantities(lines),
            reason="x",
            refund_method=to,
        )

    def cancel(self, data: st.DataObject) -> None:
        order, who = self._order(data, "pending")
        self.call(
            who, "cancel_order", lambda model, _: buying.cancel(model, who, order), order_id=order, reason="other"
        )

    def pay_otherwise(self, data: st.DataObject) -> None:
        order, who = self._order(data, "pending")
        paying = [row.method for name, row in self.model.payments(order) if self.model.left(name)]
        others = [key for key in sorted(self.model.tables["method"]) if self.model.owns(who, key) and key not in paying]
        method = data.draw(st.sampled_from([*others, self._method(data, who)]))
        self.call(
            who,
            "change_payment_method",
            lambda model, _: buying.pay_otherwise(model, who, order, method),
            order_id=order,
            payment_method_id=method,
        )

    def swap(self, data: st.DataObject) -> None:
        tool = data.draw(st.sampled_from(["change_order_items", "exchange_items"]))
        order, who = self._order(data, "pending" if tool == "change_order_items" else "delivered")
        lines = data.draw(st.lists(self._line(order), min_size=1, max_size=2, unique=True))
        first, *more = [(line, self._variant(data, line)) for line in lines]
        same = data.draw(st.booleans())
        wanted = [first, *((line, first[1] if same else variant) for line, variant in more)]
        method = self._method(data, who)
        self.call(
            who,
            tool,
            lambda model, _: buying.swap(model, who, tool, order, wanted, method),
            order_id=order,
            lines=[{"line_id": line, "new_variant_id": variant} for line, variant in wanted],
            payment_method_id=method,
        )

    def move(self, data: st.DataObject) -> None:
        found, who = self._order(data, "pending")
        address, order = data.draw(st.sampled_from(ADDRESSES)), data.draw(st.sampled_from([None, found]))
        text = json.dumps(address, sort_keys=True)
        self.call(
            who,
            "update_address",
            lambda model, _: buying.readdress(model, who, order, text),
            order_id=order,
            address=address,
        )

    def _order(self, data: st.DataObject, *likely: str) -> tuple[str, int]:
        """Mostly an order that stands so, and mostly its own customer."""
        statuses = self.model.tables["status"]
        fitting = [order for order, status in sorted(statuses.items()) if status in likely]
        again = [order for order in self._talked_of() if order in fitting]
        order = data.draw(mostly(fitting + again, sorted({*statuses, "o_none"} - {*fitting})))
        return order, self.caller_for(data, self.model.get("owner", order))

    def _talked_of(self) -> list[str]:
        """The orders of the last calls and of requests that wait."""
        waiting = [waits.call for handle, waits in self.model.waiting.items() if self.model.waits(handle)]
        return [call.arguments.get("order_id", "") for call in [*self.house.sent[-3:], *waiting]]

    def _line(self, order: str) -> st.SearchStrategy[str]:
        """Mostly goods of this order that nothing came back of."""
        lines = {key: line for key, line in self.model.tables["line"].items() if line.order == order}
        whole = [key for key, line in lines.items() if line.goods and not self.model.returned(key)]
        return mostly(whole, [*lines, "o_p1-1"])

    def _counts(self, order: str) -> st.SearchStrategy[dict[str, int]]:
        return st.dictionaries(self._line(order), counts, min_size=1, max_size=2)

    def _method(self, data: st.DataObject, who: int) -> str:
        methods = sorted(self.model.tables["method"])
        mine = [method for method in methods if self.model.owns(who, method)]
        waiting = [waits.deed for handle, waits in self.model.waiting.items() if self.model.waits(handle)]
        reserved = [row.method for deed in waiting for _, row in captures(deed) if row.method in mine]
        return data.draw(mostly(mine + reserved * 2, [method for method in methods if method not in mine]))

    def _target(self, data: st.DataObject, who: int) -> str | None:
        return data.draw(st.sampled_from([None, "original", "store_credit", self._method(data, who)]))

    def _variant(self, data: st.DataObject, line: str) -> str:
        """Mostly another variant of the same product."""
        now, product = self.model.get("variant", line), self.model.tables["product"]
        fitting = [key for key in sorted(product) if product[key] == product.get(now) and key != now]
        return data.draw(mostly(fitting, ["x_x", *product]))


def _quantities(lines: Mapping[str, int]) -> list[dict[str, object]]:
    return [{"line_id": line, "quantity": count} for line, count in lines.items()]
