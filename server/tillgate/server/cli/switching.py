"""`tillgate pause` and `resume`: the kill switch, for a tool or for all of them."""

import getpass

from tillgate.guards import review
from tillgate.guards.errors import ConfigurationError
from tillgate.server.app import open_store, tool_map
from tillgate.server.cli.common import out, print_json
from tillgate.server.settings import settings


def switch(tool: str | None, name: str | None, *, on: bool, db: str | None, shop: str | None, as_json: bool) -> bool:
    """Switch and say so; whether anything changed. Every process on the store knows with its next call."""
    if tool is not None and tool not in tool_map():
        raise ConfigurationError(f"{tool}: there is no such tool; leave it out for all of them")
    store = open_store(settings(db=db, shop=shop))
    try:
        with store.transaction() as desk:
            ruling = review.switch(desk, tool, name or getpass.getuser(), on=on)
    finally:
        store.close()
    if as_json:
        print_json({"done": ruling.done, "status": ruling.status, "tool": tool, "message": ruling.message})
    else:
        out().print(ruling.message, markup=False)
    return ruling.done
