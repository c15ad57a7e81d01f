"""A search on PostgreSQL finds what a plain reading finds: foreseen or not, in a small catalogue and in a large one."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools.shop.conftest import NOW, WORLD
from tools.shop.test_search import entry, expected, products, searches
from worlds import World, make_world

from tillgate.guards.money import currency
from tillgate.server.store.desk import SqlDesk
from tillgate.tools.shops.embedded import shop as shop_module
from tillgate.tools.shops.embedded.dialect import POSTGRESQL
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop import ShopReader, foresee_of
from tillgate.tools.shops.embedded.sql import Sql
from tillgate.tools.shops.embedded.statements import FEW, statements
from tillgate.tools.shops.embedded.wire import Answer, Wire

SHIRTS = [entry(place, "T-Shirt", "home", [(2, 1), (3, 0)]) for place in range(40)]


class TakenBack(Exception):
    """Ends a transaction with nothing done."""


@pytest.fixture
def world(database: str) -> Iterator[World]:
    made = make_world(database)
    yield made
    made.store.close()


def stocked(desk: SqlDesk, catalogue: list[dict[str, Any]]) -> None:
    """The shop with this catalogue; nothing of it was waited for yet."""
    world: dict[str, Any] = {**WORLD, "carts": [], "orders": [], "products": catalogue}
    seed(desk.sql, json.dumps(world), now=NOW, replace=True)


def looked_ahead(sql: Sql, query: str | None) -> None:
    foresee_of(sql, None, "talk", NOW, order_id=None, cart_id=None, query=query)


def found(sql: Sql, **asked: Any) -> list[tuple[str, list[str]]]:
    given = {"query": None, "category": None, "max_price": None, "in_stock": None, "limit": 50, **asked}
    reader = ShopReader(sql, customer_id=None, conversation="talk", now=NOW, currency=currency("USD"))
    return [(each.id, [variant.id for variant in each.variants]) for each in reader.search(**given)]


@pytest.mark.parametrize("few", [1, 300], ids=["a large catalogue", "a small catalogue"])
@given(listed=products, asked=searches, ahead=st.booleans(), hurry=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_search_is_the_plain_reading_of_the_catalogue(
    world: World, few: int, listed: list[Any], asked: dict[str, Any], ahead: bool, hurry: bool
) -> None:
    catalogue = [entry(place, *each) for place, each in enumerate(listed)]
    with pytest.MonkeyPatch.context() as patched, suppress(TakenBack), world.store.transaction() as desk:
        patched.setattr(shop_module, "_FEW", few)
        if hurry:
            desk.hurry()
        stocked(desk, catalogue)
        if ahead:
            looked_ahead(desk.sql, asked["query"])
        assert found(desk.sql, **asked) == expected(catalogue, asked)
        raise TakenBack


def test_what_was_found_ahead_is_not_told_once_the_catalogue_has_changed(world: World) -> None:
    with suppress(TakenBack), world.store.transaction() as desk:
        desk.hurry()
        stocked(desk, SHIRTS)
        looked_ahead(desk.sql, "shirt")
        desk.sql.tell("UPDATE variant SET words = 'boot' WHERE product_id != 'p_7'")
        assert found(desk.sql, query="shirt") == [("p_7", ["v_7_0", "v_7_1"])]
        raise TakenBack


@pytest.mark.parametrize(("few", "planned"), [(80, 2), (81, 0)])
def test_only_a_search_of_a_large_catalogue_is_planned_for_what_it_looks_for(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int, planned: int
) -> None:
    """A plan for whatever is looked for is bad for a common word, or for a rare one."""
    tell, told = Wire.tell, list[str]()

    def heard(wire: Wire, sql: str, params: Any = ()) -> Answer:
        told.append(sql)
        return tell(wire, sql, params)

    monkeypatch.setattr(shop_module, "_FEW", few)
    monkeypatch.setattr(Wire, "tell", heard)
    with suppress(TakenBack), world.store.transaction() as desk:
        desk.hurry()
        stocked(desk, SHIRTS)
        looked_ahead(desk.sql, "shirt")
        assert [len(found(desk.sql, query=query)) for query in ("shirt", "t-shirt")] == [40, 40]
        raise TakenBack
    assert len([sql for sql in told if sql.startswith("DECLARE")]) == planned


def test_what_is_looked_up_ahead_costs_a_large_catalogue_nothing(world: World) -> None:
    asked = {"shop": "main", "patterns": "[]", "category": None, "max_price": None, "in_stock": None}
    with suppress(TakenBack), world.store.transaction() as desk:
        stocked(desk, SHIRTS)
        for few, answered, counted in ((80, 0, 80), (81, 80, 80)):
            values = {**asked, "few": few}
            assert len(desk.sql.rows(statements(POSTGRESQL).search["few"], values)) == answered
            assert desk.sql.rows(FEW["few"], values)[0][0] == counted
        raise TakenBack
