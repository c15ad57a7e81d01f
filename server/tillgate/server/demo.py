"""`tillgate demo`: a scripted conversation with the packaged shop, over the real protocol, every ending checked."""

import shlex
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import anyio
from rich.text import Text

from tillgate.server import demo_script as script
from tillgate.server.app import packaged_policy
from tillgate.server.demo_cast import NOW, Cast, EndedOtherwise
from tillgate.server.demo_stage import Stage, demo_console
from tillgate.server.seeding import seed_text
from tillgate.tools.shops.embedded.demo import demo_shop_text

_PAUSE_SECONDS = 0.7
_ENV = """\
# Makes this directory's shop the one `tillgate` works on. Its clock stands still at the day of the demo.
unset TILLGATE_DATABASE_URL TILLGATE_POLICY TILLGATE_CUSTOMER TILLGATE_ASSURANCE TILLGATE_NOTIFY TILLGATE_AGENT
export TILLGATE_NOW={now}
export PATH={bin}:"$PATH"
"""


def play(fast: bool) -> int:
    """Play it all; 0 if every step ended as it must, else 1."""
    stage = Stage(demo_console())
    folder = _set()
    cast = Cast(stage, folder, 0.0 if fast else _PAUSE_SECONDS)
    _prologue(stage, folder)
    anyio.run(_play, cast)
    _epilogue(stage, folder, cast.waiting)
    return 1 if stage.differences else 0


async def _play(cast: Cast) -> None:
    try:
        await _scenes(cast)
    except* EndedOtherwise:
        cast.stage.line("!", "The play stops here.")


async def _scenes(cast: Cast) -> None:
    async with cast.serving(script.MIRA):
        await script.looking_around(cast)
        await script.discounts(cast)
        await script.small_refund(cast)
        await script.large_refund(cast)
        await script.not_hers(cast)
    async with cast.serving(script.LIV):
        await script.a_note(cast)
    await script.the_record(cast)


def _set() -> Path:
    """A directory with a shop, two policies and an `env` file; it stays when the demo ends."""
    folder = Path(tempfile.mkdtemp(prefix="tillgate-demo-"))
    (folder / "policy.yaml").write_text(packaged_policy(), encoding="utf-8")
    stricter = files("tillgate.server").joinpath("stricter.yaml").read_text(encoding="utf-8")
    (folder / "stricter.yaml").write_text(stricter, encoding="utf-8")
    here = shlex.quote(str(Path(sys.executable).parent))
    (folder / "env").write_text(_ENV.format(now=NOW, bin=here), encoding="utf-8")
    seed_text(
        demo_shop_text().encode(), db=str(folder / "tillgate.db"), shop=None, replace=False, source="the demo shop"
    )
    return folder


def _prologue(stage: Stage, folder: Path) -> None:
    stage.console.print(Text("Tillgate: an agent may talk about anything; Tillgate decides what it may do.", "bold"))
    stage.console.print(
        "Mira and Liv are invented customers of a packaged shop. Their agent is a script that speaks MCP to\n"
        "`tillgate serve`; nothing here needs a key or the network.",
        markup=False,
    )
    stage.console.print(f"Everything is kept in {folder}", style="dim", markup=False, soft_wrap=True)


def _epilogue(stage: Stage, folder: Path, waiting: str) -> None:
    stage.console.print()
    if stage.differences:
        stage.console.print(Text("This did not end as it must:", style="bold red"))
        for difference in stage.differences:
            stage.console.print(f"  {difference}", markup=False)
        return
    stage.console.print(Text(f"All {stage.calls} calls ended as they must.", style="bold green"))
    stage.console.print("\nWhat to try next, in the shop the demo leaves behind:", markup=False)
    for command in next_commands(folder, waiting):
        stage.console.print(f"  {command}", markup=False, soft_wrap=True)


def next_commands(folder: Path, waiting: str) -> list[str]:
    """Commands that work where the demo ended."""
    return [
        f"cd {shlex.quote(str(folder))} && . ./env",
        f"tillgate requests show {waiting}",
        f"tillgate requests approve {waiting} --as your-name",
        "tillgate audit show --last 10",
        "tillgate replay audit.jsonl --policy stricter.yaml",
    ]
