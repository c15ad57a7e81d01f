"""Who calls, where the settings of the process say so."""

from dataclasses import dataclass
from datetime import datetime

from tillgate.guards.desk import Caller, Way
from tillgate.guards.model import Agent, Assurance, Channel
from tillgate.guards.ports import Minter
from tillgate.server.settings import Settings


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

    @property
    def principal(self) -> str:
        """For whom every request to this process is made."""
        return f"{self.agent.channel}:{self.process}"

    def __call__(self, conversation: str | None, asks: frozenset[Way] = frozenset()) -> Caller:
        return Caller(
            agent=self.agent,
            principal=self.principal,
            conversation=conversation or self.process,
            customer_id=self.customer_id,
            assurance=self.assurance,
            since=self.since,
            asks=asks,
        )


def callers_of(settings: Settings, channel: Channel, minter: Minter, since: datetime) -> Callers:
    """By the settings a process was started with; `since` is when that was."""
    return Callers(Agent(settings.agent, channel), minter.id("cnv"), settings.customer, settings.level, since)
