"""Other variants of the same products in an order: what they cost, and how the difference is settled.

The rule it keeps: each line is priced as its own new variant, and the order has captured exactly what its lines cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from msgspec.structs import replace
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tillgate.guards.model import Change, Impact, Json, Plan, Reason, Undo
from tillgate.tools.amending import (
    CARD_RESIDUE,
    UNKNOWN_LINE,
    UNKNOWN_METHOD,
    amendment,
    payment_changes,
    short_of,
    stock_moves,
)
from tillgate.tools.arguments import Args, ChangeArgs, Id, visible
from tillgate.tools.changes import in_words
from tillgate.tools.commerce.model import AmendmentKind, Cause, Customer, Order, OrderLine, PaymentMethod, Variant
from tillgate.tools.commerce.record import Record
from tillgate.tools.facts import method_facts
from tillgate.tools.refunding import SETTLES, line_left, lost, refund_changes, refunds, shares
from tillgate.tools.views.amendments import swap_result


class SwapLine(Args):
    line_id: Id = Field(description="An id from the order's lines")
    new_variant_id: Id = Field(description="Another variant of the same product")


def _each_line_once(lines: tuple[SwapLine, ...]) -> tuple[SwapLine, ...]:
    if len({line.line_id for line in lines}) < len(lines):
        raise PydanticCustomError("duplicate", "Name each line once")
    return lines


class SwapArgs(ChangeArgs):
    order_id: Id
    lines: Annotated[tuple[SwapLine, ...], Field(min_length=1, max_length=50), AfterValidator(_each_line_once)]
    payment_method_id: Id = Field(description="A method on file that pays, or receives, the difference")


@dataclass(frozen=True, slots=True)
class Swap:
    """One line as it is, and as it will be."""

    before: OrderLine
    after: OrderLine
    variant: Variant


def swap_plan(
    tool: str, kind: AmendmentKind, args: SwapArgs, customer: Customer, order: Order, record: Record
) -> Plan | Reason:
    """The plan of a tool that swaps lines: the lines, the stock, the difference and the amendment."""
    method = customer.method(args.payment_method_id)
    if method is None:
        return UNKNOWN_METHOD
    swaps = _swaps(args.lines, order, record.variants([line.new_variant_id for line in args.lines]))
    if isinstance(swaps, Reason):
        return swaps
    difference = sum(swap.after.amount - swap.before.amount for swap in swaps)
    if short := short_of(method, difference):
        return short
    money = _settled(order, customer, method, difference, "exchange" if kind == "exchange" else "items", record)
    if isinstance(money, Reason):
        return money
    back, money_changes = money
    now = record.now
    return Plan(
        tool,
        f"{_words(kind)} {len(swaps)} {'item' if len(swaps) == 1 else 'items'} of order {order.id}: "
        f"{_in_short(swaps)}; {_difference(difference, record)}",
        changes=(
            *(change for swap in swaps for change in _line_changes(swap)),
            *stock_moves(order, _moves(swaps, kind)),
            *money_changes,
            *amendment(order, kind, now, _told(swaps)),
        ),
        impact=Impact(back, "refund" if back else "none"),
        basis=(
            (f"order:{order.id}", order.version),
            *((f"variant:{swap.variant.id}", swap.variant.version) for swap in swaps),
        ),
        undo=Undo(until=now + SETTLES, residue=CARD_RESIDUE if difference and method.balance is None else None),
        method=method_facts(method, original=method.id in {payment.method_id for payment in order.paying}),
        result=swap_result(order.id, [swap.after for swap in swaps], difference, method.id, record.currency),
    )


def _swaps(lines: tuple[SwapLine, ...], order: Order, variants: Mapping[str, Variant]) -> tuple[Swap, ...] | Reason:
    swaps: list[Swap] = []
    wanted: dict[str, int] = {}
    for asked in lines:
        line, variant = order.line(asked.line_id), variants.get(asked.new_variant_id)
        if line is None or line.variant_id is None:
            return UNKNOWN_LINE
        if variant is None:
            return Reason("unknown_variant", f"There is no variant {asked.new_variant_id} in the catalogue.")
        if reason := _unfit(order, line, variant):
            return reason
        wanted[variant.id] = wanted.get(variant.id, 0) + line.quantity
        if wanted[variant.id] > variant.stock:
            return Reason("out_of_stock", f"Of {visible(variant.title)} ({variant.id}) {variant.stock} are in stock.")
        swaps.append(Swap(line, _swapped(line, variant), variant))
    return tuple(swaps)


def _unfit(order: Order, line: OrderLine, variant: Variant) -> Reason | None:
    if variant.product_id != line.product_id:
        return Reason("other_product", "An item can only be swapped for another variant of the same product.")
    if variant.id == line.variant_id:
        return Reason("same_variant", "That is the variant which is on the order already.")
    if line_left(order, line) < line.quantity:
        return Reason("already_refunded", "A part of this line was refunded or is being returned.")
    if any(line.id in each.lines for each in order.amended("exchange")):
        return Reason("already_exchanged", "This line is being exchanged already.")
    return None


def _swapped(line: OrderLine, variant: Variant) -> OrderLine:
    """The line at its own new variant's price; a discount stays with the line, as far as the price covers it."""
    discount = min(line.discount, variant.price * line.quantity)
    return replace(line, variant_id=variant.id, options=variant.options, unit_price=variant.price, discount=discount)


def _settled(
    order: Order, customer: Customer, method: PaymentMethod, difference: int, cause: Cause, record: Record
) -> tuple[int, tuple[Change, ...]] | Reason:
    """What leaves the shop, and the changes that settle the difference with the method."""
    if difference > 0:
        return 0, payment_changes(order, method, difference, cause, record.now)
    parts = shares(order, customer, -difference, method)
    if reason := lost(parts, customer):
        return reason
    made = refunds(order, parts, cause, "price difference", {}, record.now)
    return sum(part.amount for part in parts), refund_changes(order, made)


def _line_changes(swap: Swap) -> tuple[Change, ...]:
    entity, before, after = f"order_line:{swap.before.id}", swap.before, swap.after
    values = {
        "variant_id": (before.variant_id, after.variant_id),
        "unit_price": (before.unit_price, after.unit_price),
        "discount": (before.discount, after.discount),
    }
    return tuple(Change(entity, name, was, will) for name, (was, will) in values.items() if was != will)


def _moves(swaps: tuple[Swap, ...], kind: AmendmentKind) -> tuple[tuple[OrderLine, int], ...]:
    """New units are taken at once; the old ones are free only if they never left the shop."""
    taken = tuple((swap.after, -swap.after.quantity) for swap in swaps)
    freed = tuple((swap.before, swap.before.quantity) for swap in swaps) if kind == "items" else ()
    return taken + freed


def _told(swaps: tuple[Swap, ...]) -> dict[str, Json]:
    return {swap.before.id: {"from": swap.before.variant_id, "to": swap.after.variant_id} for swap in swaps}


def _words(kind: AmendmentKind) -> str:
    return "Exchange" if kind == "exchange" else "Change"


def _in_short(swaps: tuple[Swap, ...]) -> str:
    words = [f"{visible(s.after.title)} to {'/'.join(visible(o) for o in s.after.options.values())}" for s in swaps[:5]]
    return ", ".join(words) + (f" and {len(swaps) - 5} more" if len(swaps) > 5 else "")


def _difference(difference: int, record: Record) -> str:
    if difference == 0:
        return "the price stays the same"
    words = in_words(record.currency, abs(difference))
    return f"{words} more to pay" if difference > 0 else f"{words} back"
