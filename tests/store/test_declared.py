"""What is said twice for speed says the same twice."""

from sqlalchemy import Integer

from tillgate.tools.shops.embedded.columns import ShopTable
from tillgate.tools.shops.embedded.records import FILLED, SHOP_TABLES
from tillgate.tools.shops.embedded.tables import KINDS


def test_a_plan_may_change_exactly_the_columns_of_the_declared_tables() -> None:
    assert [kind for kind in KINDS if kind != "product"] == list(SHOP_TABLES)
    assert set(FILLED) == set(ShopTable.metadata.tables)
    for kind, spec in SHOP_TABLES.items():
        table = ShopTable.metadata.tables[KINDS[kind].__tablename__]
        declared = {
            column.name: column.info.get("kind", "int" if isinstance(column.type, Integer) else "text")
            for column in table.columns
            if column.name not in ("shop", "version") and column.info.get("kind") != "derived"
        }
        assert (spec.table, dict(spec.columns), spec.versioned) == (table.name, declared, "version" in table.columns)
