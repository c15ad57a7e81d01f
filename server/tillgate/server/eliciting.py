"""Asks the user of an MCP client: in a form of the client's own, or on a page of ours that it opens.

A yes in a form proves that the client's interface said so, no more. On the newest protocol a question is the answer to
the call, which is then sent again with the user's; what it needs to know travels sealed, and works once.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import anyio
from mcp import types as t
from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from starlette.types import Scope

from tillgate.guards.desk import Way
from tillgate.guards.model import Json
from tillgate.guards.steps import Ask
from tillgate.server.door import Sent

Context: TypeAlias = ServerRequestContext[dict[str, Any]]
MODERN = "2026-07-28"
ANSWER = "answer"
WAITS_SECONDS = 50
"""How long an older client may take: its own limit for the whole call is a minute."""

_FORM: Mapping[str, Any] = {
    "type": "object",
    "properties": {"agree": {"type": "boolean", "title": "I agree", "default": False}},
    "required": ["agree"],
}


class Client:
    """The client of one call, and what its user said to the question before."""

    def __init__(self, ctx: Context, params: t.CallToolRequestParams | None = None) -> None:
        self._ctx = ctx
        self._modern = ctx.protocol_version >= MODERN
        self._put: Ask | None = None
        self.agreed: str | None = None
        self.declined: str | None = None
        self._dismissed = False
        self._askable = params is not None
        if params is not None and params.request_state is not None:
            self._hear(json.loads(params.request_state), (params.input_responses or {}).get(ANSWER))

    @property
    def asks(self) -> frozenset[Way]:
        """How it can be asked, now: whoever has just answered is not asked again at once."""
        capabilities = self._ctx.session.client_capabilities
        able = capabilities.elicitation if capabilities is not None else None
        answered = self.agreed is not None or self._dismissed
        if able is None or answered or not self._askable or not (self._modern or self._ctx.session.can_send_request):
            return frozenset()
        ways: list[Way] = []
        if able.form is not None or able.url is None:  # an empty capability means forms
            ways.append("form")
        if able.url is not None:
            ways.append("page")
        return frozenset(ways)

    def sends(self, tool: str, arguments: Mapping[str, Json], meta: Mapping[str, Json]) -> Sent:
        """A call that it makes, with what its user said before."""
        return Sent(tool, arguments, meta, scope_of(self._ctx), self.asks, self.agreed, self.declined)

    async def ask(self, ask: Ask) -> bool | None:
        """Put the question. On the newest protocol that is done by `question`, and nobody waits here."""
        if self._modern:
            self._put = ask
            return None
        try:
            with anyio.fail_after(WAITS_SECONDS):
                return await self._ask_now(ask)
        except (TimeoutError, MCPError):
            return None

    def question(self) -> t.InputRequiredResult | None:
        """The question as the answer to the call, if one was put that way."""
        if self._put is None:
            return None
        ask = self._put
        state = json.dumps({"pending": ask.pending, "secret": ask.secret})
        return t.InputRequiredResult(request_state=state, input_requests={ANSWER: t.ElicitRequest(params=_params(ask))})

    async def _ask_now(self, ask: Ask) -> bool | None:
        session, related = self._ctx.session, self._ctx.request_id
        if ask.how == "page" and ask.url is not None:
            opened = await session.elicit_url(ask.message, ask.url, ask.pending, related_request_id=related)
            return True if opened.action == "accept" else None
        return _agreed(await session.elicit_form(ask.message, dict(_FORM), related_request_id=related))

    def _hear(self, state: Mapping[str, Any], answer: Any) -> None:
        said = _agreed(answer) if isinstance(answer, t.ElicitResult) else None
        if state["secret"] is None:
            self._dismissed = True  # whether the page was answered is on record, whatever the client says of it
        elif said is True:
            self.agreed = state["secret"]
        elif said is False:
            self.declined = state["pending"]
        else:
            self._dismissed = True


def scope_of(ctx: Context) -> Scope | None:
    """Of the HTTP request that this came by, if it came by one."""
    return ctx.request.scope if ctx.request is not None else None


def _params(ask: Ask) -> t.ElicitRequestFormParams | t.ElicitRequestURLParams:
    if ask.how == "page" and ask.url is not None:
        return t.ElicitRequestURLParams(message=ask.message, url=ask.url)
    return t.ElicitRequestFormParams(message=ask.message, requested_schema=dict(_FORM))


def _agreed(answer: t.ElicitResult) -> bool | None:
    """A window that was only closed is no answer."""
    if answer.action == "accept":
        return (answer.content or {}).get("agree") is True
    return False if answer.action == "decline" else None
