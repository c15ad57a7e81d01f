"""The arithmetic of carts: quantities, the price the customer was told, and offers one after the other."""

from collections.abc import Mapping

from ledger.model import Deed, Model, Offer, Put


def fill(
    model: Model, who: int, cart: str | None, lines: Mapping[str, tuple[int, int | None]], new: str
) -> Deed | None:
    """Quantities of variants, each with the version of the price the customer was told, if any."""
    if cart is not None and not mine(model, who, cart):
        return None
    place = cart or new
    held = {} if cart is None else contents(model, cart)
    for variant, (quantity, told) in lines.items():
        stock = model.get("stock", variant)
        if stock is None or told not in (None, model.get("version", f"variant:{variant}")):
            return None
        if quantity > stock and quantity != held.get(variant, 0):
            return None
    after = {
        key: count for key, count in {**held, **{key: count for key, (count, _) in lines.items()}}.items() if count
    }
    if cart is None and not after:
        return None
    made = () if cart else (Put("cart", new, None, f"cus_{who}"),)
    steps = [step for key in {**held, **after} for step in _line(model, place, key, after.get(key), key in lines)]
    basis = tuple(f"variant:{key}" for key in after)
    return Deed((*made, *steps), ((f"cart:{cart}",) if cart else ()) + basis)


def discount(model: Model, who: int, cart: str, code: str, told: int | None) -> Deed | None:
    """An offer on file, on a cart whose prices the customer knows."""
    offer = model.get("offer", code)
    if not mine(model, who, cart) or offer is None or told not in (None, model.get("version", f"offer:{code}")):
        return None
    if any(stale(model, cart, key) for key in contents(model, cart)) or not fits(model, who, cart, code):
        return None
    roots = (f"cart:{cart}", f"offer:{code}", *(f"variant:{key}" for key in contents(model, cart)))
    return Deed((Put("on_cart", f"{cart}/{code}", None, 1),), roots, gain(model, cart, code))


def full_price(model: Model, who: int, cart: str, code: str) -> Deed | None:
    """The offer is off the cart again."""
    if not mine(model, who, cart) or code not in offers(model, cart):
        return None
    return Deed((Put("on_cart", f"{cart}/{code}", 1, None),), (f"cart:{cart}",))


def mine(model: Model, who: int, cart: str) -> bool:
    return bool(model.get("cart", cart) == f"cus_{who}")


def contents(model: Model, cart: str) -> dict[str, int]:
    """How many of each variant are in a cart."""
    found = {key.partition("/"): count for key, count in model.tables["quantity"].items()}
    return {variant: count for (place, _, variant), count in sorted(found.items()) if place == cart}


def stale(model: Model, cart: str, variant: str) -> bool:
    """Whether the price the customer was told is no longer the shop's."""
    return bool(model.get("quoted", f"{cart}/{variant}") != model.get("version", f"variant:{variant}"))


def offers(model: Model, cart: str) -> dict[str, Offer]:
    """The offers on a cart that run now, by code."""
    codes = sorted(key.partition("/")[2] for key in model.tables["on_cart"] if key.partition("/")[0] == cart)
    return {code: offer for code in codes if _runs(model, offer := model.get("offer", code))}


def subtotal(model: Model, cart: str) -> int:
    return sum(model.get("price", key) * count for key, count in contents(model, cart).items())


def off(model: Model, cart: str, codes: Mapping[str, Offer]) -> int:
    """What these offers take off: one after the other, in the order of their codes, of what is left."""
    whole = left = subtotal(model, cart)
    for _, offer in sorted(codes.items()):
        if whole >= offer.minimum:
            cut = (2 * left * offer.value + 10_000) // 20_000 if offer.kind == "percent" else offer.value
            left = max(0, left - cut)
    return whole - left


def gain(model: Model, cart: str, code: str) -> int:
    """What an offer takes off beyond those that are there."""
    there = offers(model, cart)
    return max(0, off(model, cart, {**there, code: model.get("offer", code)}) - off(model, cart, there))


def fits(model: Model, who: int, cart: str, code: str) -> bool:
    """Whether the offer can go on the cart as it stands."""
    offer, there = model.get("offer", code), offers(model, cart)
    used = [
        key for key in model.tables["on_cart"] if key.partition("/")[2] == code and key.partition("/")[0] != cart
        and mine(model, who, key.partition("/")[0])
    ]  # fmt: skip
    if not _runs(model, offer) or len(used) >= offer.most or code in there:
        return False
    stack = not there or (offer.stackable and all(each.stackable for each in there.values()))
    return bool(stack and subtotal(model, cart) >= offer.minimum)


def _runs(model: Model, offer: Offer) -> bool:
    return offer.ends is None or model.now.strftime("%Y-%m-%dT%H:%M:%SZ") < offer.ends


def _line(model: Model, cart: str, variant: str, count: int | None, named: bool) -> list[Put]:
    """A line that is named is set at today's price."""
    key = f"{cart}/{variant}"
    version = model.get("version", f"variant:{variant}") if named and count else None
    quoted = version or (model.get("quoted", key) if count else None)
    steps = (model.put("quantity", key, count), model.put("quoted", key, quoted))
    return [step for step in steps if step.before != step.after]
