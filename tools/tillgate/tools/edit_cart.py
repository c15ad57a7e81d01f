"""Set how many of each variant a cart holds; prices come from the catalogue."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec.structs import replace
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tillgate.guards.model import Change, Plan, Reason
from tillgate.guards.ports import Hints
from tillgate.tools.arguments import Args, ChangeArgs, Id, visible
from tillgate.tools.carts import prices
from tillgate.tools.changes import created, deleted
from tillgate.tools.commerce.model import Cart, CartLine, Customer, Variant
from tillgate.tools.commerce.record import Record
from tillgate.tools.looking import own_cart, seen
from tillgate.tools.spec import Found, Tool
from tillgate.tools.views.carts import CartView, cart_view

_MOST_LINES = 100
_MOST_NAMED = 5


class CartLineArgs(Args):
    variant_id: Id = Field(description="A variant id from search_products or get_product")
    quantity: Annotated[int, Field(ge=0, le=999)] = Field(description="How many there shall be; 0 removes")
    version: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The version of the price the customer was told; refused when it is gone"
    )


def _each_variant_once(lines: tuple[CartLineArgs, ...]) -> tuple[CartLineArgs, ...]:
    if len({line.variant_id for line in lines}) < len(lines):
        raise PydanticCustomError("duplicate", "Name each variant once")
    return lines


class EditCartArgs(ChangeArgs):
    cart_id: Id | None = Field(default=None, description="Leave it out to make a new cart")
    lines: Annotated[tuple[CartLineArgs, ...], Field(min_length=1, max_length=50), AfterValidator(_each_variant_once)]


class EditCart(Tool[EditCartArgs]):
    name = "edit_cart"
    description = (
        "Set the quantities of variants in a cart, or make a cart when there is none. Lines that are not "
        "named stay as they are. Use it for every change to a cart; the answer is the whole cart with its "
        "new total."
    )
    effect = "write"
    intent = "cart"
    hints = Hints(read_only=False, destructive=False, idempotent=True)
    result = CartView
    maybe = frozenset({"customer", "cart"})
    args = EditCartArgs

    def look_up(self, args: EditCartArgs, record: Record) -> Found | Reason:
        return own_cart(args.cart_id, record) if args.cart_id else Found(customer=record.customer())

    def plan(self, args: EditCartArgs, found: Found, record: Record) -> Plan | Reason:
        wanted = {line.variant_id: line.quantity for line in args.lines}
        told = {line.variant_id: line.version for line in args.lines if line.version is not None}
        cart = found.cart or Cart(record.new_id("cart"), None, (), (), version=0)
        held = {line.variant.id: line for line in cart.lines}
        known = {variant_id: line.variant for variant_id, line in held.items()}
        if new := [variant_id for variant_id in wanted if variant_id not in known]:
            known |= record.variants(new)
        lines = _outdated(told, known) or _edited(held, wanted, known)
        if isinstance(lines, Reason):
            return lines
        if found.cart is None and not lines:
            return Reason("empty_cart", "There is nothing to put into a new cart.")
        edited = replace(cart, lines=tuple(lines.values()))
        steps = [(held.get(key), lines.get(key)) for key in {**held, **lines} if held.get(key) != lines.get(key)]
        made = () if found.cart else _new_cart(cart, found.customer, record)
        return Plan(
            self.name,
            f"{'Change' if found.cart else 'Make'} cart {cart.id}: {_in_short(steps)}",
            changes=made + tuple([change for step in steps for change in _line_changes(cart.id, *step)]),
            basis=(((f"cart:{cart.id}", cart.version),) if found.cart else ()) + prices(edited, wanted),
            result=cart_view(edited, record.currency),
        )


def _edited(
    held: Mapping[str, CartLine], wanted: Mapping[str, int], known: Mapping[str, Variant]
) -> Mapping[str, CartLine] | Reason:
    """The lines once those wanted are set, at the price of today; the rest keeps the price at which it was put in."""
    lines = {**held}
    for variant_id, quantity in wanted.items():
        if variant_id not in known:
            return Reason("unknown_variant", f"There is no variant {variant_id} in the catalogue.")
        variant, before = known[variant_id], held.get(variant_id)
        if quantity > variant.stock and quantity != (before.quantity if before else 0):
            return Reason("out_of_stock", f"Of {visible(variant.title)} ({variant_id}) {variant.stock} are in stock.")
        lines[variant_id] = CartLine(variant, quantity, variant.version)
    lines = {variant_id: line for variant_id, line in lines.items() if line.quantity}
    if len(lines) > _MOST_LINES:
        return Reason("cart_full", f"A cart holds at most {_MOST_LINES} different items.")
    return lines


def _outdated(told: Mapping[str, int], known: Mapping[str, Variant]) -> Reason | None:
    """Why a price the customer was told no longer holds."""
    gone = [key for key, version in told.items() if key in known and known[key].version != version]
    return Reason("price_changed", f"The price of {gone[0]} has changed; look it up again.") if gone else None


def _new_cart(cart: Cart, customer: Customer | None, record: Record) -> tuple[Change, ...]:
    owner = {"customer_id": customer.id} if customer else {"conversation": record.conversation.key}
    return created(f"cart:{cart.id}", {"id": cart.id, **owner}, {"created_at": record.now})


def _line_changes(cart_id: str, before: CartLine | None, after: CartLine | None) -> tuple[Change, ...]:
    variant_id = seen(before or after).variant.id
    line_id = f"{cart_id}/{variant_id}"
    entity, fields = f"cart_line:{line_id}", {"id": line_id, "cart_id": cart_id, "variant_id": variant_id}
    if before is None or after is None:
        line = seen(before or after)
        made = {**fields, "quantity": line.quantity, "quoted": line.version}
        return created(entity, made) if after else deleted(entity, made)
    values = {"quantity": (before.quantity, after.quantity), "quoted": (before.version, after.version)}
    return tuple(Change(entity, name, was, will) for name, (was, will) in values.items() if was != will)


def _in_short(steps: Sequence[tuple[CartLine | None, CartLine | None]]) -> str:
    """What changes, for a person who is asked to agree: `Cap 2, T-Shirt 1 instead of 3`."""
    words = [_line_in_short(before, after) for before, after in steps[:_MOST_NAMED]]
    more = f" and {len(steps) - _MOST_NAMED} more" if len(steps) > _MOST_NAMED else ""
    return ", ".join(words) + more if words else "nothing changes"


def _line_in_short(before: CartLine | None, after: CartLine | None) -> str:
    variant = seen(after or before).variant
    options = "/".join(variant.options.values())
    name = visible(f"{variant.title} {options}".strip())
    instead = f" instead of {before.quantity}" if before else ""
    return f"{name} {after.quantity if after else 0}{instead}"
