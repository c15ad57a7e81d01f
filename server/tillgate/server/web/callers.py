"""Who makes a call, and in which conversation: the token's own, else the one the client names, else the running one.

A conversation groups calls and gives no authority: whatever it is called, it is only ever that principal's.
"""

from collections.abc import Awaitable, Callable

from tillgate.guards.desk import Caller
from tillgate.server.callers import Callers
from tillgate.server.door import Sent, is_plain
from tillgate.server.web.conversations import Conversations
from tillgate.server.web.identity import Identity
from tillgate.server.web.wire import HEAD, IDENTITY, NOTHING, SESSION, Head

CallerOf = Callable[[Sent], Awaitable[Caller]]


def anybody(callers: Callers) -> CallerOf:
    """Whoever asks is who the process was started for."""

    async def caller(sent: Sent) -> Caller:
        return callers(_named(sent), sent.asks)

    return caller


def by_token(conversations: Conversations) -> CallerOf:
    """Whoever the token speaks for."""

    async def caller(sent: Sent) -> Caller:
        identity: Identity = (sent.scope or {})[IDENTITY]
        named = identity.conversation or _named(sent)
        return identity.caller(named or await conversations.of(identity.principal), sent.asks)

    return caller


def _named(sent: Sent) -> str | None:
    """As the client calls it; for an older client, its session."""
    head: Head = sent.scope[HEAD] if sent.scope else NOTHING
    session = head.fields.get(SESSION)
    return sent.conversation or (session if session and is_plain(session) else None)
