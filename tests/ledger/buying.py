"""The arithmetic of orders: what goes back, what is captured and which goods move."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ledger.model import BALANCES, Add, Deed, Model, Put, Step, Transfer

AN_HOUR = timedelta(minutes=60)


def refund(
    model: Model, who: int, order: str, amount: int | None, lines: Mapping[str, int] | None, to: str | None
) -> Deed | None:
    """Money back for an order, some of its lines or a part of either."""
    if not _mine(model, who, order) or model.get("status", order) == "cancelled":
        return None
    most = model.held(order) if lines is None else _worth(model, order, lines)
    wanted = most if amount is None else amount
    method, opened = _to(model, who, to)
    if not most or not wanted or wanted > model.held(order) or wanted > (most or 0) or method == "":
        return None
    back = _back(model, order, wanted, method, "refund", lines or {})
    return Deed((*opened, *back), (f"order:{order}",), wanted, final=True)


def take_back_goods(model: Model, who: int, order: str, lines: Mapping[str, int], to: str | None) -> Deed | None:
    """A return: the money is promised, the goods are still with the customer."""
    if not _mine(model, who, order) or model.get("status", order) != "delivered":
        return None
    if any(line in swap for swap in _exchanged(model, order) for line in lines):
        return None
    if any(not model.tables["line"][line].goods for line in lines if line in model.tables["line"]):
        return None
    worth = _worth(model, order, lines)
    method, opened = _to(model, who, to)
    if worth is None or method == "":
        return None
    back = _back(model, order, min(worth, model.held(order)), method, "return", lines)
    steps = (*opened, *back, _amend(model, order, "return", lines))
    return Deed(steps, (f"order:{order}",), _sum(back)) if back else None


def cancel(model: Model, who: int, order: str) -> Deed | None:
    """Everything that is left goes back to where it came from, and all goods are free."""
    if not _mine(model, who, order) or model.get("status", order) in ("cancelled", "shipped", "delivered"):
        return None
    back = _back(model, order, model.held(order), None, "cancellation", {})
    goods = [Add("stock", model.get("variant", line), row.quantity) for line, row in _goods(model, order)]
    steps: tuple[Step, ...] = (
        model.put("status", order, "cancelled"),
        *back,
        *goods,
        _amend(model, order, "cancellation", {}),
    )
    return Deed(steps, (f"order:{order}",), _sum(back), AN_HOUR)


def pay_otherwise(model: Model, who: int, order: str, method: str) -> Deed | None:
    """What other methods pay is captured from this one and goes back to them, once."""
    if not _mine(model, who, order) or model.get("status", order) != "pending" or not model.owns(who, method):
        return None
    others = [(name, row) for name, row in model.payments(order) if row.method != method and model.left(name)]
    amount = sum(model.left(name) for name, _ in others)
    if not others or _short(model, method, amount):
        return None
    back: list[Put] = []
    for name, row in others:
        back.append(_refunded(model, order, name, row.method, model.left(name), "payment", {}, len(back)))
    steps = (_capture(model, order, method, amount, "payment"), *back, _amend(model, order, "payment", {}))
    return Deed(steps, (f"order:{order}",), lasts=AN_HOUR)


def swap(model: Model, who: int, tool: str, order: str, wanted: Sequence[tuple[str, str]], method: str) -> Deed | None:
    """Each line at its own new variant's price; the difference is settled with the method."""
    exchange = tool == "exchange_items"
    if not _mine(model, who, order) or model.get("status", order) != ("delivered" if exchange else "pending"):
        return None
    if not model.owns(who, method) or not _can_swap(model, order, wanted):
        return None
    steps, difference = _lines(model, wanted)
    if _short(model, method, difference):
        return None
    for line, variant in wanted:
        quantity = model.tables["line"][line].quantity
        steps.append(Add("stock", variant, -quantity))
        if not exchange:
            steps.append(Add("stock", model.get("variant", line), quantity))
    cause = "exchange" if exchange else "items"
    back = _back(model, order, max(0, -difference), method, cause, {})
    steps += [_capture(model, order, method, difference, cause)] if difference > 0 else back
    told = {line: {"from": model.get("variant", line), "to": variant} for line, variant in wanted}
    steps.append(_amend(model, order, cause, told))
    roots = (f"order:{order}", *(f"variant:{variant}" for _, variant in wanted))
    return Deed(tuple(steps), roots, _sum(back), AN_HOUR)


def readdress(model: Model, who: int, order: str | None, address: str) -> Deed | None:
    """Where an order goes, or the address on the profile."""
    about = order or f"cus_{who}"
    root = f"order:{order}" if order else f"customer:{about}"
    if order and (not _mine(model, who, order) or model.get("status", order) in ("cancelled", "shipped", "delivered")):
        return None
    if model.get("address", about) == address:
        return Deed(roots=(root,))
    moved = model.put("address", about, address)
    if order:
        return Deed((moved, _amend(model, order, "address", {})), (root,))
    return Deed((moved, model.put("address_at", about, model.now.strftime("%Y-%m-%dT%H:%M:%SZ"))), (root,))


