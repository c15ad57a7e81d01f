"""A search finds what a plain reading of the catalogue finds, whatever way it goes about it."""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.shop.conftest import NOW, WORLD, database

from tillgate.guards.money import currency
from tillgate.tools.shops.embedded import shop as shop_module
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop import ShopReader
from tillgate.tools.shops.embedded.sql import Sql

TITLES = ["T-Shirt", "t-shirt", "Shirt Wool", "Wool Boot", "Röck", 'Boot "x" OR', "AB", "100% Wool_"]
QUERIES = ["shirt", "SHIRT", "wool boot", "rö", "b", '"x"', "x OR", "NEAR(", "100%", "ool_", "zzzz", "ab", "*"]

products = st.lists(
    st.tuples(
        st.sampled_from(TITLES),
        st.sampled_from([None, "home", "Home", "out"]),
        st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1)), min_size=1, max_size=3),
    ),
    max_size=8,
)

searches: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "query": st.none() | st.sampled_from(QUERIES),
        "category": st.none() | st.sampled_from(["home", "OUT", "none"]),
        "max_price": st.none() | st.integers(50, 450),
        "in_stock": st.none() | st.booleans(),
        "limit": st.integers(1, 9),
    }
)


def entry(place: int, title: str, category: str | None, variants: list[tuple[int, int]]) -> dict[str, Any]:
    return {
        "id": f"p_{place}",
        "title": title,
        "category": category,
        "variants": [
            {"id": f"v_{place}_{n}", "options": {}, "price": f"{price}.00", "cost": None, "stock": stock}
            for n, (price, stock) in enumerate(variants)
        ],
    }


def expected(listed: list[dict[str, Any]], asked: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The plain reading."""
    found: list[tuple[str, list[str]]] = []
    for product in sorted(listed, key=lambda p: (p["title"].encode().lower(), p["title"].encode(), p["id"].encode())):
        text = f"{product['title']}\n{product['category'] or ''}".casefold()
        fits = all(word.casefold() in text for word in (asked["query"] or "").split())
        if asked["category"] is not None:
            fits = fits and (product["category"] or "").lower() == asked["category"].lower()
        variants = [
            variant["id"]
            for variant in product["variants"]
            if (asked["max_price"] is None or int(variant["price"].partition(".")[0]) * 100 <= asked["max_price"])
            and (asked["in_stock"] is None or (variant["stock"] > 0) == asked["in_stock"])
        ]
        if fits and variants:
            found.append((product["id"], variants))
    return found[: asked["limit"]]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Sql:
    return database(Path(tmp_path_factory.mktemp("search")) / "shop.db")


@pytest.mark.parametrize("few", [1, 300], ids=["by scanning", "by what is few"])
@given(listed=products, data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_search_is_the_plain_reading_of_the_catalogue(
    catalogue: Sql, few: int, listed: list[tuple[Any, Any, Any]], data: st.DataObject
) -> None:
    world: dict[str, Any] = {**deepcopy(WORLD), "carts": [], "orders": []}
    world["products"] = [entry(place, *each) for place, each in enumerate(listed)]
    seed(catalogue, json.dumps(world), now=NOW, replace=True)
    asked = data.draw(searches)
    reader = ShopReader(catalogue, customer_id=None, conversation="talk", now=NOW, currency=currency("USD"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shop_module, "_FEW", few)
        found = reader.search(**asked)
    assert [(each.id, [variant.id for variant in each.variants]) for each in found] == expected(
        world["products"], asked
    )
