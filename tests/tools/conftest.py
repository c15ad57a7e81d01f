"""The worlds the tools' tests start from."""

from datetime import timedelta

import pytest
from tools.world import NOW, World, customer, method, offer, order, pending, variant

from tillgate.tools.commerce.model import Cart, CartLine, Product


@pytest.fixture
def world() -> World:
    """Ana's shop: two orders, a cart of one shirt, offers of every kind; Bo is somebody else with the same."""
    shirt, cap = variant("v_s"), variant("v_c", price=950, stock=3, title="Cap")
    ana = customer(
        "cus_1",
        method("pm_1"),
        method("pm_gift", "gift_card", balance=500),
        method("pm_credit", "store_credit", balance=0),
    )
    bo = customer("cus_2", method("pm_9", customer_id="cus_2"), first_name="Bo", last_name="Li")
    return World(
        customers=(ana, bo),
        placed=(order("ord_1"), pending("ord_2"), order("ord_9", customer_id="cus_2")),
        carts=(
            Cart("cart_1", "cus_1", (CartLine(shirt, 1, shirt.version),), (), 4),
            Cart("cart_9", "cus_2", (CartLine(shirt, 1, shirt.version),), (), 1),
        ),
        catalogue=(
            Product("p_1", "T-Shirt", "apparel", (shirt, variant("v_m", stock=0))),
            Product("p_2", "Cap", None, (cap,)),
        ),
        on_offer=(
            offer("BIG", minimum=10000),
            offer("FIVE", kind="amount", value=500, stackable=True),
            offer("OVER", ends_at=NOW - timedelta(days=1)),
            offer("PLUS", value=500, stackable=True),
            offer("SOON", starts_at=NOW + timedelta(days=1)),
            offer("WELCOME10", max_uses_per_customer=1),
        ),
    )
