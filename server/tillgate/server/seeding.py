"""`tillgate seed`: a shop file into the store, all or nothing, with a record of it in the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tillgate.guards.errors import ConfigurationError
from tillgate.server.app import open_store
from tillgate.server.settings import settings
from tillgate.tools.addresses import AddressArgs
from tillgate.tools.phones import possible_phone
from tillgate.tools.shops.embedded.load import ShopFile, load_shop
from tillgate.tools.shops.embedded.seed import seed
from tillgate.tools.shops.embedded.shop_file import AddressEntry
from tillgate.tools.shops.embedded.strict_json import Finding, lines

_MOST_WARNINGS = 10


@dataclass(frozen=True, slots=True)
class Seeded:
    """What is in the store now, in a sentence, and what looks wrong in it, a line each."""

    report: str
    warnings: tuple[str, ...]


def seed_file(path: Path, *, db: str | None, shop: str | None = None, replace: bool) -> Seeded:
    """Load a shop file and say what is there now. Raises SeedError with every finding, nothing changed."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    return seed_text(text, db=db, shop=shop, replace=replace, source=str(path))


def seed_text(text: bytes, *, db: str | None, shop: str | None = None, replace: bool, source: str) -> Seeded:
    """The same from bytes; `source` names them in the log."""
    store = open_store(settings(db=db, shop=shop))
    try:
        with store.transaction() as desk:
            report = seed(desk.sql, text, now=desk.now, replace=replace)
            desk.append({"kind": "seed", "at": desk.now.isoformat().replace("+00:00", "Z"), "source": source}, ())
    finally:
        store.close()
    rows = report.rows
    kinds = ("customer", "product", "offer", "cart", "orders")
    counts = ", ".join(f"{rows[kind]} {kind.removesuffix('s')}{'' if rows[kind] == 1 else 's'}" for kind in kinds)
    return Seeded(f"{source}: loaded {counts} in {report.currency}", tuple(_warnings(load_shop(text))))


def _warnings(shop: ShopFile) -> list[str]:
    """Phones and addresses that nothing can reach, by place and without their words.

    A shop has them from before, so they are kept as they are and stop nothing.
    """
    found = lines(list(_unreachable(shop)))
    more = len(found) - _MOST_WARNINGS
    return [*found[:_MOST_WARNINGS], *([f"and {more} more"] if more > 0 else [])]


def _unreachable(shop: ShopFile) -> Iterator[Finding]:
    for place, customer in enumerate(shop.customers):
        if customer.phone is not None and not possible_phone(customer.phone):
            yield ("customers", place, "phone"), "is not a possible international number, like +44 20 7946 0000"
        for field, why in _misfits(customer.address):
            yield ("customers", place, "address", field), why
    for place, order in enumerate(shop.orders):
        for field, why in _misfits(order.shipping_address):
            yield ("orders", place, "shipping_address", field), why


def _misfits(address: AddressEntry) -> Iterator[tuple[str, str]]:
    """What `update_address` would refuse in it."""
    try:
        AddressArgs.model_validate(address.as_json())
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False, include_context=False):
            yield str(item["loc"][0]), item["msg"]
