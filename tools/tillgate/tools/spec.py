"""What a tool is: a name, strict arguments, a look-up and a plan. It never acts.

A tool declares which groups of facts it always has and which it may have; policy is checked against
that declaration when it is loaded, so a rule can never read a fact that would silently be missing.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar

import orjson
from msgspec import Struct
from pydantic import ValidationError

from tillgate.guards.audit.canonical import fits
from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import UNDO_PATHS, Effect, Facts, Json, Plan, Reason
from tillgate.guards.ports import ArgumentError, Hints
from tillgate.tools.arguments import Args, Intent, argument_error, innermost, unfit_value
from tillgate.tools.commerce.model import Cart, Customer, Offer, Order
from tillgate.tools.commerce.record import Record
from tillgate.tools.facts import cart_facts, customer_facts, offer_facts, order_facts
from tillgate.tools.typing import fact_type, result_paths

A = TypeVar("A", bound=Args)


class Found(Struct, frozen=True):
    """The records a call is about, as the look-up saw them."""

    customer: Customer | None = None
    order: Order | None = None
    cart: Cart | None = None
    offer: Offer | None = None
    offer_uses: int = 0
    other: Any = None


class Tool(ABC, Generic[A]):
    """A verb of the shop. Subclasses say what they are in class variables and implement `look_up` and `plan`."""

    name: ClassVar[str]
    description: ClassVar[str]
    effect: ClassVar[Effect]
    intent: ClassVar[Intent]
    hints: ClassVar[Hints]
    result: ClassVar[type[Any]]
    always: ClassVar[frozenset[str]] = frozenset()
    maybe: ClassVar[frozenset[str]] = frozenset()
    queue: ClassVar[str | None] = None
    args: type[A]

    @property
    def recalled(self) -> bool:
        """Whether a re-sent call is answered with its first outcome."""
        return self.effect == "write"

    @cached_property
    def surface(self) -> ToolSurface:
        """What the policy language knows of this tool."""
        return ToolSurface(
            name=self.name,
            effect=self.effect,
            intent=self.intent,
            always=self.always,
            maybe=self.maybe,
            args=fact_type(self.args),
            results=result_paths(self.result) | (UNDO_PATHS if self.effect == "write" else frozenset[str]()),
            queue=self.queue,
        )

    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return self.args.model_json_schema()

    def parse(self, arguments: Mapping[str, Json], exponent: int) -> A | list[ArgumentError]:
        """The frozen arguments, or every error with its path and never the value."""
        if not fits(arguments):
            return self._named(arguments, exponent)
        try:  # what is of plain types, can be written and is taken by the model holds nothing that is named otherwise
            written = orjson.dumps(arguments, option=orjson.OPT_STRICT_INTEGER)
            return self.args.model_validate_json(written, context={"exponent": exponent})
        except (orjson.JSONEncodeError, ValidationError):
            return self._named(arguments, exponent)

    def _named(self, arguments: Mapping[str, Json], exponent: int) -> A | list[ArgumentError]:
        """The same value by value, so that the first that nothing takes is named before any other error."""
        if unfit := unfit_value(arguments):
            return [unfit]
        try:
            return self.args.model_validate_json(orjson.dumps(arguments), context={"exponent": exponent})
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False, include_context=False)
            return innermost([argument_error(item["loc"], item["type"], item["msg"]) for item in found])

    @abstractmethod
    def look_up(self, args: A, record: Record) -> Found | Reason:
        """The records this call is about; a Reason when the subject has no such record."""

    @abstractmethod
    def plan(self, args: A, found: Found, record: Record) -> Plan | Reason:
        """The exact changes, or why the shop itself refuses them."""

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The by-tool groups this tool declares."""
        return tuple(sorted(self.always | self.maybe))

    def facts(self, found: Found, plan: Plan, now: datetime) -> Facts:
        """Those groups, each marked present or absent."""
        facts: dict[str, Json] = {}
        for group in self.groups:
            known = _known(group, found, plan, now)
            facts[group] = {"present": False} if known is None else {"present": True, **known}
        return facts


def _known(group: str, found: Found, plan: Plan, now: datetime) -> Mapping[str, Json] | None:
    """The facts of a group; None when there is no such record."""
    match group:
        case "customer":
            return customer_facts(found.customer, now) if found.customer else None
        case "order":
            return order_facts(found.order, now) if found.order else None
        case "cart":
            return cart_facts(found.cart) if found.cart else None
        case "offer":
            return offer_facts(found.offer, found.offer_uses, now) if found.offer else None
        case _:
            return plan.method or None


def not_found(what: str) -> Reason:
    """The one answer for a record that does not exist and for one that is somebody else's."""
    return Reason("not_found", f"There is no such {what} for this customer.")
