"""What must hold of money and stock whatever code runs above: kept by the database itself.

No payment gives back more than it brought in, no gift card or store credit goes below zero, and `variant.stock`
follows the stock moves. A row of the catalogue that says something else about price gets a new version, and what a
search goes through follows the words of each variant.
"""

from sqlalchemy import DDL, Table, event

from tillgate.tools.shops.embedded.statements import BALANCE

_OVERDRAWN = f"""
SELECT RAISE(ABORT, 'the method has not that much') FROM payment_method
WHERE shop = {{shop}} AND id = {{method}} AND kind IN ('gift_card', 'store_credit') AND {BALANCE} < 0"""  # noqa: S608
_OVERPAID = """
SELECT RAISE(ABORT, 'more would go back than was paid') FROM transfer p
WHERE p.shop = NEW.shop AND p.id = NEW.payment_id
  AND (SELECT sum(amount) FROM transfer r WHERE r.shop = p.shop AND r.payment_id = p.id) > p.amount"""

_INDEX = (
    "CREATE VIRTUAL TABLE variant_words USING fts5"
    "(words, content = 'variant', content_rowid = 'place', tokenize = 'trigram')"
)
"""Every three letters in a row of `variant.words`, by place: what a search by words goes through."""
_WORDED = "INSERT INTO variant_words (rowid, words) VALUES (NEW.place, NEW.words)"
_UNWORDED = "INSERT INTO variant_words (variant_words, rowid, words) VALUES ('delete', OLD.place, OLD.words)"

_TRIGGERS = {
    "transfer": {
        "refund_covered": f"AFTER INSERT ON transfer WHEN NEW.kind = 'refund' BEGIN {_OVERPAID}; END",
        # a shop file tells what was paid in no order of time, so its own entries are not asked
        "method_covered": "AFTER INSERT ON transfer WHEN NEW.cause NOT IN ('opening', 'order', 'refund')"
        f" BEGIN {_OVERDRAWN.format(shop='NEW.shop', method='NEW.method_id')}; END",
        "credit_spent": "AFTER DELETE ON transfer"
        f" BEGIN {_OVERDRAWN.format(shop='OLD.shop', method='OLD.method_id')}; END",
        "unchanged": "BEFORE UPDATE ON transfer BEGIN SELECT RAISE(ABORT, 'a transfer never changes'); END",
    },
    "stock_move": {
        "moved": "AFTER INSERT ON stock_move"
        " BEGIN UPDATE variant SET stock = stock + NEW.quantity WHERE shop = NEW.shop AND id = NEW.variant_id; END",
        "moved_back": "AFTER DELETE ON stock_move"
        " BEGIN UPDATE variant SET stock = stock - OLD.quantity WHERE shop = OLD.shop AND id = OLD.variant_id; END",
    },
    "variant": {
        "version": "AFTER UPDATE OF price, cost, product_id, options ON variant"
        " BEGIN UPDATE variant SET version = version + 1 WHERE shop = NEW.shop AND id = NEW.id; END",
        "worded": f"AFTER INSERT ON variant BEGIN {_WORDED}; END",
        "reworded": f"AFTER UPDATE OF words, place ON variant BEGIN {_UNWORDED}; {_WORDED}; END",
        "unworded": f"AFTER DELETE ON variant BEGIN {_UNWORDED}; END",
    },
    "offer": {
        "version": "AFTER UPDATE OF kind, value, minimum, starts_at, ends_at, stackable, max_uses_per_customer"
        " ON offer BEGIN UPDATE offer SET version = version + 1 WHERE shop = NEW.shop AND id = NEW.id; END",
    },
}


def guard(table: Table) -> None:
    """Have the table's triggers made with it, if it has any, and the index of words with the variants."""
    if table.name == "variant":
        event.listen(table, "after_create", DDL(_INDEX))  # type: ignore[no-untyped-call]
    for name, body in _TRIGGERS.get(table.name, {}).items():
        statement = f"CREATE TRIGGER {table.name}_{name} {body}"
        event.listen(table, "after_create", DDL(statement))  # type: ignore[no-untyped-call]
