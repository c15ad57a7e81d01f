"""`tillgate policy check`: every finding about a policy at once, for people, programs and code scanners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tillgate.guards.facts import ToolSurface
from tillgate.guards.model import Json
from tillgate.guards.policy.diagnostics import Diagnostic, PolicyError, in_order
from tillgate.guards.policy.types import Policy
from tillgate.server.cli.common import CONFIGURATION, FINDINGS, AsJson, guarded, out, print_json, talk


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


@guarded
def check(
    file: Annotated[Path | None, typer.Argument(help="A policy file (default: the one that would be served)")] = None,
    form: Annotated[Format, typer.Option("--format", help="How findings are written")] = Format.TEXT,
    as_json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="List where each rule and factor applies")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when there is a warning")] = False,
) -> None:
    """Load a policy as the server would: every finding at once, with its place and its mend.

    What takes a solver to see, such as facts compared in a circle, is told by `policy prove --rules`.
    """
    form = Format.JSON if as_json else form
    try:
        checked = _checked(file)
    except PolicyError as error:
        if form is Format.TEXT:
            raise
        _write(form, None, error.diagnostics)
        raise typer.Exit(CONFIGURATION) from error
    if form is Format.TEXT:
        _say(checked, verbose=verbose)
    else:
        _write(form, checked, checked.warnings)
    if strict and checked.warnings:
        raise typer.Exit(FINDINGS)


@dataclass(frozen=True, slots=True)
class Checked:
    """A policy that loaded for these tools, and what is warned of."""

    policy: Policy
    tools: tuple[ToolSurface, ...]
    warnings: tuple[Diagnostic, ...]

    def where(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Where its rules and factors apply."""
        from tillgate.guards.policy_lint.seeing import sights, where

        return where(self.policy, sights(self.policy, self.tools))


def _checked(file: Path | None) -> Checked:
    from tillgate.guards.policy.load import load_policy
    from tillgate.guards.policy_lint.lint import lint
    from tillgate.server.app import policy_text, surfaces, tool_map
    from tillgate.server.settings import settings
    from tillgate.server.world import SystemClock

    chosen, tools = settings(policy=file), surfaces(tool_map())
    text, source = policy_text(chosen.policy)
    policy = load_policy(text, source, tools)
    warnings = in_order((*policy.warnings, *lint(policy, text, tools, chosen.now or SystemClock().now())))
    return Checked(policy, tuple(tools), warnings)


def _say(checked: Checked, *, verbose: bool) -> None:
    policy, warnings = checked.policy, checked.warnings
    for warning in warnings:
        talk().print(str(warning), markup=False, soft_wrap=True)
    if verbose:
        every = [tool.name for tool in checked.tools]
        for kind, places in checked.where().items():
            for name, tools in places.items():
                out().print(f"{kind[:-1]} {name}: {_named(tools, every)}", markup=False, soft_wrap=True)
    count = f", with {len(warnings)} warning{'' if len(warnings) == 1 else 's'}" if warnings else ""
    out().print(
        f"{policy.source}: {policy.name} version {policy.version} is sound{count} ({policy.digest[:19]}…)",
        markup=False,
        soft_wrap=True,
    )


def _named(tools: Sequence[str], every: Sequence[str]) -> str:
    """The tools, or those that are missing where there are fewer of them."""
    missing = [tool for tool in every if tool not in tools]
    if not missing:
        return "every tool"
    return f"every tool but {', '.join(missing)}" if len(missing) <= 3 else ", ".join(sorted(tools)) or "no tool"


def _write(form: Format, checked: Checked | None, found: tuple[Diagnostic, ...]) -> None:
    if form is Format.SARIF:
        from tillgate.server.sarif import sarif

        print_json(sarif(found))
        return
    kinds = {"errors": "error", "warnings": "warning"}
    listed: dict[str, Json] = {
        name: [_finding(each) for each in found if each.severity == kind] for name, kind in kinds.items()
    }
    header: dict[str, Json] = {"sound": checked is not None}
    if checked is not None:
        policy = checked.policy
        header |= {"policy": policy.name, "version": policy.version, "digest": policy.digest}
        header |= {kind: {name: sorted(tools) for name, tools in at.items()} for kind, at in checked.where().items()}
    print_json({**header, **listed})


def _finding(each: Diagnostic) -> Json:
    return {
        "code": each.code,
        "message": each.message,
        "file": each.source,
        "line": each.line,
        "column": each.column,
        "length": each.span,
        "help": each.hint,
        "link": each.link,
    }
