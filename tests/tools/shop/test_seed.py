"""A shop file is taken whole or refused whole, with every finding at its path."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tillgate.guards.errors import SeedError
from tillgate.tools.shops.embedded.engine import dbapi as sqlite3
from tillgate.tools.shops.embedded.load import load_shop
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop import shop_currency
from tillgate.tools.shops.embedded.sql import Sql
from tillgate.tools.shops.embedded.strict_json import MOST_BYTES

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
Contents = Callable[[Sql], dict[str, list[tuple[Any, ...]]]]
World = dict[str, Any]
Spoil = Callable[[World], object]


def findings(text: bytes | str) -> list[str]:
    with pytest.raises(SeedError) as refused:
        load_shop(text)
    assert refused.value.findings
    return refused.value.findings


def paths(found: list[str]) -> list[str]:
    return [line.partition(": ")[0] for line in found]


def put(*steps: Any) -> Spoil:
    """Set the value at a path; `...` as the value removes it."""
    *way, last, value = steps

    def spoil(world: World) -> None:
        node: Any = world
        for step in way:
            node = node[step]
        if value is ...:
            del node[last]
        else:
            node[last] = value

    return spoil


def add(section: str, **changed: Any) -> Spoil:
    """Add the section's first entry once more, changed."""
    return lambda world: world[section].append({**world[section][0], **changed})


def test_a_file_without_a_finding_fills_the_shop(empty: Sql, world: World) -> None:
    report = seed(empty, json.dumps(world), now=NOW)
    assert (report.currency, report.rows["orders"], report.rows["variant"], report.rows["transfer"]) == ("USD", 4, 3, 7)
    assert shop_currency(empty) is not None
    row = empty.row("SELECT * FROM shop")
    assert row is not None
    assert (row["seeded_at"], row["digest"]) == ("2026-11-23T09:00:00Z", report.digest)


def test_an_unfilled_shop_has_no_currency(empty: Sql) -> None:
    assert shop_currency(empty) is None


