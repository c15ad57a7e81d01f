"""How a plan writes records: made, removed and stamped field by field, as the executor applies them."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count

from msgspec import to_builtins

from tillgate.guards.model import Change, Json
from tillgate.guards.money import Currency


@lru_cache(64)
def stamped(moment: datetime) -> str:
    """The time as the record keeps it: RFC 3339, UTC, whole seconds."""
    return f"{to_builtins(moment.astimezone(UTC))[:19]}Z"


def created(
    entity: str, fields: Mapping[str, Json], stamps: Mapping[str, datetime] | None = None
) -> tuple[Change, ...]:
    """The changes that make a record; a field that stays empty is no change."""
    made = [Change(entity, name, None, value) for name, value in fields.items() if value is not None]
    if stamps:
        made += [Change(entity, name, None, stamped(moment), True) for name, moment in stamps.items()]
    return tuple(made)


def deleted(entity: str, fields: Mapping[str, Json]) -> tuple[Change, ...]:
    """The changes that remove a record with these fields."""
    return tuple([Change(entity, name, value, None) for name, value in fields.items() if value is not None])


def next_id(stem: str, taken: Collection[str]) -> str:
    """The first of `stem1`, `stem2`, … that is not taken."""
    return next(candidate for number in count(1) if (candidate := f"{stem}{number}") not in taken)


def in_words(currency: Currency, minor: int) -> str:
    """An amount for a sentence: `18.00 USD`."""
    return f"{currency.format(minor)} {currency.code}"
