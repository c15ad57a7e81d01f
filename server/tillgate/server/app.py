"""The composition root: the only place that chooses implementations."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import cast

from tillgate.guards.effects import reach
from tillgate.guards.errors import ConfigurationError
from tillgate.guards.facts import ToolSurface
from tillgate.guards.gate import Gate
from tillgate.guards.money import Currency
from tillgate.guards.policy.files import gathered
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.ports import Clock, Minter, Tool
from tillgate.server.payments.choosing import providers_for, settled
from tillgate.server.settings import Settings
from tillgate.server.store.desk import SqlDesk
from tillgate.server.store.opening import open_at
from tillgate.server.store.store import SqlStore
from tillgate.server.world import FixedClock, RandomMinter, clock_of
from tillgate.tools.registry import tools as registered
from tillgate.tools.shops.embedded.outside import PAYMENTS, refunds_outside
from tillgate.tools.shops.embedded.shop import shop_currency

STATE_KEY = "state_key"


@dataclass(frozen=True, slots=True)
class App:
    """One running Tillgate. `text` is that of the policy it was started to serve, empty for other commands."""

    settings: Settings
    tools: Mapping[str, Tool]
    policy: Policy
    store: SqlStore
    gate: Gate
    clock: Clock
    minter: Minter
    text: str = ""

    def state_key(self) -> bytes:
        """What seals a question's state: the same for every process on the store, and known to nobody else."""

        def kept(desk: SqlDesk) -> str:
            key = desk.served_with(STATE_KEY)
            if key is None:
                key = secrets.token_hex(32)
                desk.serve_with(STATE_KEY, key)
            return key

        return bytes.fromhex(self.store.run(kept))


def build(settings: Settings, *, serving: bool = False, tools: Mapping[str, Tool] | None = None) -> App:
    """Put everything together. Raises ConfigurationError for a policy, shop or setting that cannot be served.

    A store remembers the policy it is `serving` under; every other command decides by that one and no other, so that a
    reviewer in another directory cannot approve under another policy without knowing. `tools`, by name, stand in for
    those that are shipped.
    """
    clock, minter, tools = clock_of(settings), RandomMinter(), tools or tool_map()
    text, source = policy_text(settings.policy) if serving else (None, None)
    policy = load_policy(text, source, surfaces(tools)) if text is not None and source is not None else None
    store = open_store(settings)
    try:
        if policy is not None and text is not None:
            with store.transaction() as desk:
                same_currency(shop_currency(desk.sql), policy)
                _known_customer(desk, settings.customer)
                desk.serve_under(policy.digest, policy.source, text)
                if desk.served_with(PAYMENTS) != (payments := settled(settings.payments)):
                    desk.serve_with(PAYMENTS, payments)
        else:
            policy = _served_policy(settings, store, tools)
        providers = providers_for(_payments(settings, store))
    except BaseException:
        store.close()
        raise
    if providers:
        store.outside = refunds_outside
    gate = Gate(tools, policy, store, minter, partial(reach, providers))
    return App(settings, tools, policy, store, gate, clock, minter, text or "")


def open_store(settings: Settings) -> SqlStore:
    """The store alone, for reading what is in it."""
    clock = FixedClock(settings.now) if settings.now else None
    return open_at(settings.db, clock, RandomMinter(), settings.shop)


def tool_map() -> Mapping[str, Tool]:
    """The whole surface by name."""
    return {tool.name: cast(Tool, tool) for tool in registered()}


def surfaces(tools: Mapping[str, Tool]) -> list[ToolSurface]:
    """What the policy language knows of each tool."""
    return [tool.surface for tool in tools.values()]


def policy_of(settings: Settings, tools: Mapping[str, Tool]) -> Policy:
    """The policy of these settings: named, else `./policy.yaml`, else the packaged one."""
    return load_policy(*policy_text(settings.policy), surfaces(tools))


def policy_file(named: Path | None) -> Path | None:
    """The policy file that counts: the one that is named, else `./policy.yaml`; None when that is the packaged one."""
    return named or (Path("policy.yaml") if Path("policy.yaml").is_file() else None)


def policy_text(path: Path | None) -> tuple[str, str]:
    """The text of a policy, with the files it includes, and the name to show in its errors."""
    chosen = policy_file(path)
    try:
        if chosen is None:
            return packaged_policy(), "policy.yaml (packaged)"
        return gathered(chosen.read_text("utf-8"), chosen.parent).packed(), str(chosen)
    except (OSError, UnicodeDecodeError, ModuleNotFoundError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"{chosen or 'the packaged policy'}: cannot be read: {why}") from error


def packaged_policy() -> str:
    """The policy that Tillgate ships with. In a checkout its own file: what an editable install packages is a copy."""
    checkout = Path(__file__).parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "policy.yaml").is_file():
        return (checkout / "policy.yaml").read_text("utf-8")
    return resources.files("tillgate._data").joinpath("policy.yaml").read_text("utf-8")


def _served_policy(settings: Settings, store: SqlStore, tools: Mapping[str, Tool]) -> Policy:
    with store.reading() as desk:
        served = desk.served_policy()
    if served is None:
        return policy_of(settings, tools)
    digest, source, text = served
    if settings.policy is not None and policy_of(settings, tools).digest != digest:
        raise ConfigurationError(
            f"{settings.policy}: this store is served under another policy ({source}, {digest[:19]}…); "
            "leave --policy out to decide by that one"
        )
    return load_policy(text, source, surfaces(tools))


def _payments(settings: Settings, store: SqlStore) -> str | None:
    """Who pays out is what the store is served with: an approval elsewhere must not enter what nobody pays."""
    with store.reading() as desk:
        served = desk.served_with(PAYMENTS)
    if settings.payments is not None and settled(settings.payments) != served:
        raise ConfigurationError(
            f"--payments {settings.payments}: this store is served with {served or 'no provider'}; leave it out"
        )
    return served


def same_currency(shop: Currency | None, policy: Policy) -> None:
    """Raises ConfigurationError for a policy in another currency than the shop's."""
    if shop is not None and shop.code != policy.currency:
        raise ConfigurationError(f"{policy.source}: the currency is {policy.currency}, but the shop's is {shop.code}")


def _known_customer(desk: SqlDesk, customer_id: str | None) -> None:
    if customer_id is not None and desk.contact(customer_id) is None:
        raise ConfigurationError(f"--customer {customer_id}: there is no such customer in this shop")
