"""The arithmetic of taking back: the same steps the other way round, while nothing they touched has moved."""

from collections.abc import Iterable

from ledger.carts import contents, fits, gain, offers
from ledger.model import BALANCES, Add, Deed, Model, Put, Step, captures, puts

_BEFORE_DISPATCH = {"items", "payment", "address", "cancellation"}


def undo(model: Model, who: int, call_id: str) -> Deed | None:
    """The deed that takes this call back, or None when it cannot be."""
    done = model.done.get(call_id)
    if done is None or done.who != who or done.undone or done.deed.final or not done.deed.steps:
        return None
    deed = done.deed
    if deed.lasts is not None and model.now >= done.at + deed.lasts:
        return None
    if _moved(model, deed) or _gone(model, deed) or _spent(model, who, deed) or _sold(model, deed):
        return None
    returning = [step.key for step in puts(deed, "on_cart") if step.after is None]
    cuts = 0
    for cart, _, code in (key.partition("/") for key in returning):
        if not fits(model, who, cart, code):
            return None
        cuts += gain(model, cart, code)
    back = tuple(_back(step) for step in reversed(deed.steps))
    return Deed(back, _roots(deed, who), max(0, _paid_back(deed)) + cuts, final=True, undoes=call_id)


def _back(step: Step) -> Step:
    if isinstance(step, Add):
        return Add(step.kind, step.key, -step.amount)
    return Put(step.kind, step.key, step.after, step.before)


def _moved(model: Model, deed: Deed) -> bool:
    """Whether something is not as the deed left it, or more was put into what it made."""
    if any(isinstance(step, Put) and model.get(step.kind, step.key) != step.after for step in deed.steps):
        return True
    made = {step.key for step in deed.steps}
    for cart in (step.key for step in puts(deed, "cart")):
        if any(f"{cart}/{key}" not in made for key in (*contents(model, cart), *offers(model, cart))):
            return True
    accounts = {step.key for step in puts(deed, "method")}
    others = [row for key, row in model.tables["transfer"].items() if key not in made]
    return any(row.method in accounts for row in others)


def _gone(model: Model, deed: Deed) -> bool:
    """Whether the order was cancelled since, or is on its way."""
    cancels = bool(puts(deed, "status"))
    kinds = {step.after[1] for step in puts(deed, "amendment")}
    for order in _ids(deed, "order"):
        status = model.get("status", order)
        if not cancels and (status == "cancelled" or (kinds & _BEFORE_DISPATCH and status in ("shipped", "delivered"))):
            return True
    return False


def _spent(model: Model, who: int, deed: Deed) -> bool:
    """Whether a payment it made was refunded since, or a balance it raised was used."""
    own = {step.key for step in puts(deed, "transfer")}
    paid = {name for name, _ in captures(deed)}
    if any(row.payment in paid and name not in own for name, row in model.tables["transfer"].items()):
        return True
    mine = [key for key, (owner, kind) in model.tables["method"].items() if owner == f"cus_{who}" and kind in BALANCES]
    for method in mine:
        rows = [step.after for step in puts(deed, "transfer") if step.after.method == method]
        back = sum(row.amount if row.kind == "payment" else 0 if row.waits else -row.amount for row in rows)
        if model.available(method) + back < 0:
            return True
    return False


def _sold(model: Model, deed: Deed) -> bool:
    """Whether goods it set free are gone."""
    freed: dict[str, int] = {}
    for step in deed.steps:
        if isinstance(step, Add):
            freed[step.key] = freed.get(step.key, 0) + step.amount
    return any(model.get("stock", variant) < units for variant, units in freed.items())


def _paid_back(deed: Deed) -> int:
    rows = [step.after for step in puts(deed, "transfer")]
    return sum(row.amount if row.kind == "payment" else -row.amount for row in rows)


def _ids(deed: Deed, kind: str) -> Iterable[str]:
    return [root.partition(":")[2] for root in deed.roots if root.startswith(f"{kind}:")]


def _roots(deed: Deed, who: int) -> tuple[str, ...]:
    """The orders, carts and customers whose records the deed touched."""
    kept = {root for root in deed.roots if root.partition(":")[0] in ("order", "cart", "customer")}
    made = {f"cart:{step.key}" for step in puts(deed, "cart")}
    return tuple(sorted(kept | made | ({f"customer:cus_{who}"} if puts(deed, "method") else set[str]())))
