"""`tillgate policy routes`: where each tool leads, as a table for people who do not read policies."""

from pathlib import Path
from typing import Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Json
from tillgate.guards.money import Currency, currency
from tillgate.guards.routes import Route, Row, place
from tillgate.server.cli.common import AsJson, escape, guarded, out, print_json, table, talk


@guarded
def routes(
    file: Annotated[Path | None, typer.Argument(help="A policy file (default: the one that would be served)")] = None,
    tool: Annotated[str | None, typer.Option("--tool", help="Only this tool")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write one page to print")] = None,
    as_json: AsJson = False,
) -> None:
    """Work out what each tier, level and amount leads to: completes, asks, verifies, goes to whom, or is refused."""
    from tillgate.guards.policy.diagnostics import did_you_mean
    from tillgate.guards.routes import routes as worked_out
    from tillgate.server.app import policy_of, surfaces, tool_map
    from tillgate.server.settings import settings

    policy = policy_of(settings(policy=file), tool_map())
    found = [each for each in worked_out(policy, surfaces(tool_map())) if tool in (None, each.tool)]
    if tool is not None and not found:
        raise ConfigurationError(f"--tool {tool}: no rule names it; {did_you_mean(tool, policy.by_tool)}")
    money = currency(policy.currency)
    if html is not None:
        from tillgate.server.routes_page import page

        try:
            html.write_text(page(found, money, f"{policy.name} version {policy.version}"), encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"{html}: cannot be written: {error.strerror}") from error
        talk().print(f"{html} written", markup=False)
    elif as_json:
        print_json([_json(each, money) for each in found])
    else:
        _show(found, money)


def _show(found: list[Route], money: Currency) -> None:
    for route in found:
        out().print(f"[bold]{escape(route.tool)}[/bold] ({escape(route.intent)})")
        for line in route.everywhere:
            out().print(f"  everywhere: {line}", markup=False, soft_wrap=True)
        shown = table(bare=True)
        for heading in ("  amount", "assurance", "risk", "leads to"):
            shown.add_column(heading, overflow="fold")
        for row in route.rows:
            amount, level, tier = place(row, money)
            shown.add_row(
                f"  {amount}", level, tier, escape("\n".join(route.only(row)) or "only what holds everywhere")
            )
        out().print(shown)
        out().print()


def _json(route: Route, money: Currency) -> Json:
    return {"intent": route.intent, "tool": route.tool, "rows": [_row(row, money) for row in route.rows]}


def _row(row: Row, money: Currency) -> Json:
    amount, level, tier = place(row, money)
    verdicts = sorted(verdict.value for verdict in row.cell.verdicts)
    leads = list(row.cell.lines())
    return {"amount": amount, "assurance": level, "risk": tier, "verdicts": verdicts, "leads_to": leads}
