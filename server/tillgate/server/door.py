"""What the protocol's handlers reach Tillgate through, whatever the transport: one door for every call.

Who calls is settled by the transport, never by arguments. What was begun is finished and written down,
though whoever asked may go away.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from starlette.types import Scope

from tillgate.guards.desk import Caller, Received, Way
from tillgate.guards.model import Json
from tillgate.guards.outcome import Outcome
from tillgate.server.cards import Card
from tillgate.server.driving import AskClient
from tillgate.server.screen import FAULT

CONVERSATION = "tillgate/conversation"
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class Sent:
    """One call as it was sent.

    `scope` is that of its HTTP request, `asks` are the ways in which its client can ask its user, and `agreed` and
    `declined` are what that user said to the question before (`Received`).
    """

    tool: str
    arguments: Mapping[str, Json]
    meta: Mapping[str, Json]
    scope: Scope | None = None
    asks: frozenset[Way] = frozenset()
    agreed: str | None = None
    declined: str | None = None

    @property
    def conversation(self) -> str | None:
        """The client's own name for the conversation, if it is a plain one; it groups calls and gives no authority."""
        name = self.meta.get(CONVERSATION)
        return name if isinstance(name, str) and is_plain(name) else None

    def by(self, caller: Caller) -> Received:
        """The call as the gate receives it."""
        fault = self.meta.get(FAULT)
        return Received(
            tool=self.tool,
            arguments=self.arguments,
            caller=caller,
            fault=fault if isinstance(fault, str) else None,
            agreed=self.agreed,
            declined=self.declined,
        )


Handle: TypeAlias = Callable[[Sent, AskClient], Awaitable[Outcome]]
"""Finds out who calls and answers one call, in whatever way the transport has calls done. It never raises."""


@dataclass(frozen=True, slots=True)
class Door:
    """The way in: `call` is how a call is answered.

    `principal` says for whom an HTTP request is made, or one without HTTP. `state_key` seals what a client carries
    between a question and its answer; `words` tells of the policy that is served now, and `now` what the clock says.
    """

    cards: Callable[[], Sequence[Card]]
    call: Handle
    principal: Callable[[Scope | None], str]
    words: Callable[[], Awaitable[str]]
    state_key: bytes
    now: Callable[[], datetime]


def is_plain(name: str) -> bool:
    """Whether a name may be stored and shown as it is."""
    return 0 < len(name) <= _LONGEST_NAME and name.isascii() and name.isprintable()
