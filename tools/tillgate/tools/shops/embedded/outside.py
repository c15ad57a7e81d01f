"""What of a plan a payment provider has to do before the ledger may say it: a refund that leaves at once.

Balances of gift cards and store credit are the ledger itself, and what waits (for goods, or for the hour in which a
cancellation can still be taken back) leaves later.
"""

from collections.abc import Iterator, Mapping

from tillgate.guards.effects import Effect
from tillgate.guards.model import Json, Plan
from tillgate.tools.commerce.model import BALANCES
from tillgate.tools.shops.embedded.sql import Sql

PAYMENTS = "payments"


def refunds_outside(sql: Sql, plan: Plan) -> tuple[Effect, ...]:
    """One effect for each refund of this plan that leaves at once to a card or an account elsewhere."""
    found = [entry for entry in _entered(plan) if entry["kind"] == "refund" and entry["cause"] == "refund"]
    if not found:
        return ()
    kinds = {entry["method_id"]: _kind(sql, entry["method_id"]) for entry in found}
    currency = sql.rows("SELECT currency FROM shop WHERE shop = ?", (sql.shop,))[0]["currency"]
    return tuple(_effect(entry, currency) for entry in found if kinds[entry["method_id"]] not in BALANCES)


def _effect(entry: Mapping[str, Json], currency: str) -> Effect:
    named = {name: entry[name] for name in ("order_id", "payment_id", "method_id", "amount")}
    return Effect(PAYMENTS, "refund", {**named, "currency": currency})


def _entered(plan: Plan) -> Iterator[Mapping[str, Json]]:
    """The movements of money a plan would enter."""
    entries: dict[str, dict[str, Json]] = {}
    for change in plan.changes:
        if change.entity.startswith("transfer:"):
            entries.setdefault(change.entity, {})[change.field] = change.after
    yield from (entry for entry in entries.values() if entry.get("id") is not None)  # others are taken back


def _kind(sql: Sql, method_id: str) -> str:
    """A method that is not on file yet is the store credit this plan opens."""
    row = sql.row("SELECT kind FROM payment_method WHERE shop = ? AND id = ?", (sql.shop, method_id))
    return row["kind"] if row else "store_credit"
