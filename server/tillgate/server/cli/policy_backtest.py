"""`tillgate policy backtest`: what a policy would have made of what was recorded."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.money import currency
from tillgate.server.cli.common import FINDINGS, AsJson, escape, guarded, out, print_json, table, talk

if TYPE_CHECKING:
    from tillgate.server.backtest_counts import Backtest

_MOST_LISTED = 50


@guarded
def backtest(
    policy: Annotated[Path, typer.Option("--policy", help="The policy to try")],
    log: Annotated[Path, typer.Option("--log", help="What was recorded (`tillgate audit export`)")],
    since: Annotated[str | None, typer.Option("--since", help="First day to count (2026-01-31)")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day to count")] = None,
    show: Annotated[str | None, typer.Option("--show", help="List the calls of one flip: completed:escalated")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write one self-contained page")] = None,
    as_json: AsJson = False,
    fail_on_flips: Annotated[bool, typer.Option("--fail-on-flips", help="Exit 1 when a call ends otherwise")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, help="Processes (default: one a core for a large log)", show_default=False),
    ] = None,
) -> None:
    """Decide recorded calls again under another policy: what flips, what money moves, what work it makes."""
    from tillgate.server.app import policy_text, surfaces, tool_map
    from tillgate.server.backtest_counts import Days
    from tillgate.server.backtest_counts import as_json as counted
    from tillgate.server.backtest_workers import backtest_file
    from tillgate.server.settings import settings

    tried = policy_text(settings(policy=policy).policy)
    days = Days(_day(since, "--since") or "", _day(until, "--until") or "9999")
    with _bar(log) as seen:
        made = backtest_file(log, tried, tuple(surfaces(tool_map())), days, workers=workers, seen=seen)
    if html is not None:
        _write(html, made, tried[1])
    if as_json:
        print_json(counted(made))
    elif show is not None:
        _list(made, show)
    else:
        _say(made)
    if fail_on_flips and made.flips:
        raise typer.Exit(FINDINGS)


def _day(text: str | None, option: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError as error:
        raise ConfigurationError(f"{option} {text}: write a day like 2026-01-31") from error


@contextmanager
def _bar(log: Path) -> Generator[Callable[[int], None]]:
    """A bar that is there only on a terminal and hears how many bytes of a log are read."""
    from rich.progress import Progress

    console = talk()
    try:
        with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task("deciding again", total=log.stat().st_size or None)
            yield lambda read: progress.advance(task, read)
    except OSError as error:
        raise ConfigurationError(f"{log}: cannot be read: {error.strerror}") from error


def _write(path: Path, made: "Backtest", source: str) -> None:
    from tillgate.server.backtest_page import page

    try:
        path.write_text(page(made, source), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from error
    talk().print(f"{path} written", markup=False)


def _say(made: "Backtest") -> None:
    from tillgate.server.backtest_counts import as_json as counted

    told = counted(made)
    shown = table(bare=True)
    for heading, justify in (("was", "left"), ("would be", "left"), ("calls", "right"), ("amount", "right")):
        shown.add_column(heading, justify="right" if justify == "right" else "left")
    for row in told["outcomes"]:
        mark = "≠ " if row["was"] != row["now"] else "  "
        shown.add_row(mark + row["was"], row["now"], str(row["calls"]), f"{row['amount']} {made.currency}")
    out().print(shown)
    out().print(f"{made.flips} of {made.decided} calls would have ended otherwise")
    out().print(f"would move now and did not then: {told['would_have_moved']} {made.currency}")
    out().print(f"moved then and would not now:    {told['would_have_been_held']} {made.currency}")
    for name, load in (("as recorded", made.old_load), ("now", made.new_load)):
        queues = ", ".join(f"{queue} {count}" for queue, count in load.queues().items())
        a_day = f"{made.a_day(load):.1f} requests a day, {load.peak()} at most"
        out().print(f"for people, {name}: {a_day}" + (f" ({escape(queues)})" if queues else ""))
    _left_out(made)


def _left_out(made: "Backtest") -> None:
    """What was not decided, and why."""
    if made.undecided[""]:
        names = ", ".join(f"{name} ({count})" for name, count in sorted(made.undecided.items()) if name)
        talk().print(f"{made.undecided['']} calls cannot be decided, their records lack facts: {names}", markup=False)
    if made.kept:
        talk().print(f"{made.kept} calls never came to a policy, or were answered from an earlier one", markup=False)
    for each in made.damage[:_MOST_LISTED]:
        talk().print(f"line {each.line} is unreadable: {each.reason}", markup=False, soft_wrap=True)
    if made.damaged > _MOST_LISTED:
        talk().print(f"and {made.damaged - _MOST_LISTED} unreadable lines more", markup=False)


def _list(made: "Backtest", show: str) -> None:
    old, colon, new = show.partition(":")
    if not colon or (old, new) not in made.shown:
        known = ", ".join(f"{was}:{now}" for was, now in sorted(made.shown)) or "none"
        raise ConfigurationError(f"--show {show}: no call flips that way; there are: {known}")
    money = currency(made.currency)
    for each in made.shown[old, new]:
        rules = f"{' '.join(each.old_rules)} -> {' '.join(each.new_rules)}"
        out().print(
            f"{each.at} {each.call_id} {each.tool} {money.format(each.amount)} {rules}", markup=False, soft_wrap=True
        )
    more = made.calls[old, new] - len(made.shown[old, new])
    if more:
        talk().print(f"and {more} more", markup=False)
