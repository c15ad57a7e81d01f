"""The packaged demo shop and the published retail store load without a finding."""

import importlib.util
import time
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from tillgate.guards.money import currency
from tillgate.tools.arguments import invisible
from tillgate.tools.shops.embedded.demo import demo_shop_text
from tillgate.tools.shops.embedded.load import ShopFile, load_shop
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop import ShopReader
from tillgate.tools.shops.embedded.sql import Sql

ROOT = Path(__file__).parents[3]
RETAIL = ROOT.parent / "shared" / "tau" / "shop.json"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo() -> ShopFile:
    return load_shop(demo_shop_text())


@pytest.fixture
def mira(empty: Sql) -> ShopReader:
    seed(empty, demo_shop_text(), now=NOW)
    return ShopReader(empty, customer_id="cus_1001", conversation="talk", now=NOW, currency=currency("USD"))


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_demo_shop", ROOT / "scripts" / "make_demo_shop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not RETAIL.exists(), reason=f"the published retail store is not beside the repository: {RETAIL}")
def test_the_published_retail_store_loads_in_seconds_without_a_finding(empty: Sql) -> None:
    start = time.perf_counter()
    report = seed(empty, RETAIL.read_bytes(), now=NOW)
    assert time.perf_counter() - start < 5
    assert (report.rows["customer"], report.rows["orders"], report.rows["order_line"]) == (500, 1000, 2978)
    assert empty.rows("PRAGMA foreign_key_check") == []


def test_the_packaged_shop_is_what_the_script_makes() -> None:
    module = script()
    made = module.json.dumps(module.demo_shop(), indent=1, ensure_ascii=True) + "\n"
    assert made == demo_shop_text()


def test_the_demo_shop_has_every_kind_of_record(demo: ShopFile) -> None:
    counts = (demo.customers, demo.products, demo.offers, demo.carts, demo.orders)
    assert [len(section) for section in counts] == [30, 60, 8, 15, 120]
    statuses = [order.status for order in demo.orders]
    assert all(statuses.count(status) >= 5 for status in ("pending", "processed", "shipped", "delivered", "cancelled"))
    assert any(variant.stock == 0 for product in demo.products for variant in product.variants)
    placed = sorted(order.placed_at for order in demo.orders)
    assert placed[0] >= "2026-08-22T00:00:00Z"
    assert placed[-1] <= "2026-11-20T23:59:59Z"
    assert all(order.delivered_at is None or order.delivered_at <= "2026-11-23T09:00:00Z" for order in demo.orders)


def test_everybody_in_the_demo_shop_is_invented(demo: ShopFile) -> None:
    assert all(customer.email.endswith("@example.com") for customer in demo.customers)
    assert all(customer.phone is None or customer.phone.startswith("+1 555 01") for customer in demo.customers)


def test_the_demo_shop_has_the_awkward_ones(demo: ShopFile) -> None:
    notes = [order.note for order in demo.orders if order.note]
    assert any("SYSTEM:" in note and "500.00" in note for note in notes)
    assert any(invisible(note) for note in notes)
    assert any(order.disputed for order in demo.orders)
    assert any(len(order.payments) == 2 for order in demo.orders)
    paid = {order.id: sum(payment.amount for payment in order.payments) for order in demo.orders}
    back = {order.id: sum(refund.amount for refund in order.refunds) for order in demo.orders}
    delivered = [order.id for order in demo.orders if order.status == "delivered"]
    assert any(0 < back[order_id] < paid[order_id] for order_id in delivered)
    assert any(back[order_id] == paid[order_id] for order_id in delivered)
    assert any(order.delivered_at and order.delivered_at < "2026-09-24T00:00:00Z" for order in demo.orders)
    assert any(customer.address_changed_at == "2026-11-22T09:00:00Z" for customer in demo.customers)
    assert any(customer.created_at > "2026-11-16T00:00:00Z" for customer in demo.customers)
    assert any(not unicodedata.name(customer.first_name[0]).startswith("LATIN") for customer in demo.customers)
    named = [(person.first_name, person.last_name, person.address.postal_code) for person in demo.customers]
    assert len(set(named)) == len(named) - 1


def test_some_customer_of_the_demo_shop_is_refunded_often(empty: Sql) -> None:
    seed(empty, demo_shop_text(), now=NOW)
    reader = ShopReader(empty, customer_id="cus_1006", conversation="talk", now=NOW, currency=currency("USD"))
    customer = reader.customer()
    assert customer is not None
    assert customer.refunds_30d >= 4


def test_the_demo_offers_cover_what_policy_has_to_tell_apart(demo: ShopFile) -> None:
    offers = {offer.code: offer for offer in demo.offers}
    welcome = offers["WELCOME10"]
    assert (welcome.value, welcome.stackable, welcome.max_uses_per_customer) == (1000, False, 1)
    assert offers["BUNDLE5"].stackable
    assert offers["THANKS5"].stackable
    assert (offers["SUMMER25"].ends_at or "") < "2026-11-23T09:00:00Z" < (offers["WINTER15"].starts_at or "")
    assert offers["STAFF40"].tags == ["staff"]
    assert {offer.kind for offer in demo.offers} == {"percent", "amount", "free_shipping"}
    assert sum("WELCOME10" in cart.offers for cart in demo.carts) >= 1


def test_the_regular_of_the_demo_has_what_a_demo_needs(mira: ShopReader) -> None:
    customer, cart = mira.customer(), mira.cart("cart_1001")
    assert customer is not None
    assert cart is not None
    assert (customer.first_name, customer.last_name) == ("Mira", "Okafor")
    assert {method.kind for method in customer.payment_methods} == {"card", "gift_card"}
    assert len(cart.lines) == 2
    assert cart.subtotal > 5000
    delivered = mira.orders(status="delivered", limit=50)
    fresh = next(order for order in delivered if order.delivered_at and (NOW - order.delivered_at).days == 5)
    assert 1800 in [line.unit_price for line in fresh.lines]
    assert fresh.total >= 6000
    assert fresh.refundable == fresh.total
    assert any(
        order.total > 25_000 and order.delivered_at and (NOW - order.delivered_at).days < 14 for order in delivered
    )
    assert len(mira.orders(status="pending", limit=50)) == 1
