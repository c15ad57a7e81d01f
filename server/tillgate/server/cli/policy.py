"""`tillgate policy`: what can be said of a policy file before it goes live."""

from pathlib import Path
from typing import Annotated

import typer

from tillgate.server.cli.common import AsJson, guarded, out, print_json, talk

app = typer.Typer(help="Check a policy file.", no_args_is_help=True)


@app.command()
@guarded
def check(
    file: Annotated[Path | None, typer.Argument(help="A policy file (default: the one that would be served)")] = None,
    as_json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="List the tools each rule applies to")] = False,
) -> None:
    """Load a policy as the server would: every finding at once, with its place and its mend."""
    from tillgate.server.app import policy_of, tool_map
    from tillgate.server.settings import settings

    checked = policy_of(settings(policy=file), tool_map())
    if as_json:
        print_json(
            {
                "policy": checked.name,
                "version": checked.version,
                "digest": checked.digest,
                "warnings": [str(warning) for warning in checked.warnings],
                "rules": {rule.id: sorted(rule.tools) for rule in checked.rules},
            }
        )
        return
    for warning in checked.warnings:
        talk().print(str(warning), markup=False)
    if verbose:
        for rule in checked.rules:
            out().print(f"{rule.id}: {', '.join(sorted(rule.tools))}", markup=False, soft_wrap=True)
    out().print(
        f"{checked.source}: {checked.name} version {checked.version} is sound ({checked.digest[:19]}…)", markup=False
    )
