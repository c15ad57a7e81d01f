"""Money shared out to the cent: the parts of a sum always add up to it (largest remainder)."""

from collections.abc import Sequence


def allocate(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """`total` minor units split in proportion to the weights; what rounding leaves goes to the largest remainders.

    Parts with equal remainders are served in their order. No part exceeds its weight while `total` does not exceed
    their sum. Raises ValueError for a negative number or when there is something to split and no weight.
    """
    whole = sum(weights)
    if total < 0 or any(weight < 0 for weight in weights) or (total and not whole):
        raise ValueError("only a sum that is not negative can be split, over weights that are not")
    if not whole:
        return (0,) * len(weights)
    floors = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(total * weights[place] % whole))
    for place in by_remainder[: total - sum(floors)]:
        floors[place] += 1
    return tuple(floors)


def first_units(amount: int, quantity: int, count: int) -> int:
    """What the first `count` of `quantity` equal units of an amount are worth; the first units bear the odd cents."""
    each, odd = divmod(amount, quantity)
    return each * count + min(count, odd)
