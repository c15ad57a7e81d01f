"""`tillgate policy diff`: what a change of policy changes, with a call for each turn, and what no call can show."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Json
from tillgate.server.cli.common import FINDINGS, AsJson, guarded, out, print_json

if TYPE_CHECKING:
    from tillgate.guards.difference import End, Flip
    from tillgate.server.cli.calls_told import Teller


@guarded
def diff(
    old: Annotated[Path, typer.Argument(help="The policy as it is")],
    new: Annotated[Path, typer.Argument(help="The policy as it would be")],
    as_json: AsJson = False,
) -> None:
    """Show, for each outcome that turns into another, one call that does so under the real evaluator.

    What changes without a call to show it (reviewers, windows, views, invariants) is listed after that.
    """
    from tillgate.guards.altered import altered
    from tillgate.guards.difference import difference
    from tillgate.guards.solver import Undecided
    from tillgate.server.app import policy_of, surfaces, tool_map
    from tillgate.server.cli.calls_told import Teller
    from tillgate.server.settings import settings

    tools = surfaces(tool_map())
    before, after = (policy_of(settings(policy=file), tool_map()) for file in (old, new))
    try:
        flips = difference(before, after, tools)
    except Undecided as error:
        raise ConfigurationError(f"the solver could not decide within its effort: {error}") from error
    also = altered(before, after)
    if as_json:
        print_json({"turns": [_flip(each) for each in flips], "also": list(also)})
    else:
        for line in _lines(flips, also, Teller(before, tools)):
            out().print(line, markup=False, soft_wrap=True)
    if flips or also:
        raise typer.Exit(FINDINGS)


def _lines(flips: Sequence["Flip"], also: Sequence[str], teller: "Teller") -> Iterator[str]:
    from tillgate.server.cli.calls_told import answer

    for each in flips:
        doubt = "" if each.confirmed else "  UNCONFIRMED: the policies themselves answer otherwise"
        alike = each.old.verdict is each.new.verdict
        yield f"{each.tool}: {_end(each.old, asks=alike)} -> {_end(each.new, asks=alike)}{doubt}"
        yield from teller.lines(each.call, each.before)
        yield f"  then: {answer(each.after)}"
    if also:
        yield "also changed:"
        yield from (f"  {line}" for line in also)
    if not flips:
        yield "no call would end otherwise"


def _end(end: "End", *, asks: bool) -> str:
    from tillgate.guards.policy_test.types import OUTCOMES

    return OUTCOMES[end.verdict] + (f" ({end.asks})" if asks else "")


def _flip(each: "Flip") -> Json:
    from tillgate.guards.policy_test.types import OUTCOMES
    from tillgate.server.cli.calls_told import answer, as_json

    return {
        "tool": each.tool,
        "old": OUTCOMES[each.old.verdict],
        "new": OUTCOMES[each.new.verdict],
        "old_asks": each.old.asks or None,
        "new_asks": each.new.asks or None,
        "confirmed": each.confirmed,
        "call": as_json(each.call, each.before),
        "then": answer(each.after),
    }
