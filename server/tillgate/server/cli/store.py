"""`tillgate store`: what is done to the store itself."""

from typing import Annotated

import typer

from tillgate.server.cli.common import FINDINGS, AsJson, Db, guarded, out, print_json

app = typer.Typer(help="The store itself.", no_args_is_help=True)


@app.callback()
def root() -> None:
    """The store itself."""


@app.command()
@guarded
def migrate(
    db: Db = None,
    check: Annotated[
        bool, typer.Option("--check", help="Rehearse it and change nothing; exit 1 when there is something to do")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a store that an earlier version made to the layout of this one: whole or not at all, all shops of it."""
    from tillgate.server.cli.migrating import migrated_words, run

    done = run(db, check=check)
    if as_json:
        copy = str(done.copy) if done.copy else None
        steps = [{"layout": layout, "what": what} for layout, what in done.steps]
        print_json({"found": done.found, "steps": steps, "copy": copy, "records": done.records, "done": not check})
    else:
        out().print(migrated_words(done, check=check), markup=False, soft_wrap=True)
    if check and done.steps:
        raise typer.Exit(FINDINGS)
