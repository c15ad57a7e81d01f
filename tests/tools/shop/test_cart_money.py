"""A cart's money is derived and bounded: no set of offers takes more off than is there."""

from hypothesis import given
from hypothesis import strategies as st

from tillgate.tools.commerce.model import Cart, CartLine, Offer, OfferKind, Variant

variants = st.builds(
    Variant,
    id=st.just("v"),
    product_id=st.just("p"),
    title=st.just("t"),
    options=st.just({}),
    price=st.integers(0, 10**9),
    cost=st.none() | st.integers(0, 10**9),
    stock=st.just(1),
    version=st.just(1),
)
kinds: st.SearchStrategy[tuple[OfferKind, int]] = st.one_of(
    st.tuples(st.just("percent"), st.integers(1, 10_000)),
    st.tuples(st.just("amount"), st.integers(0, 10**9)),
    st.just(("free_shipping", 0)),
)
offers = kinds.flatmap(
    lambda what: st.builds(
        Offer,
        code=st.text("AB", min_size=1),
        kind=st.just(what[0]),
        value=st.just(what[1]),
        minimum=st.integers(0, 10**6),
        starts_at=st.none(),
        ends_at=st.none(),
        stackable=st.booleans(),
        max_uses_per_customer=st.none(),
        tags=st.just(()),
        version=st.just(1),
    )
)
lines = st.lists(st.builds(CartLine, variant=variants, quantity=st.integers(1, 999)), max_size=5)


@given(lines=lines, offers=st.lists(offers, max_size=5))
def test_a_discount_is_never_below_zero_nor_above_the_subtotal(lines: list[CartLine], offers: list[Offer]) -> None:
    cart = Cart("c", None, tuple(lines), tuple(offers), 1)
    assert 0 <= cart.discount <= cart.subtotal
    assert cart.total == cart.subtotal - cart.discount >= 0


@given(lines=lines, offers=st.lists(offers, max_size=3), more=offers)
def test_a_further_offer_at_the_end_never_makes_a_cart_dearer(
    lines: list[CartLine], offers: list[Offer], more: Offer
) -> None:
    cart = Cart("c", None, tuple(lines), tuple(offers), 1)
    assert Cart("c", None, tuple(lines), (*offers, more), 1).total <= cart.total


@given(offer=offers, subtotal=st.integers(0, 10**12))
def test_below_its_minimum_an_offer_takes_nothing_off(offer: Offer, subtotal: int) -> None:
    assert 0 <= offer.reduction(subtotal, subtotal) <= subtotal
    if subtotal < offer.minimum:
        assert offer.reduction(subtotal, subtotal) == 0
