"""The HTTP status of an answered call: 200, but for what a client has to ask its issuer for.

Clients look into nothing but a 200 for what a model may read; so all else that a call comes to is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.types import Scope

from tillgate.guards.answers import OUT_OF_SCOPE
from tillgate.guards.outcome import Outcome
from tillgate.server.cards import Card
from tillgate.server.web.bearer import Bearer
from tillgate.server.web.wire import IDENTITY, Header

OK, FORBIDDEN = 200, 403
ANSWERED = "tillgate.answered"
"""Where the tool and the outcome of its call stand in the scope of a request, once there is one."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """Says the status of a call. The body is the outcome in any case."""

    cards: Mapping[str, Card]
    bearer: Bearer | None

    def of(self, scope: Scope) -> tuple[int, Sequence[Header]]:
        """The status and the headers that go with it."""
        answered: tuple[str, Outcome] | None = scope.get(ANSWERED)
        code = answered[1].reasons[0].code if answered and answered[1].reasons else ""
        if answered and code == OUT_OF_SCOPE and self.bearer is not None:
            needed = self.cards[answered[0]].scope
            return FORBIDDEN, [self.bearer.forbidden(scope[IDENTITY], needed)]
        return OK, ()
