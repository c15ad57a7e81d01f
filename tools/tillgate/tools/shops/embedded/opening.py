"""A shop file as opening entries of the ledger: payments, refunds, what was on gift cards before, and line prices.

A file says what is on a gift card now; the ledger works that out. So each card opens with what it must have held.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tillgate.tools.commerce.allocating import allocate
from tillgate.tools.commerce.model import BALANCES
from tillgate.tools.shops.embedded.load import ShopFile
from tillgate.tools.shops.embedded.shop_file import OrderEntry


def order_lines(order: OrderEntry) -> Iterator[Mapping[str, Any]]:
    """The lines as they were paid for: less was captured than they cost, a discount; more, a charge beside them."""
    amounts = [line.unit_price * line.quantity for line in order.lines]
    over = sum(payment.amount for payment in order.payments) - sum(amounts) if order.payments else 0
    discounts = allocate(max(0, -over), amounts)
    for line, discount in zip(order.lines, discounts, strict=True):
        yield {"order_id": order.id, **line.model_dump(), "discount": discount}
    if over > 0:
        charge = {"id": f"{order.id}:charges", "variant_id": None, "quantity": 1, "unit_price": over}
        yield {"order_id": order.id, **charge, "discount": 0}


def transfers(shop: ShopFile, now: str) -> Iterator[Mapping[str, Any]]:
    """Every movement of money the file tells of, the opening balances first."""
    moved = [row for order in shop.orders for row in _of_order(order, now)]
    into: defaultdict[str, int] = defaultdict(int)
    for row in moved:
        into[row["method_id"]] += row["amount"] if row["kind"] == "refund" else -row["amount"]
    for customer in shop.customers:
        for method in customer.payment_methods:
            held = (method.balance or 0) - into[method.id]
            if method.kind in BALANCES and held:
                yield _row("credit" if held > 0 else "debit", method.id, method.id, abs(held), "opening", now)
    yield from moved


def _of_order(order: OrderEntry, now: str) -> Iterator[Mapping[str, Any]]:
    for payment in order.payments:
        row = _row("payment", payment.id, payment.method_id, payment.amount, "order", now)
        yield {**row, "order_id": order.id, "created_at": order.placed_at}
    for refund in order.refunds:
        row = _row("refund", refund.id, refund.method_id, refund.amount, "refund", now)
        yield {**row, "order_id": order.id, "payment_id": f"payment/{refund.payment_id}"}


def _row(kind: str, name: str, method_id: str, amount: int, cause: str, now: str) -> dict[str, Any]:
    return {
        "id": f"{kind}/{name}",
        "kind": kind,
        "order_id": None,
        "method_id": method_id,
        "payment_id": None,
        "amount": amount,
        "cause": cause,
        "reason": None,
        "lines": "{}",
        "created_at": None,
        "settles_at": now,
    }
