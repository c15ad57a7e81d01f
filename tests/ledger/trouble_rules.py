"""Journeys with trouble: deaths in the middle of an act, hands in the database, another shop, and time."""

import pytest
from hypothesis import strategies as st
from ledger.house import House
from ledger.model import Call
from ledger.people_rules import People, names
from ledger.play import Move
from ledger.shops import CENTS, ORDERS, VARIANTS, WHOLE

from tillgate.guards import review
from tillgate.tools.shops.embedded.engine import dbapi as sqlite3

writes = st.integers(0, 25)
sold = st.sampled_from([key for variants in VARIANTS.values() for key in variants])
orders = st.sampled_from(sorted(ORDERS))


class Trouble(People):
    """What goes wrong around the gate."""

    def acts(self) -> list[Move]:
        crashes = [self.crash] if self.house.sent else []
        crashes += [self.crash_while_agreeing] if self.model.waiting else []
        return [*super().acts(), *crashes, self.reach_in, self.sell, self.go_on]

    def crash(self, data: st.DataObject) -> None:
        """One of the last acts anew: it dies on the way and nothing of it stays, or it is done and nobody hears of it.

        Asked for again, it is done once.
        """
        call: Call = data.draw(st.sampled_from(self.house.sent[:-6:-1]))
        call, left = call.under(self.new_key()), data.draw(st.none() | writes)
        if left is None:
            self.play(call)
            self.house.lose_power()
        else:
            self._die_in(call, left)
        self.nothing_happened()
        self.house.sent.append(call)
        self.play(call)

    def _die_in(self, call: Call, left: int) -> None:
        house = self.house
        received = house.received(call.who, call.tool, house.prepared(call.who, call.tool, call.arguments))
        house.die_in(lambda desk: house.gate.journey(desk, received, "call_dead"), left)

    def crash_while_agreeing(self, data: st.DataObject) -> None:
        """An approval that dies is no approval; said again it counts once."""
        handle, name, house = self.draw_handle(data), data.draw(names), self.house
        house.die_in(lambda desk: review.approve(house.gate, desk, handle, name), data.draw(writes))
        self.nothing_happened()
        self.agree(handle, name, None)

    def nothing_happened(self) -> None:
        """The store is as the model has it."""
        raise NotImplementedError

    def reach_in(self, data: st.DataObject) -> None:
        """Whatever code runs above, the database itself refuses what would break the books."""
        order, variant, more = data.draw(orders), data.draw(sold), data.draw(st.integers(1, 500))
        for reach in (self._overpay, self._overdraw, self._change):
            reach(order, variant, more)

    def _overpay(self, order: str, _variant: str, more: int) -> None:
        payment, row = self.model.payments(order)[0]
        self._refused(
            "INSERT INTO transfer (shop, id, kind, order_id, method_id, payment_id, amount, cause, lines, settles_at)"
            " VALUES ('main', 'refund/by-hand', 'refund', ?, ?, ?, ?, 'refund', '{}', '2026-06-01T00:00:00Z')",
            order, row.method, payment, self.model.left(payment) + more,
        )  # fmt: skip

    def _overdraw(self, order: str, _variant: str, more: int) -> None:
        method = {"cus_1": "gift", "cus_2": "gift_2"}[self.model.get("owner", order)]
        self._refused(
            "INSERT INTO transfer (shop, id, kind, order_id, method_id, amount, cause, lines, settles_at)"
            " VALUES ('main', 'payment/by-hand', 'payment', ?, ?, ?, 'items', '{}', '2026-06-01T00:00:00Z')",
            order, method, self.model.balance(method) + more,
        )  # fmt: skip

    def _change(self, order: str, variant: str, more: int) -> None:
        self._refused("UPDATE transfer SET amount = amount + ? WHERE order_id = ?", more, order)
        self._refused("UPDATE variant SET stock = ? WHERE id = ?", -more, variant)
        self._refused("UPDATE order_line SET discount = unit_price * quantity + ? WHERE order_id = ?", more, order)

    def _refused(self, sql: str, *params: object) -> None:
        with pytest.raises(sqlite3.IntegrityError):
            self.house.write(sql, *params)

    def sell(self, data: st.DataObject) -> None:
        """Somebody else buys one, or a parcel leaves."""
        variant, parcel = data.draw(sold), data.draw(st.sampled_from([None, None, "o_p1", "o_q1"]))
        tables = self.model.tables
        if parcel and tables["status"][parcel] == "pending":
            self.house.write("UPDATE orders SET status = 'shipped' WHERE id = ?", parcel)
            tables["status"][parcel] = "shipped"
        elif tables["stock"][variant] > 0:
            self.house.write("UPDATE variant SET stock = stock - 1 WHERE id = ?", variant)
            tables["stock"][variant] -= 1

    def go_on(self, data: st.DataObject) -> None:
        """Time passes, at times in the other shop: the same names, other money, and nothing in common."""
        self.clock.advance(minutes=data.draw(st.sampled_from([1, 1, 10, 30, 61, 121, 60 * 25])))
        if data.draw(st.sampled_from([False, False, True])):
            self.here = WHOLE.code if self.here == CENTS.code else CENTS.code
            if self.here not in self.houses:
                self.houses[self.here] = House(self.clock, WHOLE)