SPOILT: list[tuple[Spoil, str]] = [
    (put("currency", "usd"), "currency"),
    (put("currency", 840), "currency"),
    (put("currency", ...), "currency"),
    (put("discounts", []), "discounts"),
    (put("orders", {}), "orders"),
    (put("carts", ...), "carts"),
    (put("carts", None), "carts"),
    (put("customers", 0, "id", "cus 1"), "customers[0].id"),
    (put("customers", 0, "id", "cus_1\u200b"), "customers[0].id"),
    (put("customers", 0, "id", "cus_1\n"), "customers[0].id"),
    (put("customers", 0, "id", "сus_1"), "customers[0].id"),
    (put("customers", 0, "id", "x" * 65), "customers[0].id"),
    (put("customers", 0, "id", "_x"), "customers[0].id"),
    (put("customers", 0, "id", 1), "customers[0].id"),
    (put("customers", 0, "email", "person.example.com"), "customers[0].email"),
    (put("customers", 0, "email", "a@b\r\nBcc: c@d"), "customers[0].email"),
    (put("customers", 1, "email", "PERSON1@EXAMPLE.COM"), "customers[1].email"),
    (put("customers", 0, "email", None), "customers[0].email"),
    (put("customers", 0, "phone", ...), "customers[0].phone"),
    (put("customers", 0, "first_name", " "), "customers[0].first_name"),
    (put("customers", 0, "last_name", "a\x00"), "customers[0].last_name"),
    (put("customers", 0, "created_at", "2026-01-05T00:00:00"), "customers[0].created_at"),
    (put("customers", 0, "created_at", "2026-01-05"), "customers[0].created_at"),
    (put("customers", 0, "created_at", "2026-13-05T00:00:00Z"), "customers[0].created_at"),
    (put("customers", 0, "created_at", "0001-01-01T00:00:00+01:00"), "customers[0].created_at"),
    (put("customers", 0, "created_at", "２026-01-05T00:00:00Z"), "customers[0].created_at"),
    (put("customers", 0, "created_at", 1767225600), "customers[0].created_at"),
    (put("customers", 0, "address", {}), "customers[0].address.city"),
    (put("customers", 0, "address", "country", "USA"), "customers[0].address.country"),
    (put("customers", 0, "tags", "staff"), "customers[0].tags"),
    (put("customers", 0, "payment_methods", 0, "last4", "4111111111111111"), "customers[0].payment_methods[0].last4"),
    (put("customers", 0, "payment_methods", 0, "last4", "４242"), "customers[0].payment_methods[0].last4"),
    (put("customers", 0, "payment_methods", 0, "number", "4111"), "customers[0].payment_methods[0].number"),
    (put("customers", 0, "payment_methods", 0, "kind", "cash"), "customers[0].payment_methods[0].kind"),
    (put("customers", 0, "payment_methods", 1, "balance", "-1.00"), "customers[0].payment_methods[1].balance"),
    (put("customers", 1, "payment_methods", 0, "id", "pm_1"), "customers[1].payment_methods[0].id"),
    (put("products", 0, "variants", 0, "price", 48.0), "products[0].variants[0].price"),
    (put("products", 0, "variants", 0, "price", 48), "products[0].variants[0].price"),
    (put("products", 0, "variants", 0, "price", "48.000"), "products[0].variants[0].price"),
    (put("products", 0, "variants", 0, "price", "1e2"), "products[0].variants[0].price"),
    (put("products", 0, "variants", 0, "price", "NaN"), "products[0].variants[0].price"),
    (put("products", 0, "variants", 0, "price", None), "products[0].variants[0].price"),
    (put("products", 0, "variants", 0, "price", float("nan")), "products[0].variants[0].price"),
    (put("products", 0, "variants", 0, "stock", -1), "products[0].variants[0].stock"),
    (put("products", 0, "variants", 0, "stock", True), "products[0].variants[0].stock"),
    (put("products", 0, "variants", 0, "stock", "5"), "products[0].variants[0].stock"),
    (put("products", 0, "variants", 0, "options", {"size": 3}), "products[0].variants[0].options.size"),
    (put("products", 1, "variants", 0, "id", "v_1"), "products[1].variants[0].id"),
    (put("products", 1, "id", "p_1"), "products[1].id"),
    (put("offers", 0, "value", "0"), "offers[0].value"),
    (put("offers", 0, "value", "100.01"), "offers[0].value"),
    (put("offers", 0, "value", 10), "offers[0].value"),
    (put("offers", 0, "kind", "bogus"), "offers[0].kind"),
    (put("offers", 0, "stackable", 1), "offers[0].stackable"),
    (put("offers", 0, "max_uses_per_customer", 0), "offers[0].max_uses_per_customer"),
    (put("offers", 0, "max_uses_per_customer", None), "offers[0].max_uses_per_customer"),
    (put("offers", 0, "code", "5 %"), "offers[0].code"),
    (put("offers", 1, "code", "BUNDLE5"), "offers[1].code"),
    (put("carts", 0, "customer_id", "cus_9"), "carts[0].customer_id"),
    (put("carts", 0, "customer_id", None), "carts[0].customer_id"),
    (put("carts", 0, "lines", 0, "variant_id", "v_9"), "carts[0].lines[0].variant_id"),
    (put("carts", 0, "lines", 1, "variant_id", "v_1"), "carts[0].lines[1].variant_id"),
    (put("carts", 0, "lines", 0, "quantity", 0), "carts[0].lines[0].quantity"),
    (put("carts", 0, "offers", ["BUNDLE6"]), "carts[0].offers[0]"),
    (put("carts", 0, "offers", ["BUNDLE5", "BUNDLE5"]), "carts[0].offers[1]"),
    (put("orders", 0, "customer_id", "cus_9"), "orders[0].customer_id"),
    (put("orders", 0, "status", "returned"), "orders[0].status"),
    (put("orders", 0, "delivered_at", None), "orders[0].delivered_at"),
    (put("orders", 1, "delivered_at", "2026-11-21T00:00:00Z"), "orders[1].delivered_at"),
    (put("orders", 0, "delivered_at", "2026-10-21T00:00:00Z"), "orders[0].delivered_at"),
    (put("orders", 0, "disputed", "no"), "orders[0].disputed"),
    (put("orders", 0, "shipping_address", {}), "orders[0].shipping_address.line1"),
    (put("orders", 0, "lines", 0, "variant_id", "v_9"), "orders[0].lines[0].variant_id"),
    (put("orders", 0, "lines", 0, "quantity", 1.5), "orders[0].lines[0].quantity"),
    (put("orders", 1, "lines", 0, "id", "ord_1-1"), "orders[1].lines[0].id"),
    (put("orders", 0, "payments", 0, "method_id", "pm_9"), "orders[0].payments[0].method_id"),
    (put("orders", 0, "payments", 0, "method_id", "pm_2"), "orders[0].payments[0].method_id"),
    (put("orders", 1, "payments", 0, "id", "pay_1"), "orders[1].payments[0].id"),
    (put("orders", 0, "refunds", 0, "method_id", "pm_2"), "orders[0].refunds[0].method_id"),
    (put("orders", 0, "refunds", 0, "payment_id", "pay_2"), "orders[0].refunds[0].payment_id"),
    (put("orders", 0, "refunds", 0, "amount", "96.01"), "orders[0].refunds[0].amount"),
    (put("orders", 0, "refunds", 0, "reason", "x"), "orders[0].refunds[0].reason"),
    (put("orders", 2, "refunds", 0, "id", "ref_1"), "orders[2].refunds[0].id"),
    (put("orders", 0, "shipments", 0, "line_ids", ["ord_2-1"]), "orders[0].shipments[0].line_ids[0]"),
    (put("orders", 0, "shipments", 0, "tracking", None), "orders[0].shipments[0].tracking"),
    (put("orders", 0, "note", ...), "orders[0].note"),
    (put("orders", 0, 7), "orders[0]"),
]


