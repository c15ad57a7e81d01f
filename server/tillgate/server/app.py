"""The composition root: the only place that chooses implementations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import cast

from tillgate.guards.desk import Caller
from tillgate.guards.errors import ConfigurationError
from tillgate.guards.gate import Gate
from tillgate.guards.model import Agent, Assurance, Channel
from tillgate.guards.money import Currency, currency
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy.types import Policy
from tillgate.guards.ports import Clock, Minter, Tool
from tillgate.server.settings import Settings
from tillgate.server.store.sqlite import SqliteStore
from tillgate.server.world import FixedClock, RandomMinter, SystemClock
from tillgate.tools.registry import tools as registered


@dataclass(frozen=True, slots=True)
class App:
    """One running Tillgate."""

    settings: Settings
    tools: Mapping[str, Tool]
    policy: Policy
    store: SqliteStore
    gate: Gate
    clock: Clock
    minter: Minter

    @property
    def money(self) -> Currency:
        """The one currency."""
        return currency(self.policy.currency)

    def callers(self, channel: Channel = "stdio") -> "Callers":
        """Who calls in this process, by the settings it was started with."""
        known = self.settings.customer is not None
        return Callers(
            agent=Agent(self.settings.agent, channel),
            process=self.minter.id("cnv"),
            customer_id=self.settings.customer,
            assurance=Assurance[self.settings.assurance.upper()] if known else Assurance.ANONYMOUS,
            since=self.clock.now(),
        )


@dataclass(frozen=True, slots=True)
class Callers:
    """Makes the Caller of each conversation of one process; nothing a client says adds to it.

    The principal holds an id of this process, so what a conversation proved is never picked up by another process that
    merely names it.
    """

    agent: Agent
    process: str
    customer_id: str | None
    assurance: Assurance
    since: datetime

    def __call__(self, conversation: str | None) -> Caller:
        return Caller(
            agent=self.agent,
            principal=f"{self.agent.channel}:{self.process}",
            conversation=conversation or self.process,
            customer_id=self.customer_id,
            assurance=self.assurance,
            since=self.since,
        )


def build(settings: Settings) -> App:
    """Put everything together. Raises ConfigurationError for a policy, shop or setting that cannot be served."""
    clock: Clock = FixedClock(settings.now) if settings.now else SystemClock()
    minter = RandomMinter()
    tools = tool_map()
    policy = policy_of(settings, tools)
    store = SqliteStore(settings.database, clock, minter)
    _same_currency(store, policy)
    gate = Gate(tools, policy, store, minter)
    return App(settings, tools, policy, store, gate, clock, minter)


def tool_map() -> Mapping[str, Tool]:
    """The whole surface by name."""
    return {tool.name: cast(Tool, tool) for tool in registered()}


def policy_of(settings: Settings, tools: Mapping[str, Tool]) -> Policy:
    """The policy of these settings: named, else `./policy.yaml`, else the packaged one."""
    surfaces = [tool.surface for tool in tools.values()]
    text, source = policy_text(settings.policy)
    return load_policy(text, source, surfaces)


def policy_text(path: Path | None) -> tuple[str, str]:
    """The text of a policy file and the name to show in its errors."""
    chosen = path or (Path("policy.yaml") if Path("policy.yaml").is_file() else None)
    try:
        if chosen is None:
            return packaged_policy(), "policy.yaml (packaged)"
        return chosen.read_text("utf-8"), str(chosen)
    except (OSError, UnicodeDecodeError, ModuleNotFoundError) as error:
        raise ConfigurationError(f"{chosen or 'the packaged policy'}: cannot be read: {error}") from error


def packaged_policy() -> str:
    """The policy that comes with Tillgate. In a checkout its own file: what an editable install packages is a copy."""
    checkout = Path(__file__).parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "policy.yaml").is_file():
        return (checkout / "policy.yaml").read_text("utf-8")
    return resources.files("tillgate._data").joinpath("policy.yaml").read_text("utf-8")


def _same_currency(store: SqliteStore, policy: Policy) -> None:
    with store.reading() as desk:
        row = desk.sql.row("SELECT currency FROM shop")
    if row is not None and row["currency"] != policy.currency:
        store.close()
        raise ConfigurationError(
            f"{policy.source}: the policy's currency is {policy.currency}, but the shop's is {row['currency']}"
        )
