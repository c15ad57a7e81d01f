"""What governed reads of an order, a cart and the catalogue cost as the shop grows, in process, durable audit and all.

    python benchmarks/scale.py                 # 1,000 to 100,000 orders, 200 to 20,000 variants; some two minutes
    python benchmarks/scale.py --quick         # up to 10,000 orders
    python benchmarks/scale.py --svg scale.svg # draws the curve

Every size is measured in the same run; read the ratio of the last column rather than the milliseconds.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tillgate.guards.desk import Caller, Received
from tillgate.guards.gate import Gate
from tillgate.guards.model import Agent, Assurance
from tillgate.guards.outcome import Outcome
from tillgate.guards.policy.load import load_policy
from tillgate.server.app import surfaces, tool_map
from tillgate.server.store.sqlite import SqliteStore
from tillgate.server.world import FixedClock, RandomMinter
from tillgate.tools.shops.embedded.seed import seed

NOW = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = 'policy: scale\nversion: 1\ncurrency: USD\nrules:\n  - {id: all, tools: "*", permit: true}\n'
WORDS = ("Linen", "Wool", "Cotton", "Trail", "Rain", "Winter", "City", "Jacket", "Shirt", "Boot", "Cap", "Tent")
SEARCHES: Mapping[str, Mapping[str, Any]] = {
    "a common word": {"query": "shirt"},
    "two words": {"query": "wool boot"},
    "a rare word": {"query": "00007"},
    "a word nobody uses": {"query": "zzzz"},
    "a category": {"category": "outdoor"},
    "a low price": {"max_price": "5.00"},
    "in stock": {"in_stock": True},
    "everything": {},
    "two letters, nowhere": {"query": "qq"},
}


def shop(orders: int, variants: int) -> dict[str, Any]:
    """A shop file of this size; ten orders and a cart a customer, a refund an order, four variants a product."""
    dice, customers = random.Random(1), max(10, orders // 10)
    return {
        "currency": "USD",
        "customers": [_customer(number) for number in range(customers)],
        "products": [_product(number, dice) for number in range(variants // 4)],
        "offers": [],
        "carts": [_cart(number, number % (variants // 4)) for number in range(customers)],
        "orders": [_order(number, number % customers, number % (variants // 4)) for number in range(orders)],
    }


def _address(number: int) -> dict[str, Any]:
    where = {"city": "Denver", "region": "CO", "postal_code": "80279", "country": "US"}
    return {"line1": f"{number} Main St", "line2": None, **where}


def _customer(number: int) -> dict[str, Any]:
    method = {"id": f"pm_{number}", "kind": "card", "brand": "visa", "last4": "4242", "balance": None}
    return {
        "id": f"cus_{number}", "email": f"c{number}@example.com", "first_name": "A", "last_name": "B", "phone": None,
        "created_at": "2025-01-01T00:00:00Z", "address": _address(number), "address_changed_at": None, "tags": [],
        "payment_methods": [method],
    }  # fmt: skip


def _product(number: int, dice: random.Random) -> dict[str, Any]:
    variants = [
        {
            "id": f"v_{number}_{place}", "options": {"size": size}, "price": f"{dice.randint(5, 200)}.00",
            "cost": None, "stock": dice.randint(0, 5),
        }
        for place, size in enumerate("SMLX")
    ]  # fmt: skip
    title = f"{' '.join(dice.sample(WORDS, 3))} {number:05d}"
    return {
        "id": f"p_{number}", "title": title, "category": dice.choice(["home", "outdoor", "apparel"]),
        "variants": variants,
    }  # fmt: skip


def _cart(customer: int, product: int) -> dict[str, Any]:
    lines = [{"variant_id": f"v_{product}_{place}", "quantity": 1} for place in range(2)]
    return {"id": f"cart_{customer}", "customer_id": f"cus_{customer}", "lines": lines, "offers": []}


def _order(number: int, customer: int, product: int) -> dict[str, Any]:
    line = {"id": f"ord_{number}-1", "variant_id": f"v_{product}_0", "quantity": 1, "unit_price": "10.00"}
    return {
        "id": f"ord_{number}", "customer_id": f"cus_{customer}", "placed_at": "2026-05-20T00:00:00Z",
        "status": "delivered", "delivered_at": "2026-05-25T00:00:00Z", "disputed": False,
        "shipping_address": _address(customer), "lines": [line],
        "payments": [{"id": f"pay_{number}", "method_id": f"pm_{customer}", "amount": "10.00"}],
        "refunds": [
            {"id": f"ref_{number}", "payment_id": f"pay_{number}", "method_id": f"pm_{customer}", "amount": "1.00"},
        ],
        "shipments": [], "note": None,
    }  # fmt: skip


def p50(call: Callable[[int], Outcome], times: int) -> float:
    """The median of one call, in milliseconds. Raises RuntimeError when one is not answered."""
    taken: list[float] = []
    for number in range(times):
        start = time.perf_counter()
        outcome = call(number)
        taken.append(time.perf_counter() - start)
        if outcome.status != "completed":
            raise RuntimeError(f"{outcome.status}: {outcome.reasons}")
    return statistics.median(taken) * 1000


def measured(orders: int, variants: int, times: int) -> dict[str, float]:
    """Median milliseconds by kind of call on a shop of this size."""
    tools = tool_map()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "shop.db", FixedClock(NOW), RandomMinter())
        with store.transaction() as desk:
            seed(desk.sql, json.dumps(shop(orders, variants)), now=NOW)
        gate = Gate(tools, load_policy(POLICY, "scale", surfaces(tools)), store, RandomMinter())
        caller = Caller(Agent("bench", "stdio"), "bench", "talk", "cus_0", Assurance.STEPPED_UP, NOW)
        customers = max(10, orders // 10)

        def ask(tool: str, arguments: Mapping[str, Any]) -> Outcome:
            return gate.handle(Received(tool, arguments, caller))

        own = [f"ord_{number}" for number in range(0, orders, customers)]
        found = {"get_order": p50(lambda n: ask("get_order", {"order_id": own[n % len(own)]}), times)}
        found["get_cart"] = p50(lambda _: ask("get_cart", {"cart_id": "cart_0"}), times)
        for name, arguments in SEARCHES.items():
            found[name] = p50(lambda _, wanted=arguments: ask("search_products", wanted), times)  # type: ignore[misc]
        store.close()
    return found


def curve(sizes: Sequence[int], found: Sequence[Mapping[str, float]]) -> str:
    """The medians as lines over the number of orders, in SVG."""
    most = max(max(row.values()) for row in found)
    across, down = 600 / max(1, len(sizes) - 1), 300 / most
    lines: list[str] = []
    for place, name in enumerate(found[0]):
        points = " ".join(f"{60 + n * across:.0f},{330 - row[name] * down:.0f}" for n, row in enumerate(found))
        colour = f"hsl({place * 36} 60% 40%)"
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines.append(f'<text x="680" y="{30 + place * 18}" fill="{colour}">{name}</text>')
    ticks = "".join(f'<text x="{40 + n * across:.0f}" y="350">{size:,}</text>' for n, size in enumerate(sizes))
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="860" height="370" font-family="sans-serif" font-size="12">'
    scale = f'<text x="5" y="34">{most:.1f} ms</text><text x="5" y="330">0 ms</text><text x="300" y="366">orders</text>'
    return "\n".join([head, *lines, ticks, scale, "</svg>"])


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--svg", type=Path)
    chosen = parser.parse_args()
    sizes = [1_000, 3_000, 10_000] if chosen.quick else [1_000, 10_000, 30_000, 100_000]
    found = [measured(size, size // 5, 60) for size in sizes]
    print(f"{'median ms at orders / variants':34}" + "".join(f"{f'{s:,}/{s // 5:,}':>16}" for s in sizes) + "   ratio")
    for name in found[0]:
        row = [each[name] for each in found]
        print(f"{name:34}" + "".join(f"{value:16.2f}" for value in row) + f"{row[-1] / row[0]:8.2f}")
    if chosen.svg:
        chosen.svg.write_text(curve(sizes, found), "utf-8")


if __name__ == "__main__":
    main()
