"""`tillgate policy prove` and `diff`: what holds of every call there can be, and what a change changes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillgate.guards.errors import ConfigurationError
from tillgate.guards.model import Json
from tillgate.server.cli.common import FINDINGS, AsJson, guarded, out, print_json, talk

if TYPE_CHECKING:
    from tillgate.guards.difference import Flip
    from tillgate.guards.explain import Call, Judged
    from tillgate.guards.prove import Proof

_ENDS = {
    "permit": "completed",
    "deny": "denied",
    "verify": "verification_required",
    "confirm": "confirmation_required",
    "escalate": "escalated",
}
_TOLD = ("order", "customer", "cart", "offer", "method")


@guarded
def prove(
    file: Annotated[Path | None, typer.Argument(help="A policy file (default: the one that would be served)")] = None,
    monotone: Annotated[bool, typer.Option("--monotone", help="More money or less assurance never helps")] = False,
    budgets: Annotated[bool, typer.Option("--budgets", help="Each budget keeps its limit, call by call")] = False,
    verification: Annotated[bool, typer.Option("--verification", help="Nothing completes unproved")] = False,
    every: Annotated[bool, typer.Option("--all", help="All of these")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove the file's invariants, and built-in ones on demand, or show a call that breaks them."""
    from tillgate.guards import prove as proofs
    from tillgate.server.app import policy_of, surfaces, tool_map
    from tillgate.server.settings import settings

    policy, tools = policy_of(settings(policy=file), tool_map()), surfaces(tool_map())
    wanted = [(True, proofs.invariants), (monotone, proofs.monotone), (budgets, proofs.budgets)]
    wanted += [(verification, proofs.verification)]
    found = [proof for asked, of in wanted if asked or every for proof in of(policy, tools)]
    if as_json:
        print_json([_proof(each) for each in found])
    else:
        for line in _lines(found):
            out().print(line, markup=False, soft_wrap=True)
        if not found:
            talk().print("there is nothing to prove: the file has no `invariants`, and no option asks for more")
    if any(each.result != "proved" for each in found):
        raise typer.Exit(FINDINGS)


def _lines(found: Iterable["Proof"]) -> Iterator[str]:
    for each in found:
        yield f"{each.result:<11} {each.tool:<22} {each.claim}"
        if each.call is not None and each.judged is not None:
            yield from _call(each.call, each.judged)
        if each.other is not None:
            yield f"    and with it changed: {_answer(each.other)}"


def _call(call: "Call", judged: "Judged") -> Iterator[str]:
    """The facts that were looked at, and what came of them."""
    subject = call.facts["subject"]["assurance"]
    yield f"    {subject}, amount {call.facts['impact']['amount']}, {_answer(judged)}"
    for group in _TOLD:
        facts = call.facts.get(group, {})
        if facts.get("present"):
            told = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "present")
            yield f"    {group}: {told}"
    for name, usage in call.usage.items():
        yield f"    budget {name}: {usage['amount']} and {usage['count']} calls with this one"


def _answer(judged: "Judged") -> str:
    rules = " ".join(hit.rule for hit in judged.decision.hits) or "no rule"
    return f"{_ENDS[judged.decision.verdict.value]} ({rules}; risk {judged.risk.score} {judged.risk.tier.name})"


def _proof(each: "Proof") -> Json:
    return {
        "claim": each.claim,
        "tool": each.tool,
        "result": each.result,
        "facts": dict(each.call.facts) if each.call else None,
        "answer": _answer(each.judged) if each.judged else None,
    }


@guarded
def diff(
    old: Annotated[Path, typer.Argument(help="The policy as it is")],
    new: Annotated[Path, typer.Argument(help="The policy as it would be")],
    as_json: AsJson = False,
) -> None:
    """Show, for each outcome that turns into another, one call that does so under the real evaluator."""
    from tillgate.guards.difference import difference
    from tillgate.guards.solver import Undecided
    from tillgate.server.app import policy_of, surfaces, tool_map
    from tillgate.server.settings import settings

    before, after = (policy_of(settings(policy=file), tool_map()) for file in (old, new))
    try:
        found = difference(before, after, surfaces(tool_map()))
    except Undecided as error:
        raise ConfigurationError(f"the solver could not decide within its effort: {error}") from error
    if as_json:
        print_json([_flip(each) for each in found])
    else:
        for each in found:
            words = "" if each.confirmed else "  UNCONFIRMED: the policies themselves answer otherwise"
            ends = f"{_ENDS[each.old.value]} -> {_ENDS[each.new.value]}"
            out().print(f"{each.tool}: {ends}{words}", markup=False, soft_wrap=True)
            for line in (*_call(each.call, each.before), f"    then: {_answer(each.after)}"):
                out().print(line, markup=False, soft_wrap=True)
        if not found:
            out().print("no call would end otherwise")
    if found:
        raise typer.Exit(FINDINGS)


def _flip(each: "Flip") -> Json:
    return {
        "tool": each.tool,
        "old": _ENDS[each.old.value],
        "new": _ENDS[each.new.value],
        "confirmed": each.confirmed,
        "facts": dict(each.call.facts),
        "before": _answer(each.before),
        "after": _answer(each.after),
    }
