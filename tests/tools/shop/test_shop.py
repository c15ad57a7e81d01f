"""One subject sees their own records and the catalogue, and nothing of anybody else."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tillgate.guards.money import currency
from tillgate.tools.shops.embedded.records import SHOP_TABLES
from tillgate.tools.shops.embedded.shop import ShopReader
from tillgate.tools.shops.embedded.sql import Sql
from tillgate.tools.shops.embedded.sqlite import SqliteSql

Seen = Callable[..., ShopReader]
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OWN = {
    "order": "ord_1",
    "order_line": "ord_1-1",
    "transfer": "refund/ref_1",
    "amendment": "ord_1-a1",
    "stock_move": "ord_1-a1/m",
    "shipment": "shp_1",
    "cart": "cart_1",
    "cart_line": "cart_1/v_1",
    "cart_offer": "cart_1/BUNDLE5",
    "customer": "cus_1",
    "payment_method": "pm_1",
}
PUBLIC = {"variant": "v_1", "offer": "BUNDLE5"}


AMENDED = (
    "INSERT INTO amendment VALUES ('main', 'ord_1-a1', 'ord_1', 'items', NULL, '{}', '2026-11-09T00:00:00Z')",
    "INSERT INTO stock_move VALUES ('main', 'ord_1-a1/m', 'v_1', 'ord_1', 1)",
)


def identify(shop: ShopReader, **given: str) -> str | None:
    asked: dict[str, Any] = {"email": None, "first_name": None, "last_name": None, "postal_code": None, **given}
    return shop.identify(**asked)


def search(shop: ShopReader, **given: Any) -> list[tuple[str, list[str]]]:
    asked = {"query": None, "category": None, "max_price": None, "in_stock": None, "limit": 10, **given}
    return [(product.id, [variant.id for variant in product.variants]) for product in shop.search(**asked)]


def test_an_order_comes_with_everything_that_hangs_on_it(seen_by: Seen) -> None:
    order = seen_by("cus_1").order("ord_1")
    assert order is not None
    assert (order.status, order.total, order.captured, order.refunded, order.refundable) == (
        "delivered",
        9600,
        9600,
        1000,
        8600,
    )
    assert order.delivered_at == datetime(2026, 11, 8, tzinfo=UTC)
    assert order.shipping_address.line2 is None
    [line] = order.lines
    assert (line.title, line.product_id, line.options["size"], line.quantity) == ("T-Shirt", "p_1", "M", 2)
    [payment], [refund], [shipment] = order.payments, order.refunds, order.shipments
    assert (payment.method_kind, payment.last4) == ("card", "4242")
    assert (refund.payment_id, refund.lines, refund.created_at) == ("pay_1", {}, None)
    assert (shipment.tracking, shipment.line_ids) == ("TG1", ("ord_1-1",))


@pytest.mark.parametrize("subject", ["cus_2", None, "cus_9"])
def test_somebody_elses_order_and_cart_are_as_if_they_did_not_exist(seen_by: Seen, subject: str | None) -> None:
    shop = seen_by(subject)
    assert shop.order("ord_1") is None
    assert shop.cart("cart_1") is None
    assert shop.order("nothing") is None


@pytest.mark.parametrize("kind", sorted(SHOP_TABLES))
def test_an_entity_is_shown_to_its_owner_only(seen_by: Seen, sql: Sql, kind: str) -> None:
    for statement in AMENDED:
        sql.run(statement)
    record_id = {**OWN, **PUBLIC}[kind]
    mine = seen_by("cus_1").entity(f"{kind}:{record_id}")
    assert mine is not None
    assert mine["id"] == record_id
    assert "version" not in mine
    assert "words" not in mine
    for other in (seen_by("cus_2"), seen_by(None)):
        assert (other.entity(f"{kind}:{record_id}") is not None) == (kind in PUBLIC)
    if SHOP_TABLES[kind].versioned:
        assert seen_by("cus_1").version(f"{kind}:{record_id}") == 1
        assert (seen_by("cus_2").version(f"{kind}:{record_id}") is not None) == (kind in PUBLIC)


def test_a_kind_the_shop_does_not_have_is_a_programming_error(seen_by: Seen) -> None:
    with pytest.raises(ValueError, match="kind of record"):
        seen_by("cus_1").entity("ledger:1")


def test_the_same_statements_answer_for_a_foreign_and_an_unknown_id(seen_by: Seen, sql: Sql) -> None:
    heard: list[str] = []
    shop = seen_by("cus_2")
    assert isinstance(sql, SqliteSql)

    def statements(ask: Callable[[str], object], record_id: str) -> list[str]:
        heard.clear()
        sql.connection.set_trace_callback(heard.append)
        assert ask(record_id) is None
        sql.connection.set_trace_callback(None)
        return [statement.replace(record_id, "ID") for statement in heard]

    for ask, foreign in ((shop.order, "ord_1"), (shop.cart, "cart_1")):
        assert statements(ask, foreign) == statements(ask, "nothing") != []
    for kind, foreign in OWN.items():
        found = statements(shop.entity, f"{kind}:{foreign}")
        assert len(found) == len(statements(shop.entity, f"{kind}:nothing")) == 1


def test_orders_are_the_subjects_own_newest_first(seen_by: Seen) -> None:
    shop = seen_by("cus_1")
    assert [order.id for order in shop.orders(status=None, limit=10)] == ["ord_2", "ord_1", "ord_3"]
    assert [order.id for order in shop.orders(status="delivered", limit=10)] == ["ord_1"]
    assert [order.id for order in shop.orders(status=None, limit=1)] == ["ord_2"]
    assert shop.orders(status=None, limit=10)[1] == shop.order("ord_1")
    assert seen_by(None).orders(status=None, limit=10) == ()


def test_a_customers_figures_count_their_own_past_only(seen_by: Seen) -> None:
    customer = seen_by("cus_1").customer()
    assert customer is not None
    assert (customer.orders, customer.disputes, customer.returned_orders) == (3, 1, 1)
    assert (customer.refunds_30d, customer.refunded_30d) == (1, 1000)
    assert [method.id for method in customer.payment_methods] == ["pm_1", "pm_1g"]
    assert customer.address.postal_code == "80203"
    other = seen_by("cus_2").customer()
    assert other is not None
    assert (other.orders, other.refunds_30d, other.refunded_30d, other.returned_orders, other.disputes) == (
        1,
        0,
        0,
        0,
        0,
    )


@pytest.mark.parametrize(("days", "counted"), [(29, 1), (30, 1), (31, 0)])
def test_a_refund_without_a_date_counts_from_the_delivery(seen_by: Seen, days: int, counted: int) -> None:
    delivered = datetime(2026, 11, 8, tzinfo=UTC)
    customer = seen_by("cus_1", now=delivered + timedelta(days=days)).customer()
    assert customer is not None
    assert customer.refunds_30d == counted


def test_a_refund_with_a_date_counts_from_that_date(seen_by: Seen, sql: Sql) -> None:
    sql.run("DROP TRIGGER transfer_unchanged")  # a shop of the past, which no plan could write
    sql.run("UPDATE transfer SET created_at = '2026-11-22T00:00:00Z' WHERE id = 'refund/ref_3'")
    customer = seen_by("cus_1").customer()
    assert customer is not None
    assert (customer.refunds_30d, customer.refunded_30d) == (2, 10_600)
    sql.run("UPDATE transfer SET created_at = '2026-11-07T00:00:00Z' WHERE id = 'refund/ref_1'")
    customer = seen_by("cus_1").customer()
    assert customer is not None
    assert customer.returned_orders == 0


def test_a_cart_is_priced_from_the_catalogue(seen_by: Seen) -> None:
    cart = seen_by("cus_1").cart("cart_1")
    assert cart is not None
    assert (cart.subtotal, cart.discount, cart.total, cart.items) == (6700, 335, 6365, 3)
    assert [offer.code for offer in cart.offers] == ["BUNDLE5"]
    assert cart.sums.margin_percent is None


def test_an_anonymous_cart_belongs_to_its_conversation(seen_by: Seen, sql: Sql) -> None:
    row = "'main', 'cart_a', 'talk', '2026-11-23T10:00:00Z'"
    sql.run(f"INSERT INTO cart (shop, id, conversation, created_at) VALUES ({row})")
    assert seen_by(None, "talk").cart("cart_a") is not None
    assert seen_by(None, "other").cart("cart_a") is None
    assert seen_by("cus_1", "talk").cart("cart_a") is not None
    sql.run("UPDATE cart SET customer_id = 'cus_2' WHERE id = 'cart_a'")
    assert seen_by(None, "talk").cart("cart_a") is None
    assert seen_by("cus_1", "talk").cart("cart_a") is None
    assert seen_by("cus_2", "other").cart("cart_a") is not None


def test_offer_uses_count_the_subjects_other_carts(seen_by: Seen, sql: Sql) -> None:
    shop = seen_by("cus_1")
    assert shop.offer_uses("BUNDLE5", besides_cart=None) == 1
    assert shop.offer_uses("BUNDLE5", besides_cart="cart_1") == 0
    assert shop.offer_uses("BUNDLE5", besides_cart="cart_2") == 1
    assert shop.offer_uses("WELCOME10", besides_cart=None) == 0
    assert seen_by(None).offer_uses("BUNDLE5", besides_cart=None) == 0


def test_offers_are_listed_by_code_and_found_exactly(seen_by: Seen) -> None:
    shop = seen_by(None)
    assert [offer.code for offer in shop.offers()] == ["BUNDLE5", "WELCOME10"]
    offer = shop.offer("WELCOME10")
    assert offer is not None
    assert (offer.kind, offer.value, offer.stackable) == ("percent", 1000, False)
    assert shop.offer("welcome10") is None


@pytest.mark.parametrize(
    "given",
    [
        {"email": " PERSON1@Example.com "},
        {"first_name": "ana", "last_name": "DÍAZ", "postal_code": "80203"},
        {"first_name": " Ana ", "last_name": "Di\u0301az", "postal_code": " 80203 "},
        {"email": "person1@example.com", "first_name": "ANA"},
    ],
)
def test_a_customer_is_matched_whatever_the_case(seen_by: Seen, given: dict[str, str]) -> None:
    assert identify(seen_by(None), **given) == "cus_1"


@pytest.mark.parametrize(
    "given",
    [
        {"email": "nobody@example.com"},
        {"email": "%"},
        {"email": ""},
        {},
        {"first_name": "Ana", "last_name": "Díaz"},
        {"postal_code": "80203"},
        {"first_name": "Ana", "last_name": "Díaz", "postal_code": "80204"},
        {"first_name": "Ana", "last_name": "Diaz", "postal_code": "80203"},
        {"email": "person1@example.com", "first_name": "Ivo"},
    ],
)
def test_a_near_miss_identifies_nobody(seen_by: Seen, given: dict[str, str]) -> None:
    assert identify(seen_by(None), **given) is None


def test_two_people_who_match_identify_nobody(seen_by: Seen, sql: Sql) -> None:
    sql.run("UPDATE customer SET first_name = 'ANA' WHERE id = 'cus_2'")
    assert identify(seen_by(None), first_name="Ana", last_name="Díaz", postal_code="80203") is None
    assert identify(seen_by(None), email="person2@example.com") == "cus_2"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"query": "shirt"}, [("p_1", ["v_1", "v_2"])]),
        ({"query": "SHIRT l"}, [("p_1", ["v_1", "v_2"])]),
        ({"query": "apparel grösse"}, [("p_1", ["v_1", "v_2"])]),
        ({"query": "GRÖSSE%rot becher"}, [("p_2", ["v_3"])]),
        ({"query": "t_shirt"}, []),
        ({"query": "gr%rot"}, []),
        ({"query": "%"}, [("p_2", ["v_3"]), ("p_1", ["v_1", "v_2"])]),
        ({"query": "_"}, []),
        ({"query": "\\"}, []),
        ({"query": "shirt mug"}, []),
        ({"query": "   "}, [("p_2", ["v_3"]), ("p_1", ["v_1", "v_2"])]),
        ({"category": "Apparel"}, [("p_1", ["v_1", "v_2"])]),
        ({"category": "app"}, []),
        ({"max_price": 4800}, [("p_2", ["v_3"]), ("p_1", ["v_1"])]),
        ({"in_stock": True}, [("p_2", ["v_3"]), ("p_1", ["v_1"])]),
        ({"in_stock": False}, [("p_1", ["v_2"])]),
        ({"limit": 1}, [("p_2", ["v_3"])]),
        ({"limit": 0}, []),
    ],
)
def test_search_lists_products_by_title_with_only_the_variants_that_match(
    seen_by: Seen, given: dict[str, Any], found: list[tuple[str, list[str]]]
) -> None:
    assert search(seen_by(None), **given) == found


def test_a_product_shows_every_variant_and_a_list_of_variants_leaves_out_the_unknown(seen_by: Seen) -> None:
    shop = seen_by(None)
    shirt, bare = shop.product("p_1"), shop.product("p_3")
    assert shirt is not None
    assert bare is not None
    assert [(variant.id, variant.price, variant.stock) for variant in shirt.variants] == [
        ("v_1", 4800, 5),
        ("v_2", 5000, 0),
    ]
    assert (bare.title, bare.variants) == ("Nothing Yet", ())
    assert shop.product("p_9") is None
    assert set(shop.variants(["v_1", "v_9", "v_3", "v_1"])) == {"v_1", "v_3"}
    assert shop.variants([]) == {}


def test_the_view_is_of_one_instant_in_one_currency(seen_by: Seen) -> None:
    shop = seen_by(None)
    assert (shop.now, shop.currency) == (NOW, currency("USD"))


def test_an_order_is_read_in_well_under_a_millisecond(seen_by: Seen) -> None:
    shop = seen_by("cus_1")
    shop.order("ord_1")
    spans: list[float] = []
    for _ in range(50):
        start = time.perf_counter()
        shop.order("ord_1")
        spans.append(time.perf_counter() - start)
    assert sorted(spans)[10] < 0.001