@pytest.mark.parametrize(("spoil", "path"), SPOILT, ids=[f"{n}-{path}" for n, (_, path) in enumerate(SPOILT)])
def test_a_spoilt_file_is_refused_at_its_path_and_changes_nothing(
    sql: Sql, contents: Contents, world: World, spoil: Spoil, path: str
) -> None:
    spoil(world)
    before = contents(sql)
    with pytest.raises(SeedError) as refused:
        seed(sql, json.dumps(world), now=NOW, replace=True)
    assert path in paths(refused.value.findings)
    assert contents(sql) == before


def test_one_mistake_is_one_finding(world: World) -> None:
    put("customers", 0, "email", "nobody")(world)
    assert findings(json.dumps(world)) == ["customers[0].email: is not an e-mail address"]


def test_all_findings_are_said_at_once_in_the_order_of_their_places(world: World) -> None:
    for number in range(9):
        add("offers", code=f"CODE{number}")(world)
    put("offers", 10, "value", "0")(world)
    put("offers", 2, "value", "0")(world)
    put("orders", 0, "status", "lost")(world)
    put("carts", 0, "customer_id", "cus_9")(world)
    assert paths(findings(json.dumps(world))) == [
        "carts[0].customer_id",
        "offers[2].value",
        "offers[10].value",
        "orders[0].status",
    ]


@pytest.mark.parametrize(("ends_at", "fine"), [("2026-01-01T00:00:00Z", False), ("2026-01-01T00:00:01Z", True)])
def test_an_offer_ends_after_it_starts(world: World, ends_at: str, fine: bool) -> None:
    world["offers"][0] |= {"starts_at": "2026-01-01T01:00:00+01:00", "ends_at": ends_at}
    if fine:
        assert load_shop(json.dumps(world)).offers[0].starts_at == "2026-01-01T00:00:00Z"
    else:
        assert paths(findings(json.dumps(world))) == ["offers[0].ends_at"]


def test_refunds_of_one_payment_are_added_up(world: World) -> None:
    refund = world["orders"][0]["refunds"][0]
    world["orders"][0]["refunds"].append({**refund, "id": "ref_9", "amount": "86.01"})
    assert paths(findings(json.dumps(world))) == ["orders[0].refunds[1].amount"]
    world["orders"][0]["refunds"][1]["amount"] = "86.00"
    load_shop(json.dumps(world))


def test_money_has_the_digits_of_the_currency(world: World) -> None:
    text = json.dumps({**world, "currency": "JPY"})
    assert "products[0].variants[0].price" in paths(findings(text))
    assert load_shop(text.replace(".00", "").replace("9.50", "9")).products[0].variants[0].price == 48


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "$"),
        ("[]", "$"),
        ("null", "$"),
        ('{"currency": "USD"', "$"),
        (b"\xff\xfe", "$"),
        ("[" * 200_000, "$"),
        ("9" * 5_000, "$"),
        ('{"a": "\ud800"}', "$"),
        ('{"a\\ud800\\n": 1}', '["a\\ud800\\n"]'),
        ('{"currency": "USD", "currency": "EUR"}', "currency"),
        ('{"orders": [{"id": "ord_1", "note": null, "note": "x"}]}', "orders[0].note"),
    ],
)
def test_what_is_not_strict_json_is_refused_at_its_path(text: bytes | str, path: str) -> None:
    assert path in paths(findings(text))


def test_a_file_beyond_the_limit_is_refused_unread() -> None:
    assert findings(b" " * (MOST_BYTES + 1)) == ["$: is larger than 64 MiB"]


def test_a_byte_order_mark_is_no_finding(world: World) -> None:
    load_shop(b"\xef\xbb\xbf" + json.dumps(world).encode())


def test_a_shop_with_data_is_replaced_only_when_that_is_asked_for(sql: Sql, contents: Contents, world: World) -> None:
    before = contents(sql)
    put("products", 0, "title", "Shirt")(world)
    with pytest.raises(SeedError, match="--replace"):
        seed(sql, json.dumps(world), now=NOW)
    assert contents(sql) == before
    seed(sql, json.dumps(world), now=NOW, replace=True)
    assert {row["title"] for row in sql.rows("SELECT title FROM product")} == {"Shirt", "Becher", "Nothing Yet"}


def test_seeding_belongs_to_the_callers_transaction(empty: Sql, world: World) -> None:
    empty.run("BEGIN IMMEDIATE")
    seed(empty, json.dumps(world), now=NOW)
    empty.run("ROLLBACK")
    assert empty.rows("SELECT * FROM customer") == []


def test_a_fault_half_way_leaves_the_shop_as_it_was(sql: Sql, contents: Contents, world: World) -> None:
    before = contents(sql)
    sql.run("CREATE TRIGGER full BEFORE INSERT ON shipment BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="disk full"):
        seed(sql, json.dumps(world), now=NOW, replace=True)
    assert contents(sql) == before


def test_seeding_twice_gives_the_same_rows(sql: Sql, contents: Contents, world: World) -> None:
    before = contents(sql)
    seed(sql, json.dumps(world), now=NOW, replace=True)
    assert contents(sql) | {"shop": []} == before | {"shop": []}
