"""Tests the conditions of a tool against facts, and survives whatever goes wrong while doing so.

The rule it keeps (CONTRACT §5, Combining): a condition that cannot be evaluated counts as matched where a match
restricts, and as unmatched where it permits. An error never opens anything.
"""

from collections.abc import Callable
from typing import cast

from tillgate.guards.model import Facts
from tillgate.guards.policy.interpret import holds
from tillgate.guards.policy.types import Program
from tillgate.guards.policy.validate import invalid_facts

_NONE: frozenset[int] = frozenset()
_FAILED = object()


def matched(
    program: Program, facts: Facts, restricts: Callable[[int], bool]
) -> tuple[list[int] | None, frozenset[int]]:
    """Indices of the conditions that hold or count as if, and of those that errored; None for invalid facts."""
    found = _attempt(program.match, facts)
    if found is not _FAILED:
        return cast("list[int] | None", found), _NONE
    # The compiled function failed on facts it should have refused: trust it no further, ask the interpreter.
    if _attempt(invalid_facts, program.uses, facts) != ():
        return None, _NONE
    return one_by_one(program, facts, restricts)


def one_by_one(program: Program, facts: Facts, restricts: Callable[[int], bool]) -> tuple[list[int], frozenset[int]]:
    """The same by the slow interpreter, each condition on its own."""
    outcomes = [_attempt(holds, condition, facts) for condition in program.conditions]
    errored = frozenset(index for index, outcome in enumerate(outcomes) if outcome is _FAILED)
    indices = [
        index for index, outcome in enumerate(outcomes) if outcome is True or (index in errored and restricts(index))
    ]
    return indices, errored


def _attempt(function: Callable[..., object], *arguments: object) -> object:
    """The one place that catches everything: what a failure means is decided by the callers, and never as open."""
    try:
        return function(*arguments)
    except Exception:  # noqa: BLE001
        return _FAILED
