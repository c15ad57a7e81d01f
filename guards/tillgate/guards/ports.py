"""The seams of the decision core: what a gate needs of a tool, of the store and of the world.

A tool sees the record through `Record`-like objects that the composition root binds to one subject, so that a
look-up of somebody else's order cannot be written, only forgotten rules can never allow it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Facts, Json, Plan, Reason


class Clock(Protocol):
    """Where the time comes from; a fixed one for replays and tests."""

    def now(self) -> datetime:
        """The time, aware, UTC."""
        ...


class Minter(Protocol):
    """Where ids and secrets come from; a seeded one for tests."""

    def id(self, prefix: str) -> str:
        """A new sortable id: `call_…`, `esc_…`."""
        ...

    def code(self) -> str:
        """A one-time code a person can read aloud: six digits."""
        ...

    def token(self) -> str:
        """An unguessable token of at least 128 bits, URL-safe."""
        ...


@dataclass(frozen=True, slots=True)
class ArgumentError:
    """What is wrong with one argument: its dotted path, a code and a sentence without the value itself."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Hints:
    """The MCP annotations of a tool, true to what it does."""

    read_only: bool
    destructive: bool
    idempotent: bool


class Arguments(Protocol):
    """Parsed arguments: one frozen object, shared by the guard and the tool."""

    def as_json(self) -> Mapping[str, Json]:
        """The arguments the tool acts on, without the gate's own extras, as canonical JSON values."""
        ...

    def digest(self) -> str:
        """Hex SHA-256 of their canonical bytes: the same for the same act."""
        ...

    def personal(self) -> frozenset[str]:
        """Top-level argument names whose values identify a person."""
        ...

    def facts(self) -> Mapping[str, Json]:
        """The arguments as typed facts: money in minor units, absent ones left out."""
        ...

    def gate(self, name: str) -> str | None:
        """One of the gate's own arguments: confirmation_token, idempotency_key, customer_request, intent."""
        ...


class Tool(Protocol):
    """A verb. It looks up, and it plans; it never acts."""

    @property
    def surface(self) -> ToolSurface: ...
    @property
    def description(self) -> str: ...
    @property
    def hints(self) -> Hints: ...
    @property
    def recalled(self) -> bool:
        """Whether the same call sent again is answered with the first outcome: every tool that changes the shop."""
        ...

    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments; nothing beyond it is accepted."""
        ...

    def parse(self, arguments: Mapping[str, Json], exponent: int) -> Arguments | list[ArgumentError]:
        """Strict: the frozen arguments, or everything that is wrong with them. `exponent` is the currency's."""
        ...

    def look_up(self, args: Any, record: Any) -> Any | Reason:
        """The records this call is about, read through `record`, which shows only what the subject owns."""
        ...

    def plan(self, args: Any, found: Any, record: Any) -> Plan | Reason:
        """What would change, exactly; or why the shop itself refuses. No side effect."""
        ...

    def facts(self, found: Any, plan: Plan, now: datetime) -> Facts:
        """The by-tool groups of the fact catalogue: customer, order, method, cart, offer."""
        ...
