"""What must hold of money and stock whatever code runs above: kept by the database itself.

No payment gives back more than it brought in, no gift card or store credit goes below zero, and `variant.stock`
follows the stock moves. A row of the catalogue that says something else about price gets a new version, and what a
search goes through follows the words of each variant. SQLite and PostgreSQL keep the same rules in the same words.
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import DDL, Table, event

from tillgate.tools.shops.embedded.statements import BALANCE

Rules = Mapping[str, tuple[str, str]]
"""By name: when a rule is looked at, and what it does."""

NO_MORE_THAN_PAID = "more would go back than was paid"
NOT_THAT_MUCH = "the method has not that much"
NEVER_CHANGES = "a transfer never changes"
_OVERPAID = """
FROM transfer p WHERE p.shop = NEW.shop AND p.id = NEW.payment_id
  AND (SELECT sum(amount) FROM transfer r WHERE r.shop = p.shop AND r.payment_id = p.id) > p.amount"""


def _overdrawn(row: str) -> str:
    balance = BALANCE.format(shop=f"{row}.shop", method=f"{row}.method_id")
    return f"""
FROM payment_method WHERE shop = {row}.shop AND id = {row}.method_id AND kind IN ('gift_card', 'store_credit')
  AND {balance} < 0"""


def _stock(row: str, sign: str) -> str:
    return f"UPDATE variant SET stock = stock {sign} {row}.quantity WHERE shop = {row}.shop AND id = {row}.variant_id"  # noqa: S608


# a shop file tells what was paid in no order of time, so its own entries are not asked
_LATER = "NEW.cause NOT IN ('opening', 'order', 'refund')"
_PRICED = {
    "variant": "price, cost, product_id, options",
    "offer": "kind, value, minimum, starts_at, ends_at, stackable, max_uses_per_customer",
}


def refused(words: str, where: str = "") -> str:
    """SQLite: raise, where there is such a row."""
    return f"SELECT RAISE(ABORT, '{words}') {where}"


_SQLITE: Mapping[str, Rules] = {
    "transfer": {
        "refund_covered": ("AFTER INSERT ON transfer WHEN NEW.kind = 'refund'", refused(NO_MORE_THAN_PAID, _OVERPAID)),
        "method_covered": (f"AFTER INSERT ON transfer WHEN {_LATER}", refused(NOT_THAT_MUCH, _overdrawn("NEW"))),
        "credit_spent": ("AFTER DELETE ON transfer", refused(NOT_THAT_MUCH, _overdrawn("OLD"))),
        "unchanged": ("BEFORE UPDATE ON transfer", refused(NEVER_CHANGES)),
    },
    "stock_move": {
        "moved": ("AFTER INSERT ON stock_move", _stock("NEW", "+")),
        "moved_back": ("AFTER DELETE ON stock_move", _stock("OLD", "-")),
    },
    **{
        table: {
            "version": (
                f"AFTER UPDATE OF {columns} ON {table}",
                f"UPDATE {table} SET version = version + 1 WHERE shop = NEW.shop AND id = NEW.id",  # noqa: S608
            )
        }
        for table, columns in _PRICED.items()
    },
}
_INDEX = (
    "CREATE VIRTUAL TABLE variant_words USING fts5"
    "(words, content = 'variant', content_rowid = 'place', tokenize = 'trigram')"
)
"""Every three letters in a row of `variant.words`, by place: what a search by words goes through."""
_WORDED = "INSERT INTO variant_words (rowid, words) VALUES (NEW.place, NEW.words)"
_UNWORDED = "INSERT INTO variant_words (variant_words, rowid, words) VALUES ('delete', OLD.place, OLD.words)"
_WORDS: Rules = {
    "worded": ("AFTER INSERT ON variant", _WORDED),
    "reworded": ("AFTER UPDATE OF words, place ON variant", f"{_UNWORDED}; {_WORDED}"),
    "unworded": ("AFTER DELETE ON variant", _UNWORDED),
}


def raised(words: str, where: str | None = None) -> str:
    """PostgreSQL: raise, where there is such a row."""
    refusal = f"RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'"
    return f"{refusal};" if where is None else f"IF EXISTS (SELECT 1 {where}) THEN {refusal}; END IF;"


_POSTGRESQL: Mapping[str, Rules] = {
    "transfer": {
        "refund_covered": (
            "AFTER INSERT ON transfer FOR EACH ROW WHEN (NEW.kind = 'refund')",
            raised(NO_MORE_THAN_PAID, _OVERPAID),
        ),
        "method_covered": (
            f"AFTER INSERT ON transfer FOR EACH ROW WHEN ({_LATER})",
            raised(NOT_THAT_MUCH, _overdrawn("NEW")),
        ),
        "credit_spent": ("AFTER DELETE ON transfer FOR EACH ROW", raised(NOT_THAT_MUCH, _overdrawn("OLD"))),
        "unchanged": ("BEFORE UPDATE ON transfer FOR EACH ROW", raised(NEVER_CHANGES)),
    },
    "stock_move": {
        "moved": ("AFTER INSERT ON stock_move FOR EACH ROW", f"{_stock('NEW', '+')};"),
        "moved_back": ("AFTER DELETE ON stock_move FOR EACH ROW", f"{_stock('OLD', '-')};"),
    },
    **{
        table: {
            "version": (f"BEFORE UPDATE OF {columns} ON {table} FOR EACH ROW", "NEW.version := OLD.version + 1;"),
        }
        for table, columns in _PRICED.items()
    },
}
_TRIGRAMS = """
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE EXTENSION IF NOT EXISTS btree_gin;
  CREATE INDEX variant_words ON variant USING gin (shop, words gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
  RAISE NOTICE 'a search by words has no index: %%', SQLERRM;
END $$
"""
"""The same index of three letters in a row; who may not create it searches without."""


def guard(table: Table) -> None:
    """Have the table's rules made with it, if it has any, and the index of words with the variants."""
    if table.name == "variant":
        made_with(table, "sqlite", [_INDEX, *sqlite_rules("variant", _WORDS)])
        made_with(table, "postgresql", [_TRIGRAMS])
    made_with(table, "sqlite", sqlite_rules(table.name, _SQLITE.get(table.name, {})))
    made_with(table, "postgresql", postgresql_rules(table.name, _POSTGRESQL.get(table.name, {})))


def made_with(table: Table, dialect: str, statements: Iterator[str] | list[str]) -> None:
    """Run these when the table is created."""
    for statement in statements:
        made = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
        event.listen(table, "after_create", made)


def sqlite_rules(table: str, rules: Rules) -> Iterator[str]:
    """The rules of a table as triggers."""
    for name, (when, act) in rules.items():
        yield f"CREATE TRIGGER {table}_{name} {when} BEGIN {act}; END"


def postgresql_rules(table: str, rules: Rules) -> Iterator[str]:
    """The rules of a table as functions, and triggers that call them."""
    for name, (when, act) in rules.items():
        yield (
            f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {act} RETURN NEW; END $$"
        )
        yield f"CREATE TRIGGER {table}_{name} {when} EXECUTE FUNCTION {table}_{name}()"
