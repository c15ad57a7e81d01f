"""Random journeys of every changing tool, with people, second thoughts and trouble, beside the model."""

from typing import Any

from hypothesis.stateful import invariant
from ledger.cart_rules import Carts
from ledger.order_rules import Orders
from ledger.trouble_rules import Trouble

from tillgate.server.store.log import unrecorded

PLAYED = frozenset(
    {
        "apply_discount", "cancel_order", "change_order_items", "change_payment_method", "edit_cart", "exchange_items",
        "issue_refund", "remove_discount", "request_human", "return_items", "undo_action", "update_address",
        "withdraw_request",
    }
)  # fmt: skip
"""The tools a journey calls."""

_BALANCES = """
SELECT m.id FROM payment_method m JOIN transfer t ON t.method_id = m.id
WHERE m.kind IN ('gift_card', 'store_credit') AND (t.kind != 'refund' OR t.settles_at IS NOT NULL)
GROUP BY m.id HAVING sum(CASE WHEN t.kind IN ('refund', 'credit') THEN t.amount ELSE -t.amount END) < 0
"""
_OVERPAID = """
SELECT {by} FROM transfer t LEFT JOIN transfer p ON p.id = t.payment_id WHERE t.order_id IS NOT NULL
GROUP BY {by} HAVING sum(CASE WHEN t.kind = 'payment' THEN t.amount ELSE -t.amount END) < 0
"""
_LOST = """
SELECT coalesce(sum(value), 0) FROM (
  SELECT amount AS value FROM transfer WHERE target IS NOT NULL
  UNION ALL SELECT -amount FROM transfer WHERE source IS NOT NULL)
"""
_BROKEN = {
    "a balance below nothing": _BALANCES,
    "an order gave back more than it captured": _OVERPAID.format(by="t.order_id"),
    "a method got back more than it paid": _OVERPAID.format(by="t.order_id, coalesce(p.method_id, t.method_id)"),
    "a payment gave back more than it brought": _OVERPAID.format(by="coalesce(p.id, t.id)"),
    "a transfer from or to nowhere": "SELECT id FROM transfer WHERE source IS NULL OR target IS NULL",
    "money made or lost": f"SELECT 1 WHERE ({_LOST}) != 0",
    "stock below nothing": "SELECT id FROM variant WHERE stock < 0",
    "a line below nothing": "SELECT id FROM order_line WHERE unit_price * quantity < discount",
    "a refund of a payment for another order": "SELECT r.id FROM transfer r JOIN transfer p ON p.id = r.payment_id"
    " WHERE p.order_id != r.order_id",
    "a payment by the method of a stranger": "SELECT t.id FROM transfer t JOIN orders o ON o.id = t.order_id"
    " JOIN payment_method m ON m.id = t.method_id WHERE m.customer_id != o.customer_id",
}
_ALL_BROKEN = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS ({sql})" for name, sql in _BROKEN.items())


class Counter(Orders, Carts, Trouble):
    """The gate and its store on one side, the model on the other."""

    def teardown(self) -> None:
        try:
            for house in self.houses.values():
                with house.store.reading() as desk:
                    assert unrecorded(desk.sql) == []
        finally:
            super().teardown()

    @invariant()
    def nothing_happened(self) -> None:
        """The store says what the model says."""
        found, told = self.house.entries(), self.model.tables
        assert {kind: _there(table) for kind, table in found.items()} == {kind: _there(told[kind]) for kind in found}

    @invariant()
    def no_rule_of_money_and_goods_is_broken(self) -> None:
        assert self.house.rows(_ALL_BROKEN) == []


def _there(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value not in (None, 0)}
