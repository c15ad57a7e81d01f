"""`tillgate policy check`: every finding about a policy at once, for people, programs and code scanners."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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
    verbose: Annotated[bool, typer.Option("--verbose", help="List the tools each rule applies to")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when there is a warning")] = False,
) -> None:
    """Load a policy as the server would: every finding at once, with its place and its mend."""
    form = Format.JSON if as_json else form
    try:
        policy, warnings = _checked(file)
    except PolicyError as error:
        if form is Format.TEXT:
            raise
        _write(form, None, error.diagnostics)
        raise typer.Exit(CONFIGURATION) from error
    if form is Format.TEXT:
        _say(policy, warnings, verbose=verbose)
    else:
        _write(form, policy, warnings)
    if strict and warnings:
        raise typer.Exit(FINDINGS)


def _checked(file: Path | None) -> tuple[Policy, tuple[Diagnostic, ...]]:
    from tillgate.guards.policy.load import load_policy
    from tillgate.guards.policy_lint.lint import lint
    from tillgate.server.app import clock_of, policy_text, surfaces, tool_map
    from tillgate.server.settings import settings

    chosen, tools = settings(policy=file), surfaces(tool_map())
    text, source = policy_text(chosen.policy)
    policy = load_policy(text, source, tools)
    return policy, in_order((*policy.warnings, *lint(policy, text, tools, clock_of(chosen).now())))


def _say(policy: Policy, warnings: tuple[Diagnostic, ...], *, verbose: bool) -> None:
    for warning in warnings:
        talk().print(str(warning), markup=False, soft_wrap=True)
    if verbose:
        for rule in policy.rules:
            out().print(f"{rule.id}: {', '.join(sorted(rule.tools))}", markup=False, soft_wrap=True)
    count = f", with {len(warnings)} warning{'' if len(warnings) == 1 else 's'}" if warnings else ""
    out().print(
        f"{policy.source}: {policy.name} version {policy.version} is sound{count} ({policy.digest[:19]}…)",
        markup=False,
        soft_wrap=True,
    )


def _write(form: Format, policy: Policy | None, found: tuple[Diagnostic, ...]) -> None:
    if form is Format.SARIF:
        from tillgate.server.sarif import sarif

        print_json(sarif(found))
        return
    kinds = {"errors": "error", "warnings": "warning"}
    listed: dict[str, Json] = {
        name: [_finding(each) for each in found if each.severity == kind] for name, kind in kinds.items()
    }
    header: dict[str, Json] = {"sound": policy is not None}
    if policy is not None:
        header |= {
            "policy": policy.name,
            "version": policy.version,
            "digest": policy.digest,
            "rules": {rule.id: sorted(rule.tools) for rule in policy.rules},
        }
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
