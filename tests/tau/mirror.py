"""The same calls on the benchmark's own unguarded server: the shop must end as that server does.

The two book an exchange and a return at other moments: that server waits for the goods with the swap of the lines and
with money that goes back, so there it is compared what was asked for.
"""

import importlib.util
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import copy, deepcopy
from functools import cache
from typing import Any

from tau.adapter import TAU, Call, Talk

from tillgate.tools.shops.embedded.statements import BALANCE

_STATUS = {"pending (item modified)": "pending", "return requested": "delivered", "exchange requested": "delivered"}
_PAID = """
SELECT method_id, sum(CASE WHEN kind = 'payment' THEN amount ELSE -amount END) AS net FROM transfer
WHERE order_id = ? AND cause NOT IN ('return', 'exchange') GROUP BY method_id HAVING net != 0
"""
_BALANCES = f"""
SELECT id, {BALANCE.format(shop="m.shop", method="m.id")}
  - (SELECT coalesce(sum(amount), 0) FROM transfer WHERE method_id = m.id AND kind = 'refund' AND cause = 'exchange')
FROM payment_method m WHERE kind = 'gift_card' AND customer_id = ?
"""

State = Mapping[str, Any]


def differences(talk: Talk, executed: Iterable[Call]) -> Iterator[str]:
    """What is otherwise after these calls than on the unguarded server."""
    writes = [call for call in executed if call.tool in _server().WRITES]
    orders = {call.arguments["order_id"] for call in writes if "order_id" in call.arguments}
    customers = {call.arguments["user_id"] for call in writes if "user_id" in call.arguments}
    other = _unguarded(orders, customers)
    for call in writes:
        other.call(call.tool, dict(call.arguments))
    pairs = [(name, _order(talk, name), _their_order(other.orders[name])) for name in other.orders]
    pairs += [(name, _customer(talk, name), _their_customer(other.users[name])) for name in other.users]
    for name, here, there in pairs:
        yield from (f"{name} {key}: {here[key]} here, {there[key]} there" for key in here if here[key] != there[key])


def _order(talk: Talk, name: str) -> State:
    rows = talk.world.rows
    ((status, address),) = rows("SELECT status, shipping_address FROM orders WHERE id = ?", name)
    lines = dict(rows("SELECT id, variant_id FROM order_line WHERE order_id = ?", name))
    done = {kind: json.loads(text) for kind, text in rows("SELECT kind, lines FROM amendment WHERE order_id = ?", name)}
    swapped = {line: swap["from"] for line, swap in done.get("exchange", {}).items()}
    return {
        "status": status,
        "changed": "items" in done,
        "address": json.loads(address),
        "items": Counter({**lines, **swapped}.values()),
        "paid": dict(rows(_PAID, name)),
        "returned": sorted(lines[line] for line in done.get("return", {})),
        "exchanged": sorted(swapped.values()),
        "for": sorted(lines[line] for line in swapped),
    }


def _their_order(order: State) -> State:
    paid: Counter[str] = Counter()
    for entry in order["payment_history"]:
        sign = 1 if entry["transaction_type"] == "payment" else -1
        paid[entry["payment_method_id"]] += sign * round(entry["amount"] * 100)
    return {
        "status": _STATUS.get(order["status"], order["status"]),
        "changed": order["status"] == "pending (item modified)",
        "address": _address(order["address"]),
        "items": Counter(item["item_id"] for item in order["items"]),
        "paid": {method: amount for method, amount in paid.items() if amount},
        "returned": order.get("return_items", []),
        "exchanged": order.get("exchange_items", []),
        "for": order.get("exchange_new_items", []),
    }


def _customer(talk: Talk, name: str) -> State:
    ((address,),) = talk.world.rows("SELECT address FROM customer WHERE id = ?", name)
    return {"address": json.loads(address), "balances": dict(talk.world.rows(_BALANCES, name))}


def _their_customer(user: State) -> State:
    methods = user["payment_methods"].values()
    balances = {method["id"]: round(method["balance"] * 100) for method in methods if "balance" in method}
    return {"address": _address(user["address"]), "balances": balances}


def _address(address: State) -> State:
    return {
        "line1": address["address1"],
        "line2": address["address2"] or None,
        "city": address["city"],
        "region": address["state"],
        "postal_code": address["zip"],
        "country": {"USA": "US"}.get(address["country"], address["country"]),
    }


@cache
def _server() -> Any:
    spec = importlib.util.spec_from_file_location("unguarded_server", TAU / "unguarded_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _untouched() -> Any:
    return _server().Store(TAU / "retail_db.json", None)


def _unguarded(orders: set[str], customers: set[str]) -> Any:
    """The server's state as it is in the beginning, of these records and their owners only."""
    all_of_it = _untouched()
    other = copy(all_of_it)
    other.orders = {name: deepcopy(all_of_it.orders[name]) for name in sorted(orders)}
    owners = sorted(customers | {order["user_id"] for order in other.orders.values()})
    other.users = {name: deepcopy(all_of_it.users[name]) for name in owners}
    other.methods = {name: it for user in other.users.values() for name, it in user["payment_methods"].items()}
    return other
