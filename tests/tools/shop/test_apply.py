"""A plan is applied only while everything it was made from still holds, and its inverse takes it back."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillgate.guards.errors import Stale
from tillgate.guards.model import Change
from tillgate.tools.shops.embedded.apply import apply, read_entity, root_version, root_versions
from tillgate.tools.shops.embedded.engine import dbapi as sqlite3
from tillgate.tools.shops.embedded.records import SHOP_TABLES, TableSpec
from tillgate.tools.shops.embedded.sql import Sql

Contents = Callable[[Sql], dict[str, list[tuple[Any, ...]]]]


def made(entity: str, **fields: Any) -> list[Change]:
    return [Change(entity, name, None, value) for name, value in fields.items() if value is not None]


def removed(sql: Sql, entity: str) -> list[Change]:
    fields = read_entity(sql, SHOP_TABLES, entity)
    assert fields is not None
    return [Change(entity, name, value, None) for name, value in fields.items()]


def inverse(changes: list[Change]) -> list[Change]:
    return [Change(change.entity, change.field, change.after, change.before) for change in reversed(changes)]


def refund(amount: int = 500, refund_id: str = "ref_new") -> list[Change]:
    fields = {
        "id": f"refund/{refund_id}",
        "kind": "refund",
        "order_id": "ord_1",
        "payment_id": "payment/pay_1",
        "method_id": "pm_1g",
        "amount": amount,
        "cause": "refund",
        "reason": "damaged",
        "lines": {"ord_1-1": 1},
        "created_at": "2026-11-23T09:00:00Z",
    }
    return made(f"transfer:refund/{refund_id}", **fields)


def test_a_refund_is_entered_and_its_order_moves_on(sql: Sql) -> None:
    apply(sql, refund(), [("order:ord_1", 1), ("customer:cus_1", 1)], SHOP_TABLES)
    assert read_entity(sql, SHOP_TABLES, "transfer:refund/ref_new") == {
        "id": "refund/ref_new",
        "kind": "refund",
        "order_id": "ord_1",
        "payment_id": "payment/pay_1",
        "method_id": "pm_1g",
        "amount": 500,
        "cause": "refund",
        "reason": "damaged",
        "lines": {"ord_1-1": 1},
        "created_at": "2026-11-23T09:00:00Z",
    }
    accounts = sql.row("SELECT source, target FROM transfer WHERE id = 'refund/ref_new'")
    assert accounts is not None
    assert tuple(accounts) == ("order:ord_1", "method:pm_1g")
    assert root_version(sql, SHOP_TABLES, "order:ord_1") == 2
    assert root_version(sql, SHOP_TABLES, "order:ord_2") == 1


def test_a_price_that_is_gone_is_stale_and_a_plan_does_not_raise_its_version(sql: Sql) -> None:
    apply(sql, refund(), [("variant:v_1", 1)], SHOP_TABLES)
    assert root_version(sql, SHOP_TABLES, "variant:v_1") == 1
    sql.run("UPDATE variant SET price = price + 1 WHERE id = 'v_1'")
    with pytest.raises(Stale):
        apply(sql, refund(refund_id="ref_next"), [("variant:v_1", 1)], SHOP_TABLES)


@pytest.mark.parametrize(
    "changes",
    [
        [Change("order:ord_2", "status", "processed", "cancelled")],
        [Change("order:ord_2", "note", None, "new")],
        [Change("order:ord_2", "disputed", True, False)],
        [Change("order:ord_2", "shipping_address", {"line1": "elsewhere"}, {"line1": "here"})],
        [Change("order:ord_9", "status", "pending", "cancelled")],
        [Change("payment_method:pm_1g", "kind", "card", "paypal")],
        made("cart:cart_1", id="cart_1", customer_id="cus_1", created_at="2026-11-23T09:00:00Z"),
        [Change("cart_line:cart_1/v_9", "id", "cart_1/v_9", None)],
        [Change("cart_line:cart_1/v_1", "id", "cart_1/v_1", None)],
    ],
    ids=[
        "status moved on",
        "a note is there",
        "flag differs",
        "address differs",
        "no such order",
        "kind differs",
        "made already",
        "gone already",
        "more in the record than the plan removes",
    ],
)
def test_a_before_that_no_longer_holds_is_stale_and_nothing_is_done(
    sql: Sql, contents: Contents, changes: list[Change]
) -> None:
    before = contents(sql)
    with pytest.raises(Stale):
        apply(sql, [*refund(), *changes], [("order:ord_1", 1)], SHOP_TABLES)
    assert contents(sql) == before
    assert root_version(sql, SHOP_TABLES, "order:ord_1") == 1


@pytest.mark.parametrize("basis", [("order:ord_1", 2), ("order:ord_9", 1)])
def test_a_basis_that_moved_on_is_stale_and_nothing_is_done(
    sql: Sql, contents: Contents, basis: tuple[str, int]
) -> None:
    before = contents(sql)
    with pytest.raises(Stale):
        apply(sql, refund(), [("customer:cus_1", 1), basis], SHOP_TABLES)
    assert contents(sql) == before
    assert root_version(sql, SHOP_TABLES, "customer:cus_1") == 1


@pytest.mark.parametrize(
    ("changes", "basis"),
    [
        (refund(), [("order:ord_1", 1), ("customer:cus_1", 1), ("variant:v_1", 1)]),
        ([Change("order:ord_2", "status", "pending", "cancelled")], [("order:ord_2", 1), ("order:ord_2", 1)]),
        ([Change("variant:v_1", "price", 1999, 2099)], [("variant:v_1", 1), ("order:ord_1", 1)]),
        ([Change("offer:BUNDLE5", "value", 10, 15)], [("offer:BUNDLE5", 1), ("cart:cart_1", 1)]),
    ],
    ids=["refund", "status", "price", "offer"],
)
def test_the_versions_that_are_left_are_those_it_says(
    sql: Sql, changes: list[Change], basis: list[tuple[str, int]]
) -> None:
    changes = [_held(sql, change) for change in changes]
    said = apply(sql, changes, basis, SHOP_TABLES)
    assert said == root_versions(sql, SHOP_TABLES, list(said))
    changed = {change.entity for change in changes}
    assert set(said) == {entity for entity, _ in basis if entity.startswith("order:") or entity not in changed}


def test_a_record_that_is_gone_is_left_in_no_version(sql: Sql) -> None:
    apply(
        sql, made("cart:cart_9", id="cart_9", customer_id="cus_1", created_at="2026-11-23T09:00:00Z"), [], SHOP_TABLES
    )
    assert apply(sql, removed(sql, "cart:cart_9"), [("cart:cart_9", 1)], SHOP_TABLES) == {}


def _held(sql: Sql, change: Change) -> Change:
    """The same change from what the record holds now."""
    if change.before is None:
        return change
    return Change(
        change.entity,
        change.field,
        (read_entity(sql, SHOP_TABLES, change.entity) or {}).get(change.field),
        change.after,
    )


def test_the_same_basis_named_twice_counts_once(sql: Sql) -> None:
    apply(sql, [], [("order:ord_1", 1), ("order:ord_1", 1)], SHOP_TABLES)
    assert root_version(sql, SHOP_TABLES, "order:ord_1") == 2


def test_two_versions_of_one_basis_are_stale(sql: Sql) -> None:
    with pytest.raises(Stale):
        apply(sql, [], [("order:ord_1", 1), ("order:ord_1", 2)], SHOP_TABLES)
    assert root_version(sql, SHOP_TABLES, "order:ord_1") == 1


@pytest.mark.parametrize(
    "change",
    [
        Change("ledger:1", "amount", 1, 2),
        Change("product:p_1", "title", "T-Shirt", "Shirt"),
        Change("order", "status", "pending", "cancelled"),
        Change("order:", "status", "pending", "cancelled"),
        Change("order:ord_2", "total", 1, 2),
        Change("order:ord_2", "version", 1, 2),
        Change("order:ord_2", "status = 'cancelled' --", "pending", "cancelled"),
        Change("order:ord_2", "id", "ord_2", "ord_3"),
        Change("order:ord_2", "id", None, None),
        Change("variant:v_1", "words", "", "cheap"),
        Change("variant:v_1", "stock", 5, "6"),
        Change("variant:v_1", "stock", 5, True),
        Change("order:ord_2", "disputed", 0, 1),
        Change("order:ord_2", "status", "pending", 3),
    ],
)
def test_a_change_that_fits_no_column_is_a_programming_error(sql: Sql, contents: Contents, change: Change) -> None:
    before = contents(sql)
    with pytest.raises(ValueError, match=r"."):
        apply(sql, [*refund(), change], [], SHOP_TABLES)
    assert contents(sql) == before


def test_a_field_changed_twice_in_one_plan_is_a_programming_error(sql: Sql) -> None:
    twice = [Change("order:ord_2", "note", "Ring twice", "a"), Change("order:ord_2", "note", "a", "b")]
    with pytest.raises(ValueError, match="two changes"):
        apply(sql, twice, [], SHOP_TABLES)


def test_an_id_is_only_ever_a_value(sql: Sql) -> None:
    assert read_entity(sql, SHOP_TABLES, "order:' OR '1'='1") is None
    with pytest.raises(Stale):
        apply(sql, [Change("order:x' OR 1=1 --", "status", "pending", "cancelled")], [], SHOP_TABLES)
    assert [row[0] for row in sql.rows("SELECT status FROM orders WHERE id IN ('ord_2', 'ord_4')")] == ["pending"] * 2


@pytest.mark.parametrize(
    "changes",
    [
        refund(9_000),
        made("stock_move:m", id="m", variant_id="v_1", order_id="ord_1", quantity=-1_000_000),
        made(
            "transfer:payment/p", id="payment/p", kind="payment", order_id="ord_2", method_id="pm_1g", amount=2001,
            cause="items", lines={},
        ),
        [Change("transfer:payment/pay_1", "amount", 9600, 9601)],
    ],
    ids=["more back than was paid", "stock below zero", "more than is on the card", "a transfer that changes"],
)  # fmt: skip
def test_what_must_never_be_is_refused_by_the_database_itself(
    sql: Sql, contents: Contents, changes: list[Change]
) -> None:
    before = contents(sql)
    with pytest.raises(sqlite3.IntegrityError):
        apply(sql, changes, [("order:ord_1", 1)], SHOP_TABLES)
    assert contents(sql) == before
    assert root_version(sql, SHOP_TABLES, "order:ord_1") == 1


def test_a_time_with_an_offset_is_refused_by_the_table_itself(sql: Sql) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        apply(sql, [Change("customer:cus_1", "address_changed_at", None, "2026-11-23T10:00:00+01:00")], [], SHOP_TABLES)


def test_a_cart_that_was_filled_since_cannot_be_unmade(sql: Sql, contents: Contents) -> None:
    cart = made("cart:cart_9", id="cart_9", customer_id="cus_1", created_at="2026-11-23T09:00:00Z")
    apply(sql, cart, [], SHOP_TABLES)
    line = made("cart_line:cart_9/v_1", id="cart_9/v_1", cart_id="cart_9", variant_id="v_1", quantity=1, quoted=1)
    apply(sql, line, [], SHOP_TABLES)
    before = contents(sql)
    with pytest.raises(Stale):
        apply(sql, inverse(cart), [], SHOP_TABLES)
    assert contents(sql) == before


def test_parents_are_made_before_and_removed_after_their_children_whatever_the_order(
    sql: Sql, contents: Contents
) -> None:
    before = contents(sql)
    changes = [
        *made("cart_line:cart_9/v_1", id="cart_9/v_1", cart_id="cart_9", variant_id="v_1", quantity=1, quoted=1),
        *made("cart:cart_9", id="cart_9", conversation="talk", created_at="2026-11-23T09:00:00Z"),
    ]
    apply(sql, changes, [], SHOP_TABLES)
    apply(sql, list(reversed(inverse(changes))), [("cart:cart_9", 1)], SHOP_TABLES)
    assert contents(sql) == before


@pytest.mark.parametrize("turned", [False, True])
def test_goods_come_back_before_goods_go_whatever_the_order(sql: Sql, contents: Contents, turned: bool) -> None:
    before, held = contents(sql), read_entity(sql, SHOP_TABLES, "variant:v_1")
    assert held is not None
    quantities = {"out": -held["stock"] - 1, "in": 1}
    moves = [
        made(f"stock_move:{name}", id=name, variant_id="v_1", order_id="ord_1", quantity=quantity)
        for name, quantity in quantities.items()
    ]
    changes = [change for move in (reversed(moves) if turned else moves) for change in move]
    apply(sql, changes, [], SHOP_TABLES)
    assert (read_entity(sql, SHOP_TABLES, "variant:v_1") or {})["stock"] == 0
    apply(sql, inverse(changes), [], SHOP_TABLES)
    assert contents(sql) == before


def test_a_structured_value_is_compared_by_content_and_stored_canonically(sql: Sql) -> None:
    stored = sql.row("SELECT shipping_address FROM orders WHERE id = 'ord_2'")
    assert stored is not None
    address = read_entity(sql, SHOP_TABLES, "order:ord_2")
    assert address is not None
    turned = dict(reversed(list(address["shipping_address"].items())))
    apply(sql, [Change("order:ord_2", "shipping_address", turned, turned)], [], SHOP_TABLES)
    again = sql.row("SELECT shipping_address FROM orders WHERE id = 'ord_2'")
    assert again is not None
    assert again[0] == stored[0]


def test_a_store_may_add_kinds_of_its_own(sql: Sql) -> None:
    sql.run("CREATE TABLE challenge (shop TEXT, id TEXT PRIMARY KEY, used INTEGER NOT NULL DEFAULT 0) STRICT")
    sql.run("INSERT INTO challenge (shop, id) VALUES ('main', 'ch_1')")
    tables = {**SHOP_TABLES, "challenge": TableSpec("challenge", {"used": "bool"})}
    apply(sql, [Change("challenge:ch_1", "used", False, True)], [], tables)
    with pytest.raises(Stale):
        apply(sql, [Change("challenge:ch_1", "used", False, True)], [], tables)
    with pytest.raises(ValueError, match="no version"):
        root_version(sql, tables, "challenge:ch_1")


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def plans(draw: st.DrawFn) -> list[Callable[[Sql], list[Change]]]:
    """Acts on different records, made from the record as it stands."""

    def update(entity: str, field: str, after: Any) -> Callable[[Sql], list[Change]]:
        return lambda sql: [Change(entity, field, (read_entity(sql, SHOP_TABLES, entity) or {}).get(field), after)]

    statuses = st.sampled_from(["pending", "processed", "shipped", "delivered", "cancelled"])
    acts: list[st.SearchStrategy[Callable[[Sql], list[Change]]]] = [
        statuses.map(lambda status: update("order:ord_2", "status", status)),
        TEXTS.map(lambda note: update("order:ord_1", "note", note)),
        JSON.filter(lambda value: value is not None).map(lambda tags: update("customer:cus_1", "tags", tags)),
        st.booleans().map(lambda flag: update("order:ord_4", "disputed", flag)),
        st.integers(0, 10**13).map(lambda stock: update("variant:v_1", "stock", stock)),
        st.just(lambda sql: removed(sql, "cart_line:cart_1/v_3")),
        st.just(lambda sql: removed(sql, "cart_offer:cart_1/BUNDLE5")),
        st.just(lambda sql: removed(sql, "transfer:refund/ref_1")),
        st.integers(0, 8600).map(lambda amount: lambda sql: refund(amount)),
    ]
    chosen = draw(st.lists(st.sampled_from(range(len(acts))), unique=True, min_size=1))
    return [draw(acts[place]) for place in chosen]


@given(plan=plans(), data=st.data())
def test_the_inverse_of_any_plan_restores_every_byte(
    lasting: Sql, contents: Contents, plan: list[Callable[[Sql], list[Change]]], data: st.DataObject
) -> None:
    before = contents(lasting)
    changes = [change for act in plan for change in act(lasting)]
    lasting.run("BEGIN")
    try:
        apply(lasting, data.draw(st.permutations(changes)), [("order:ord_1", 1)], SHOP_TABLES)
        apply(lasting, data.draw(st.permutations(inverse(changes))), [("order:ord_1", 2)], SHOP_TABLES)
        assert contents(lasting) == before
    finally:
        lasting.run("ROLLBACK")