def _mine(model: Model, who: int, order: str) -> bool:
    return bool(model.get("owner", order) == f"cus_{who}")


def _goods(model: Model, order: str) -> list[tuple[str, Any]]:
    return [(line, row) for line, row in model.tables["line"].items() if row.order == order and row.goods]


def _worth(model: Model, order: str, lines: Mapping[str, int]) -> int | None:
    """What these units cost the customer, the odd cents on the first ones; None when they cannot come back."""
    total = 0
    for line, count in lines.items():
        row = model.get("line", line)
        if row is None or row.order != order:
            return None
        taken = model.returned(line)
        if count > row.quantity - taken:
            return None
        whole, odd = divmod(model.get("unit", line) * row.quantity - model.get("discount", line), row.quantity)
        total += sum(whole + (unit < odd) for unit in range(taken, taken + count))
    return total


def _to(model: Model, who: int, to: str | None) -> tuple[str | None, tuple[Put, ...]]:
    """The method that is meant, and the account that is opened for it; an empty name when there is none."""
    if to in (None, "original"):
        return None, ()
    if to != "store_credit":
        return (to, ()) if model.owns(who, to) else ("", ())
    mine = [key for key, row in model.tables["method"].items() if row == (f"cus_{who}", "store_credit")]
    new = f"cus_{who}-credit"
    return (mine[0], ()) if mine else (new, (Put("method", new, None, (f"cus_{who}", "store_credit")),))


def _short(model: Model, method: str, amount: int) -> bool:
    return amount > 0 and model.kind_of(method) in BALANCES and model.available(method) < amount


def _back(
    model: Model, order: str, amount: int, to: str | None, cause: str, lines: Mapping[str, int]
) -> tuple[Put, ...]:
    """From the payments in their order, those of the same method first; the lines stand on the first refund."""
    made: list[Put] = []
    for name, row in sorted(model.payments(order), key=lambda each: to is not None and each[1].method != to):
        part = min(amount, model.left(name))
        if part > 0:
            made.append(_refunded(model, order, name, to or row.method, part, cause, lines, len(made)))
            amount -= part
    return tuple(made)


def _refunded(
    model: Model, order: str, payment: str, to: str, amount: int, cause: str, lines: Mapping[str, int], nth: int
) -> Put:
    named = "{}" if nth else json.dumps(dict(lines), sort_keys=True)
    made = Transfer("refund", order, to, payment, amount, cause, cause == "return", named)
    return Put("transfer", _free(model, "transfer", f"refund/{order}-r", nth), None, made)


def _capture(model: Model, order: str, method: str, amount: int, cause: str) -> Put:
    made = Transfer("payment", order, method, None, amount, cause, False, "{}")
    return Put("transfer", _free(model, "transfer", f"payment/{order}-p"), None, made)


def _amend(model: Model, order: str, kind: str, lines: Mapping[str, Any]) -> Put:
    return Put(
        "amendment",
        _free(model, "amendment", f"{order}-a"),
        None,
        (order, kind, json.dumps(dict(lines), sort_keys=True)),
    )


def _free(model: Model, kind: str, stem: str, nth: int = 0) -> str:
    """The name after `nth` others that are not taken."""
    free = [name for number in range(1, 200) if (name := f"{stem}{number}") not in model.tables[kind]]
    return free[nth]


def _sum(steps: Sequence[Put]) -> int:
    return sum(step.after.amount for step in steps)


def _exchanged(model: Model, order: str) -> list[Mapping[str, Any]]:
    return [json.loads(lines) for lines in model.amendments(order, "exchange")]


def _can_swap(model: Model, order: str, wanted: Sequence[tuple[str, str]]) -> bool:
    needed: dict[str, int] = {}
    for line, variant in wanted:
        row = model.get("line", line)
        if row is None or row.order != order or not row.goods or variant not in model.tables["stock"]:
            return False
        if model.get("product", variant) != model.get("product", model.get("variant", line)):
            return False
        if variant == model.get("variant", line) or model.returned(line) > 0:
            return False
        if any(line in each for each in _exchanged(model, order)):
            return False
        needed[variant] = needed.get(variant, 0) + row.quantity
    return all(model.get("stock", variant) >= units for variant, units in needed.items())


def _lines(model: Model, wanted: Sequence[tuple[str, str]]) -> tuple[list[Step], int]:
    """The new lines, a discount as far as the price covers it, and what they cost more."""
    steps: list[Step] = []
    difference = 0
    for line, variant in wanted:
        quantity, unit, discount = (
            model.tables["line"][line].quantity,
            model.get("unit", line),
            model.get("discount", line),
        )
        price = model.get("price", variant)
        less = min(discount, price * quantity)
        new = (model.put("variant", line, variant), model.put("unit", line, price), model.put("discount", line, less))
        steps += [step for step in new if step.before != step.after]
        difference += (price * quantity - less) - (unit * quantity - discount)
    return steps, difference
