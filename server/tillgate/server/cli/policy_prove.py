"""`tillgate policy prove`: what holds of every call there can be, or a call that breaks it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillgate.guards.model import Json
from tillgate.server.cli.common import FINDINGS, AsJson, guarded, out, print_json, talk

if TYPE_CHECKING:
    from tillgate.guards.proof import Proof
    from tillgate.server.cli.calls_told import Teller

_MOST_NAMED = 4


@guarded
def prove(
    file: Annotated[Path | None, typer.Argument(help="A policy file (default: the one that would be served)")] = None,
    monotone: Annotated[
        bool, typer.Option("--monotone", help="More money or risk, or less assurance, never helps")
    ] = False,
    limits: Annotated[
        bool, typer.Option("--limits", help="What is asked above some amount is asked of everybody")
    ] = False,
    budgets: Annotated[bool, typer.Option("--budgets", help="Each budget keeps its limit, call by call")] = False,
    verification: Annotated[bool, typer.Option("--verification", help="Nothing completes unproved")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Every rule, factor and tier makes a difference")] = False,
    every: Annotated[bool, typer.Option("--all", help="All of these")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove the file's invariants, and built-in ones on demand, or show a call that breaks them.

    `check` finds at once what needs no solver; `--rules` finds what does, such as facts compared in a circle.
    """
    from tillgate.guards.monotone import monotone as monotone_
    from tillgate.guards.needless import needless
    from tillgate.guards.openings import openings
    from tillgate.guards.proof import looks
    from tillgate.guards.prove import budgets as budgets_
    from tillgate.guards.prove import invariants
    from tillgate.guards.prove import verification as verification_
    from tillgate.server.app import policy_of, surfaces, tool_map
    from tillgate.server.cli.calls_told import Teller
    from tillgate.server.settings import settings

    tools = surfaces(tool_map())
    policy = policy_of(settings(policy=file), tool_map())
    found = looks(policy, tools)
    wanted = (
        (True, invariants), (monotone, monotone_), (limits, openings), (budgets, budgets_),
        (verification, verification_), (rules, needless),
    )  # fmt: skip
    proofs = [proof for asked, of in wanted if asked or every for proof in of(found)]
    if policy.mode == "shadow":
        talk().print("this file only watches (mode: shadow): nothing it says is enforced, so every call completes")
    if as_json:
        print_json([_proof(each) for each in proofs])
    else:
        _say(proofs, Teller(policy, tools), told_rules=rules or every)
    if any(each.result != "proved" for each in proofs):
        raise typer.Exit(FINDINGS)


def _say(proofs: Sequence["Proof"], teller: "Teller", *, told_rules: bool) -> None:
    """What is broken first, each with its call; then each claim that holds, once."""
    for line in _lines(proofs, teller):
        out().print(line, markup=False, soft_wrap=True)
    if told_rules and not any(each.claim.startswith("rule ") for each in proofs) and teller.policy.mode == "enforce":
        out().print("every rule makes a difference to some call")
    if not proofs and not told_rules:
        talk().print("there is nothing to prove: the file has no `invariants`, and no option asks for more")


def _lines(proofs: Sequence["Proof"], teller: "Teller") -> Iterator[str]:
    from tillgate.server.cli.calls_told import answer

    for each in proofs:
        if each.result != "proved":
            yield f"{each.result}  {each.tool}: {each.claim}"
            yield from (f"  {line}" for line in (each.note,) if line)
            if each.call is not None and each.judged is not None:
                yield from teller.lines(each.call, each.judged)
            if each.other is not None:
                yield f"  and then: {answer(each.other)}"
    proved: dict[str, list[Proof]] = {}
    for each in proofs:
        if each.result == "proved":
            proved.setdefault(each.claim, []).append(each)
    for claim, alike in proved.items():
        yield f"proved  {claim}  ({_named(each.tool for each in alike)})"
        yield from (f"  {each.note}" for each in alike if each.note)


def _named(tools: Iterable[str]) -> str:
    names = list(dict.fromkeys(tools))
    more = len(names) - _MOST_NAMED
    return ", ".join(names) if more < 2 else f"{', '.join(names[:_MOST_NAMED])} and {more} more tools"


def _proof(each: "Proof") -> Json:
    from tillgate.server.cli.calls_told import answer, as_json

    return {
        "claim": each.claim,
        "tool": each.tool,
        "result": each.result,
        "note": each.note,
        "call": as_json(each.call, each.judged),
        "then": answer(each.other) if each.other else None,
    }
