"""New cases of every category, made by seeded chance: as many as are asked for, and the same for the same seed."""

from collections.abc import Callable, Iterator, Mapping

from tau import edges, spoilt
from tau.adapter import Json
from tau.market import Market
from tau.playing import Case
from tau.spoilt import CHANGE, EXCHANGE, STATUS, WRITES, Made

_STATUS_RULES = dict(zip(("R10", "R13", "R14", "R19", "R28", "R32"), STATUS, strict=True))
_RETURN, _PAY = "return_delivered_order_items", "modify_pending_order_payment"

MAKERS: Mapping[str, Callable[[Market], Made]] = {
    "R1 nobody was identified": spoilt.nobody,
    "R2 somebody else is looked up": spoilt.other_look_up,
    "R3 what belongs to somebody else": spoilt.foreign,
    "R3 another order's money to an own method": spoilt.foreign_order_own_method,
    "R4 no yes": spoilt.unconfirmed,
    "R5 a yes to something else": spoilt.confirmed_otherwise,
    "R8 an id nobody knows": spoilt.unknown_id,
    **{f"{rule} wrong status for {tool}": spoilt.wrong_status(tool) for rule, tool in _STATUS_RULES.items()},
    "R9 cancelled a moment ago": spoilt.cancelled_before,
    "R11 another reason": spoilt.other_reason,
    **{
        f"{rule} a method of nobody or somebody else": spoilt.foreign_method(tool)
        for rule, tool in {"R15": _PAY, "R26": CHANGE, "R30": _RETURN, "R37": EXCHANGE}.items()
    },
    "R16 the method that pays already": spoilt.same_method,
    "R17 a gift card that holds too little": spoilt.card_too_small,
    "R18 a second payment change": spoilt.paid_otherwise_before,
    "R20 a second items change": spoilt.after_items([CHANGE]),
    "R21 a change after the items": spoilt.after_items([tool for tool in STATUS if STATUS[tool] == "pending"][:3]),
    "R22 items of another order, or too many": spoilt.not_on_the_order(CHANGE),
    "R29 items of another order, or too many": spoilt.not_on_the_order(_RETURN),
    "R33 items of another order, or too many": spoilt.not_on_the_order(EXCHANGE),
    "R23 another product": spoilt.spoilt_swap(CHANGE, spoilt.of_another_product),
    "R34 another product": spoilt.spoilt_swap(EXCHANGE, spoilt.of_another_product),
    "R24 sold out": spoilt.spoilt_swap(CHANGE, spoilt.sold_out),
    "R35 sold out": spoilt.spoilt_swap(EXCHANGE, spoilt.sold_out),
    "R25 the same variant": spoilt.spoilt_swap(CHANGE, spoilt.the_same),
    "R36 the same variant": spoilt.spoilt_swap(EXCHANGE, spoilt.the_same),
    "R27 a gift card that holds too little": spoilt.swap_too_dear(CHANGE),
    "R38 a gift card that holds too little": spoilt.swap_too_dear(EXCHANGE),
    "R31 money back to a third method": spoilt.return_elsewhere,
    "R39 a second return or exchange": spoilt.second_request,
    "H1 cancelled after a payment change": spoilt.cancel_after_payment,
    "H2 several items": spoilt.several_items,
    "H3 an empty list": spoilt.empty_list,
    "H4 one gift card, two exchanges": spoilt.spent_twice,
    "H5 an address nobody delivers to": spoilt.bad_address,
    **{f"lawful {tool}": edges.lawful(tool) for tool in WRITES},
    "lawful gift card just enough for a change": edges.just_enough(CHANGE),
    "lawful gift card just enough for an exchange": edges.just_enough(EXCHANGE),
    "lawful return to a gift card": edges.back_to_gift_card,
    "lawful difference back to any method": edges.cheaper_to_any_method,
    "lawful exchange from a sold-out variant": edges.from_a_sold_out_variant,
    "lawful address, then payment, then items": edges.address_payment_items,
    "lawful address, then cancelled": edges.address_then_cancel,
    "lawful card filled by a cancellation": edges.refilled_card,
    "lawful after two misses": edges.two_misses,
    "lawful second look-up of the same customer": edges.same_customer_again,
    "lawful after somebody else was refused": edges.refused_then_own,
    "lawful returns of two orders": edges.returns_of_two_orders,
    "lawful beside a locked order": edges.a_lock_binds_one_order,
    "lawful return of every copy": edges.every_copy,
    "lawful read after a write": edges.read_after_write,
    "lawful catalogue and profile": edges.catalogue,
}
"""By category; the first word is the rule that is broken, or `lawful`."""


def unseen(shop: Json, count: int, seed: int) -> Iterator[Case]:
    """So many new cases, every category in its turn."""
    market, names = Market(shop, seed), list(MAKERS)
    for number in range(count):
        name = names[number % len(names)]
        yield _named(f"U{number:05d}", name, _drawn(market, name), market)


def _named(case: str, category: str, made: Made, market: Market) -> Case:
    rule = category.split()[0]
    look_up = () if made.anonymous else (market.look_up(made.customer),)
    return Case(
        id=case,
        category=category,
        violates=() if rule == "lawful" else (rule,),
        expected=made.expected,
        before=(*look_up, *made.before),
        call=made.call,
        customer=None if made.anonymous else made.customer,
        confirmed=made.confirmed,
        agreed=made.agreed,
    )


def _drawn(market: Market, name: str) -> Made:
    for _ in range(2_000):
        try:
            return MAKERS[name](market)
        except IndexError:
            continue  # nothing fitted this time
    raise AssertionError(f"the shop has nothing for {name}")
