"""Which payment provider a setting names: none, the stub, or one that another package brings."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path

from tillgate.guards.effects import Provider
from tillgate.guards.errors import ConfigurationError
from tillgate.server.payments.stub import stub_from
from tillgate.tools.shops.embedded.outside import PAYMENTS

GROUP = "tillgate.payments"
"""Entry points of this group are functions from what follows the name in the setting to a `Provider`."""


def providers_for(payments: str | None) -> Mapping[str, Provider]:
    """The providers of a setting such as `stub:books.db`; none without one. Raises ConfigurationError."""
    if payments is None:
        return {}
    name, _, rest = payments.partition(":")
    makers: dict[str, Callable[[str], Provider]] = {"stub": stub_from}
    makers |= {point.name: point.load() for point in entry_points(group=GROUP) if point.name == name}
    if name not in makers:
        raise ConfigurationError(f"--payments {name}: no such provider is installed; there is stub:PATH")
    return {PAYMENTS: makers[name](rest)}


def settled(payments: str | None) -> str | None:
    """The setting as every directory understands it: the stub's books by their whole path."""
    name, _, rest = (payments or "").partition(":")
    return f"{name}:{Path(rest).absolute()}" if name == "stub" and rest else payments
