"""What a proof is: a claim of one tool that holds of every call there can be, or a call that breaks it.

The rule it keeps: "proved" is said only when the solver found that no call can break the claim, "refuted" only when the
real decision was asked and broke it; anything between is "unconfirmed".
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tillgate.guards.explain import Call, Judged, judge
from tillgate.guards.facts import ToolSurface
from tillgate.guards.policy.types import Invariant, Policy
from tillgate.guards.solver import Search, Truth, Undecided
from tillgate.guards.verdicts import Ends, ends_of, fresh
from tillgate.guards.witness import amounts_of, call_of, plainer

Result: TypeAlias = Literal["proved", "refuted", "unconfirmed"]


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim of one tool. `call` breaks it, `other` is the second call of a claim about two; `note` says more."""

    claim: str
    tool: str
    result: Result
    call: Call | None = None
    judged: Judged | None = None
    other: Judged | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One tool under a policy: how its calls end, a search that requires it, and what the file claims of them."""

    policy: Policy
    tool: ToolSurface
    ends: Ends
    search: Search
    claims: tuple[tuple[Invariant, Truth], ...]

    def can(self, *terms: Truth) -> bool:
        """Whether there is such a call; where the solver gives up, there may be."""
        try:
            return self.search.possible(*terms)
        except Undecided:
            return True

    def proof(
        self,
        text: str,
        breaks: Sequence[Truth],
        really: Callable[[Judged], bool],
        amounts: Iterable[int] = (),
        note: str | None = None,
    ) -> Proof:
        """Whether some call `breaks` the claim, and whether it `really` does."""
        try:
            answer = self.search.find(*breaks)
        except Undecided:
            return Proof(text, self.tool.name, "unconfirmed")
        if answer is None:
            return Proof(text, self.tool.name, "proved")
        call = call_of(answer, self.ends)
        if not really(judge(self.policy, call)):
            return Proof(text, self.tool.name, "unconfirmed", call, judge(self.policy, call), note=note)
        turns = (*amounts_of(self.policy, self.tool.name), *amounts)
        call = plainer(self.tool, call, lambda each: really(judge(self.policy, each)), turns)
        return Proof(text, self.tool.name, "refuted", call, judge(self.policy, call), note=note)


def looks(policy: Policy, tools: Sequence[ToolSurface]) -> tuple[Look, ...]:
    """Every tool a rule names. What conditions they share is written once."""
    encoder = fresh()
    found: list[Look] = []
    for tool in tools:
        if tool.name not in policy.by_tool:
            continue
        claims = [claim for claim in policy.invariants if tool.name in claim.tools]
        ends = ends_of(policy, tool, encoder, [claim.then.by_tool[tool.name] for claim in claims])
        search = Search()
        search.require(*ends.sound)
        found.append(Look(policy, tool, ends, search, tuple(zip(claims, ends.also, strict=True))))
    return tuple(found)
