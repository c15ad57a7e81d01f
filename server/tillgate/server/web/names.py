"""By which names a site may be called, and which other pages may call it.

A page elsewhere can make its own name lead to this machine; such a request still says that name (DNS rebinding).
"""

from dataclasses import dataclass
from ipaddress import ip_address

from tillgate.server.web.wire import Head

_ONCE = frozenset({"host", "origin", "authorization", "content-type", "mcp-session-id"})


@dataclass(frozen=True, slots=True)
class Names:
    """Host names and origins, in small letters and with their port."""

    hosts: frozenset[str]
    origins: frozenset[str]

    def refusal(self, head: Head, *, probe: bool = False, page: bool = False) -> str | None:
        """Why a request is not for us.

        A `probe` may also come by a bare address, which no name can be made to be. A `page` is for people: browsers
        do not say where a form comes from that asks them not to, and what it does it does for a code alone.
        """
        if twice := _ONCE & head.twice:
            return f"{min(twice)} is there twice"
        host = head.get("host").lower()
        if host not in self.hosts and not (probe and _is_address(host)):
            return "This is not the Host you asked for"
        origin = head.fields.get("origin")
        return None if page or origin is None or origin.lower() in self.origins else "This Origin may not ask here"


def _is_address(host: str) -> bool:
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        ip_address(bare)
    except ValueError:
        return False
    return True
