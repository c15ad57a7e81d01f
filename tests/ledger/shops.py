"""Two shops that sell the same under the same ids, in money with cents and in money without, and the policy of both."""

from typing import Any

from tillgate.guards.money import Currency

CENTS = Currency("USD", 2)
WHOLE = Currency("JPY", 0)
LARGE = 600
FOUR_EYES = 1800
ENOUGH = 2

METHODS = {
    1: {"card": "card", "paypal": "paypal", "gift": "gift_card", "credit": "store_credit"},
    2: {"card_2": "card", "paypal_2": "paypal", "gift_2": "gift_card"},
}
HELD = {"gift": 500, "credit": 0, "gift_2": 2400}
VARIANTS = {
    "p_1": {"v_a": (1001, 3), "v_b": (1307, 4), "v_c": (899, 1)},
    "p_2": {"w_a": (555, 2), "w_b": (700, 3)},
}
ORDERS: dict[str, tuple[int, str, list[tuple[str, int]], list[tuple[str, int]]]] = {
    "o_p1": (1, "pending", [("v_a", 2)], [("card", 2002)]),
    "o_p2": (1, "pending", [("v_a", 1), ("v_c", 1)], [("gift", 500), ("card", 1300)]),
    "o_p3": (1, "pending", [("v_b", 1), ("w_b", 1)], [("paypal", 2007)]),
    "o_d1": (1, "delivered", [("v_a", 2), ("w_a", 1)], [("card", 2857)]),
    "o_d2": (1, "delivered", [("v_a", 1), ("v_b", 1)], [("paypal", 1001), ("gift", 1307)]),
    "o_d3": (1, "delivered", [("v_a", 1), ("v_a", 1)], [("credit", 900), ("card", 1102)]),
    "o_q1": (2, "pending", [("v_a", 1), ("v_b", 1)], [("card_2", 2308)]),
    "o_q2": (2, "delivered", [("w_a", 3)], [("gift_2", 1000), ("card_2", 600)]),
}
OFFERS = {
    "TEN": ("percent", 1000, 0, False, 1, None),
    "PLUS": ("percent", 1250, 0, True, 2, None),
    "FIVE": ("amount", 500, 1200, True, 2, None),
    "HUGE": ("amount", 9900, 0, True, 1, None),
    "SOON": ("percent", 5000, 0, True, 2, "2026-06-01T12:45:00Z"),
}
ADDRESSES = [
    {
        "line1": f"{number} Main St",
        "line2": None,
        "city": "Denver",
        "region": "CO",
        "postal_code": "80279",
        "country": "US",
    }
    for number in (1, 2, 3)
]
CONFIRMED = frozenset({"cancel_order", "change_payment_method", "update_address"})
LARGE_ONES = frozenset({"issue_refund", "exchange_items", "undo_action", "apply_discount"})
WATCHED = frozenset({"issue_refund", "exchange_items"})

_POLICY = """
policy: machine
version: 1
currency: {code}
rules:
  - {{id: all, tools: "*", permit: true}}
  - {{id: ask, tools: [{confirmed}], confirm: agent}}
  - {{id: large, tools: [{large_ones}], when: "impact.amount > money('{large}')", escalate: {{queue: refunds, expires: 2h}}}}
  - {{id: watched, tools: [{watched}], when: "args.order_id == 'o_d2'", escalate: {{queue: refunds, expires: 2h}}}}
  - {{id: enough, tools: [apply_discount], when: "size(cart.offers) >= {enough}", deny: enough_off, message: "Enough."}}
context:
  edit_cart: {{anonymous: [id, subtotal, discount, total, "lines[].variant_id", "lines[].quantity", "lines[].price_changed"]}}
  get_cart: {{anonymous: [id, subtotal, discount, total, "lines[].variant_id", "lines[].quantity", "lines[].price_changed"]}}
  check_request: {{anonymous: [status]}}
queues:
  refunds: {{reviewers: [desk], four_eyes_over: "{four_eyes}"}}
  support: {{reviewers: [desk]}}
"""  # noqa: E501


def policy_text(money: Currency) -> str:
    """The policy of a shop: large sums and one order need people, no third offer goes on a cart."""
    return _POLICY.format(
        code=money.code,
        confirmed=", ".join(sorted(CONFIRMED)),
        large_ones=", ".join(sorted(LARGE_ONES)),
        watched=", ".join(sorted(WATCHED)),
        large=money.format(LARGE),
        four_eyes=money.format(FOUR_EYES),
        enough=ENOUGH,
    )


def shop_file(money: Currency) -> dict[str, Any]:
    """Two customers: one with every kind of method, one without store credit; orders of one line and of several."""
    return {
        "currency": money.code,
        "customers": [_customer(number, money) for number in METHODS],
        "products": [
            {"id": product, "title": product, "category": None, "variants": _variants(sold, money)}
            for product, sold in VARIANTS.items()
        ],
        "offers": [_offer(code, money) for code in OFFERS],
        "carts": [_cart(number) for number in METHODS],
        "orders": [_order(order, money) for order in ORDERS],
    }  # fmt: skip


def _cart(number: int) -> dict[str, Any]:
    lines = [{"variant_id": "v_a", "quantity": 1}]
    return {"id": f"cart_{number}", "customer_id": f"cus_{number}", "lines": lines, "offers": []}


def _customer(number: int, money: Currency) -> dict[str, Any]:
    return {
        "id": f"cus_{number}", "email": f"c{number}@example.com", "first_name": "A", "last_name": "B", "phone": None,
        "created_at": "2025-01-01T00:00:00Z", "address": ADDRESSES[0], "address_changed_at": None, "tags": [],
        "payment_methods": [
            {
                "id": key, "kind": kind, "brand": None, "last4": None,
                "balance": money.format(HELD[key]) if key in HELD else None,
            }
            for key, kind in METHODS[number].items()
        ],
    }  # fmt: skip


def _variants(sold: dict[str, tuple[int, int]], money: Currency) -> list[dict[str, Any]]:
    return [
        {"id": key, "options": {"size": key}, "price": money.format(price), "cost": None, "stock": stock}
        for key, (price, stock) in sold.items()
    ]


def _offer(code: str, money: Currency) -> dict[str, Any]:
    kind, value, minimum, stackable, most, ends = OFFERS[code]
    return {
        "code": code, "kind": kind, "value": CENTS.format(value) if kind == "percent" else money.format(value),
        "minimum": money.format(minimum), "starts_at": None, "ends_at": ends, "stackable": stackable,
        "max_uses_per_customer": most, "tags": [],
    }  # fmt: skip


def _order(order: str, money: Currency) -> dict[str, Any]:
    owner, status, lines, paid = ORDERS[order]
    prices = {key: price for sold in VARIANTS.values() for key, (price, _) in sold.items()}
    return {
        "id": order, "customer_id": f"cus_{owner}", "placed_at": "2026-05-20T00:00:00Z", "status": status,
        "delivered_at": "2026-05-25T00:00:00Z" if status == "delivered" else None, "disputed": False,
        "shipping_address": ADDRESSES[0],
        "lines": [
            {"id": f"{order}-{n}", "variant_id": key, "quantity": count, "unit_price": money.format(prices[key])}
            for n, (key, count) in enumerate(lines, 1)
        ],
        "payments": [
            {"id": f"{order}-p{n}", "method_id": method, "amount": money.format(amount)}
            for n, (method, amount) in enumerate(paid, 1)
        ],
        "refunds": [], "shipments": [], "note": None,
    }  # fmt: skip
