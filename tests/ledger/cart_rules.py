"""Journeys with carts: quantities at prices that change, and offers on top of one another."""

from typing import Any

from hypothesis import strategies as st
from ledger import carts
from ledger.play import Move, Play, mostly, seldom
from ledger.shops import OFFERS, VARIANTS

from tillgate.guards.outcome import Outcome

SOLD = [key for variants in VARIANTS.values() for key in variants]
told = st.sampled_from([None, None, None, 0, 0, -1, 1])
counts = st.tuples(st.sampled_from([0, 1, 1, 2, 3, 7]), told)


class Carts(Play):
    """Carts are made, filled, reduced and looked at; the shop sets new prices meanwhile."""

    def acts(self) -> list[Move]:
        again = [self.full_price] if self.model.tables["on_cart"] else []
        return [*super().acts(), self.fill, self.fill, self.reduce, self.reduce, self.new_price, *again]

    def fill(self, data: st.DataObject) -> None:
        (found, who), new = self._cart(data), data.draw(seldom)
        held = mostly(carts.contents(self.model, found), SOLD)
        lines = data.draw(st.dictionaries(held, counts, min_size=1, max_size=3))
        cart, known = None if new else found, self.model.tables["version"]
        wanted = {
            key: (count, None if age is None else max(1, known[f"variant:{key}"] + age))
            for key, (count, age) in lines.items()
        }
        asked = [{"variant_id": key, "quantity": count, "version": at} for key, (count, at) in wanted.items()]
        outcome = self.call(
            who,
            "edit_cart",
            lambda model, name: carts.fill(model, who, cart, wanted, name),
            cart_id=cart,
            lines=[{name: value for name, value in line.items() if value is not None} for line in asked],
        )
        if outcome and outcome.status == "completed" and not outcome.replayed:
            self._shows(outcome)

    def reduce(self, data: st.DataObject) -> None:
        (cart, who), code, age = self._cart(data), data.draw(st.sampled_from(sorted(OFFERS))), data.draw(told)
        version = None if age is None else max(1, self.model.get("version", f"offer:{code}") + age)
        self.call(
            who,
            "apply_discount",
            lambda model, _: carts.discount(model, who, cart, code, version),
            cart_id=cart,
            offer_code=code,
            version=version,
        )
        self.look(who, cart)

    def full_price(self, data: st.DataObject) -> None:
        cart, who = self._cart(data)
        code = data.draw(mostly(carts.offers(self.model, cart), ["TEN", "NONE"]))
        self.call(
            who,
            "remove_discount",
            lambda model, _: carts.full_price(model, who, cart, code),
            cart_id=cart,
            offer_code=code,
        )
        self.look(who, cart)

    def new_price(self, data: st.DataObject) -> None:
        """A new price, mostly of what is in a cart; now and then another offer."""
        variant = data.draw(mostly((key.partition("/")[2] for key in sorted(self.model.tables["quantity"])), SOLD))
        price = data.draw(st.sampled_from([1, 555, 899, 1307, 1550]))
        if data.draw(seldom):
            self._new_offer(data.draw(st.sampled_from(["PLUS", "FIVE", "HUGE"])), price)
        self._set("variant", "price", variant, price)
        self.model.tables["price"][variant] = price
        for cart, owner in sorted(self.model.tables["cart"].items()):
            self.look(int(owner[-1]), cart)

    def _new_offer(self, code: str, value: int) -> None:
        self._set("offer", "value", code, value)
        self.model.tables["offer"][code] = self.model.get("offer", code)._replace(value=value)

    def _set(self, table: str, column: str, name: str, value: int) -> None:
        """The shop sets a price or an offer: its row has a new version."""
        self.house.write(f"UPDATE {table} SET {column} = ? WHERE id = ?", value, name)
        self.model.tables["version"][f"{table}:{name}"] += 1

    def _cart(self, data: st.DataObject) -> tuple[str, int]:
        """A cart, and mostly its own customer."""
        cart = data.draw(mostly(sorted(self.model.tables["cart"]), ["cart_none"]))
        return cart, self.caller_for(data, self.model.get("cart", cart))

    def look(self, who: int, cart: str) -> None:
        """The cart as its customer is shown it."""
        outcome = self.house.ask(who, "get_cart", {"cart_id": cart})
        assert (outcome.status == "completed") == carts.mine(self.model, who, cart)
        if outcome.status == "completed":
            self._shows(outcome)

    def _shows(self, outcome: Outcome) -> None:
        data: dict[str, Any] = dict(outcome.data or {})
        cart, money, model = data["id"], self.house.money, self.model
        whole, off = carts.subtotal(model, cart), carts.off(model, cart, carts.offers(model, cart))
        assert (data["subtotal"], data["discount"]) == (money.format(whole), money.format(off))
        assert data["total"] == money.format(whole - off)
        assert 0 <= off <= whole
        shown = {line["variant_id"]: (line["quantity"], line["price_changed"]) for line in data["lines"]}
        held = carts.contents(model, cart)
        assert shown == {key: (count, carts.stale(model, cart, key)) for key, count in held.items()}
