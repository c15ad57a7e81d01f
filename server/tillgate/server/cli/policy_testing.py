"""`tillgate policy test`: from suite files to what came otherwise than expected, and what no test reached."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Json
from tillgate.guards.policy.diagnostics import Diagnostic, PolicyError
from tillgate.server.cli.common import FINDINGS, AsJson, guarded, out, print_json, talk

if TYPE_CHECKING:
    from tillgate.guards.policy.types import Policy
    from tillgate.guards.policy_test.coverage import Coverage
    from tillgate.guards.policy_test.run import Result
    from tillgate.guards.policy_test.suite import SuiteFile

SUITE = "policy.test.yaml"
"""The suite that is run when none is named; beneath a folder, every file whose name ends in `.test.yaml`."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A suite that was run: its file, its policy with the text that was loaded, and a result a case."""

    source: str
    policy: "Policy"
    text: str
    results: "tuple[Result, ...]"


@guarded
def try_policies(
    files: Annotated[
        list[Path] | None, typer.Argument(help=f"Suites, or folders of them (default: ./{SUITE})", show_default=False)
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Say what no test reached")] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(help="Exit 1 when fewer percent of the rules fired", min=0, max=100, show_default=False),
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to a file", show_default=False)] = None,
    only: Annotated[
        str | None, typer.Option("--filter", help="Only tests with this in their name", show_default=False)
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Test this policy instead of the suites' own", show_default=False)
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only list what failed")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide the cases of test suites, and compare. Exit 1 when a test fails or too few rules fired."""
    ran = _run(_suites(files or [Path(SUITE)]), policy, only)
    if only is not None and not any(suite.results for suite in ran):
        raise typer.BadParameter(f"no test has {only!r} in its name", param_hint="--filter")
    found = _coverages(ran) if coverage or fail_under is not None else []
    if junit is not None:
        _write(junit, ran)
    if as_json:
        print_json(_as_json(ran, found))
    else:
        _say(ran, found, quiet=quiet)
    if _too_few(found, fail_under) or any(not result.ok for suite in ran for result in suite.results):
        raise typer.Exit(FINDINGS)


def _suites(named: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in named:
        beneath = sorted(_beneath(path)) if path.is_dir() else [path]
        if not beneath:
            raise ConfigurationError(f"{path}: there is no *.test.yaml beneath this folder")
        files += beneath
    return list(dict.fromkeys(files))


def _beneath(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.test.yaml"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _run(files: Sequence[Path], policy: Path | None, only: str | None) -> list[Ran]:
    """Every suite is read before any is run, so that all findings are shown at once."""
    from tillgate.guards.policy_test.run import run
    from tillgate.guards.policy_test.suite import read_suite
    from tillgate.server.app import surfaces, tool_map

    offered = surfaces(tool_map())
    policies: dict[Path, tuple[Policy, str]] = {}
    found: list[Diagnostic] = []
    ran: list[Ran] = []
    for file in files:
        try:
            opened = _open(file)
            chosen = policy or file.parent / opened.policy
            if chosen not in policies:
                policies[chosen] = _load(chosen, None if policy else opened)
            loaded, text = policies[chosen]
            cases = read_suite(opened, loaded, offered).cases
        except PolicyError as error:
            found += error.diagnostics
            continue
        kept = [case for case in cases if only is None or only.casefold() in case.name.casefold()]
        ran.append(Ran(str(file), loaded, text, tuple(run(case, loaded) for case in kept)))
    if found:
        raise PolicyError(found)
    return ran


def _open(file: Path) -> "SuiteFile":
    from tillgate.guards.policy_test.suite import open_suite

    try:
        return open_suite(file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"{file}: cannot be read: {why}") from error


def _load(path: Path, opened: "SuiteFile | None") -> "tuple[Policy, str]":
    """A policy and the text it was loaded from; one that a suite names is missing at its place there."""
    from tillgate.guards.policy.load import load_policy
    from tillgate.server.app import policy_text, surfaces, tool_map

    if opened is not None and not path.is_file():
        raise opened.without_policy(str(path))
    text, source = policy_text(path)
    return load_policy(text, source, surfaces(tool_map())), text


def _coverages(ran: Sequence[Ran]) -> "list[Coverage]":
    """One a policy, over all the suites that test it."""
    from tillgate.guards.policy_test.coverage import coverage

    by_policy: dict[tuple[str, str], list[Ran]] = {}
    for suite in ran:
        by_policy.setdefault((suite.policy.source, suite.policy.digest), []).append(suite)
    return [
        coverage(suites[0].policy, suites[0].text, [result for suite in suites for result in suite.results])
        for suites in by_policy.values()
    ]


def _too_few(found: "Sequence[Coverage]", wanted: float | None) -> bool:
    under = [each for each in found if wanted is not None and each.percent < wanted]
    for each in under:
        message = f"{each.policy.source}: {each.percent:.1f} % of the rules fired, under {wanted:g} %"
        talk().print(message, markup=False, soft_wrap=True)
    return bool(under)


def _write(file: Path, ran: Sequence[Ran]) -> None:
    from tillgate.server.junit import junit

    try:
        file.write_bytes(junit([(suite.source, suite.results) for suite in ran]))
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be written: {error.strerror}") from error


def _say(ran: Sequence[Ran], found: "Sequence[Coverage]", *, quiet: bool) -> None:
    lines = [line for suite in ran for result in suite.results if not (quiet and result.ok) for line in _told(result)]
    for suite in ran:
        failed = sum(not result.ok for result in suite.results)
        lines.append(f"{suite.source}: {len(suite.results) - failed} ok, {failed} failed")
    for each in found:
        lines += _covered(each)
    out().print("\n".join(map(_printable, lines)), markup=False, soft_wrap=True)


def _told(result: "Result") -> Iterator[str]:
    case, risk = result.case, result.risk
    if result.ok:
        yield f"ok      {case.name}"
        return
    yield f"FAILED  {case.name}"
    yield f"        {case.place}  {case.tool}"
    for failure in result.failures:
        yield f"        {failure}"
    yield f"        rules that fired: {', '.join(result.fired) or 'none'}"
    for reason in result.decision.reasons:
        yield f"        {reason.code}: {reason.message}"
    factors = "".join(f", {each.factor} {each.points}" for each in risk.contributions)
    yield f"        risk: {risk.score} {risk.tier.name}{factors}"


def _covered(found: "Coverage") -> Iterator[str]:
    rules, factors, budgets = (found.of(kind) for kind in ("rule", "factor", "budget"))
    yield (
        f"{found.policy.source}: {found.percent:.1f} % of rules fired ({rules[0]} of {rules[1]}), "
        f"{factors[0]} of {factors[1]} factors applied, {budgets[0]} of {budgets[1]} budgets were exceeded, "
        f"{found.branches_seen} of {found.branches} branches were taken"
    )
    for unseen in found.unseen:
        yield f"  {unseen}"


def _printable(line: str) -> str:
    """A line without characters that would act on a terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in line)


def _as_json(ran: Sequence[Ran], found: "Sequence[Coverage]") -> Json:
    results = [result for suite in ran for result in suite.results]
    written: dict[str, Json] = {
        "ok": sum(result.ok for result in results),
        "failed": sum(not result.ok for result in results),
        "cases": [_case(result) for result in results],
    }
    return {**written, "coverage": [_coverage(each) for each in found]} if found else written


def _case(result: "Result") -> Json:
    from tillgate.guards.policy_test.run import waits_in

    case, risk, waits = result.case, result.risk, waits_in(result.decision)
    return {
        "name": case.name,
        "tool": case.tool,
        "file": case.source,
        "line": case.line,
        "column": case.column,
        "ok": result.ok,
        "expected": case.expected.outcome,
        "outcome": result.outcome,
        "rules": list(result.fired),
        "codes": [reason.code for reason in result.decision.reasons],
        "queue": waits.queue if waits else None,
        "risk": {
            "score": risk.score,
            "tier": risk.tier.name,
            "factors": {each.factor: each.points for each in risk.contributions},
        },
        "failures": list(result.failures),
    }


def _coverage(found: "Coverage") -> Json:
    kinds = {"rule": "rules", "factor": "factors", "budget": "budgets"}
    reached = {
        name: {owner.id: count for owner, count in found.reached.items() if owner.kind == kind}
        for kind, name in kinds.items()
    }
    return {
        "policy": found.policy.source,
        "digest": found.policy.digest,
        "percent": f"{found.percent:.1f}",
        **reached,
        "branches": {"seen": found.branches_seen, "all": found.branches},
        "unseen": [
            {
                "kind": each.owner.kind,
                "id": each.owner.id,
                "words": each.spot.words,
                "never": each.value,
                "file": each.spot.source,
                "line": each.spot.line,
                "column": each.spot.column,
            }
            for each in found.unseen
        ],
    }
