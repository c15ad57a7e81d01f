"""Sessions of older clients: so many for each principal; whoever opens more loses their own, and nobody else's."""

from contextlib import ExitStack

from web.house import Reply, Web, Wire, request

from tillgate.server.web.sessions import IDLE_SECONDS, SESSIONS_EACH, Sessions

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "old", "version": "1"}},
}
ASKING = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


class Time:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def head(web: Web, token: str, session: str | None = None) -> dict[str, str]:
    return web.head(token=token, mcp_protocol_version=None, mcp_method=None, mcp_name=None, mcp_session_id=session)


def opened(web: Web, token: str) -> str:
    reply = web.post(HELLO, head(web, token))
    assert reply.status == 200
    return reply.headers["mcp-session-id"]


def asked(web: Web, token: str, session: str) -> Reply:
    return web.post(ASKING, head(web, token, session))


def test_whoever_opens_too_many_loses_the_one_that_was_used_longest_ago(web: Web) -> None:
    ana, ben = web.token(), web.token("cus_ben")
    bens = opened(web, ben)
    first, second, *others = [opened(web, ana) for _ in range(SESSIONS_EACH)]
    assert asked(web, ana, first).status == 200
    opened(web, ana)
    assert asked(web, ana, second).status == 404
    assert {asked(web, ana, session).status for session in (first, *others)} == {200}
    again = [opened(web, ana) for _ in range(2 * SESSIONS_EACH)]
    left = [session for session in again if asked(web, ana, session).status == 200]
    assert left == again[-SESSIONS_EACH:]
    assert asked(web, ben, bens).status == 200


def test_who_has_all_of_them_in_use_is_told_so_and_others_are_not(web: Web) -> None:
    cat = web.token("cus_cat")
    sessions = [opened(web, cat) for _ in range(SESSIONS_EACH)]
    with ExitStack() as stack:
        streams: list[Wire] = []
        for session in sessions:
            streams.append(web.connect())
            stack.callback(streams[-1].close)
            streams[-1].send(request("GET", "/mcp", {**head(web, cat, session), "accept": "text/event-stream"}))
            assert streams[-1].begins() == 200
        refused = web.post(HELLO, head(web, cat))
        assert (refused.status, refused.headers["retry-after"], refused.error) == (429, "1", 429)
        opened(web, web.token("cus_dan"))
        assert web.send(request("DELETE", "/mcp", head(web, cat, sessions[0]))).status == 200
        opened(web, cat)


def test_an_opening_that_fails_takes_no_place(web: Web) -> None:
    token = web.token(client_id="failing")
    kept = opened(web, token)
    for _ in range(2 * SESSIONS_EACH):
        assert web.post(ASKING, head(web, token)).status == 400
    assert asked(web, token, kept).status == 200


def opened_here(sessions: Sessions, principal: str, name: str) -> list[str] | None:
    """Opens one, and says which ended for it."""
    with sessions.opening(principal) as opening:
        if opening is not None:
            sessions.opened(principal, opening, name)
        return None if opening is None else opening.ending


def test_what_was_not_used_for_long_ends_when_its_principal_comes_back() -> None:
    clock = Time()
    sessions = Sessions(3, clock)
    opened_here(sessions, "ana", "old")
    opened_here(sessions, "ana", "busy")
    opened_here(sessions, "ben", "bens")
    with sessions.using("ana", "busy"):
        clock.now = IDLE_SECONDS
        assert opened_here(sessions, "ana", "new") == ["old"]
        clock.now += IDLE_SECONDS - 1
        assert opened_here(sessions, "ana", "newer") == []
    assert opened_here(sessions, "ben", "new") == ["bens"]


def test_those_that_are_being_opened_count_until_they_are_open_and_then_once() -> None:
    sessions = Sessions(2, Time())
    with sessions.opening("ana") as first, sessions.opening("ana"):
        assert opened_here(sessions, "ana", "three") is None
        assert opened_here(sessions, "ben", "one") == []
        assert first is not None
        sessions.opened("ana", first, "one")
        assert opened_here(sessions, "ana", "three") == ["one"]
    assert opened_here(sessions, "ana", "four") == []


def test_nobody_keeps_anothers_session_awake() -> None:
    sessions = Sessions(1, Time())
    opened_here(sessions, "ana", "one")
    with sessions.using("ben", "one"):
        assert opened_here(sessions, "ana", "two") == ["one"]
