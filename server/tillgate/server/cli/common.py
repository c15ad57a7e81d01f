"""What every command shares: options, the app they run on, and how they talk (data on stdout, talk on stderr)."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import orjson
import typer

from tillgate.guards.errors import ConfigurationError, IntegrityError
from tillgate.guards.model import Json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

OK, FINDINGS, USAGE, CONFIGURATION, INTEGRITY = range(5)
P = ParamSpec("P")
R = TypeVar("R")

Db = Annotated[
    str | None,
    typer.Option(
        "--db", help="SQLite file or postgresql:// URL (TILLGATE_DATABASE_URL; tillgate.db)", show_default=False
    ),
]
Shop = Annotated[
    str | None,
    typer.Option("--shop", help="Which shop of the store (TILLGATE_SHOP; default main)", show_default=False),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", help="Policy file (TILLGATE_POLICY; default ./policy.yaml)", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
As = Annotated[str, typer.Option("--as", help="Your name, as it will stand in the audit log")]


def out() -> "Console":
    """For data. Plain and uncut when piped."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, emoji=False, width=200)


def talk() -> "Console":
    """For everything that is not data."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def table(*, bare: bool = False) -> "Table":
    """An empty table; a `bare` one has no lines and no margin."""
    from rich.table import Table

    return Table(box=None, pad_edge=False) if bare else Table()


def escape(text: str) -> str:
    """The text for a console that reads markup, which then shows it as it is."""
    from rich.markup import escape as escaped

    return escaped(text)


def print_json(value: Json) -> None:
    """One JSON document on stdout."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode())


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what an operator must mend into words and an exit code; anything else stays a fault of ours."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ConfigurationError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(CONFIGURATION) from error
        except IntegrityError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(INTEGRITY) from error

    return run
