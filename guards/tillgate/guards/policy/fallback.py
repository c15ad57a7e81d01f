"""What counts as matched when the compiled function gave up, whatever the reason.

The rule it keeps (CONTRACT §5, Combining): a condition that cannot be evaluated counts as matched where a match
restricts, and as unmatched where it permits. An error never opens anything.
"""

from collections.abc import Callable

from tillgate.guards.model import Facts
from tillgate.guards.policy.expression import Expr
from tillgate.guards.policy.interpret import holds
from tillgate.guards.policy.types import Program
from tillgate.guards.policy.validate import invalid_facts


def second_opinion(
    program: Program, facts: Facts, restricts: Callable[[int], bool]
) -> tuple[list[int] | None, frozenset[int]]:
    """The indices that count and those that errored; None when the facts are not valid, which is the usual reason."""
    try:
        valid = invalid_facts(program.uses, facts) == ()
    except (TypeError, AttributeError, KeyError, ValueError, RecursionError):
        valid = False
    return one_by_one(program, facts, restricts) if valid else (None, frozenset())


def one_by_one(program: Program, facts: Facts, restricts: Callable[[int], bool]) -> tuple[list[int], frozenset[int]]:
    """The same by the interpreter, each condition on its own, so that one that fails does not take others with it."""
    outcomes = [attempt(condition, facts) for condition in program.conditions]
    errored = frozenset(index for index, outcome in enumerate(outcomes) if outcome is None)
    indices = [index for index, outcome in enumerate(outcomes) if outcome or (outcome is None and restricts(index))]
    return indices, errored


def attempt(condition: Expr, facts: Facts) -> bool | None:
    """Whether a condition holds, None when it cannot be evaluated.

    The one place that catches everything: what a failure means is decided by the caller, and never as open.
    """
    try:
        return holds(condition, facts)
    except Exception:  # noqa: BLE001
        return None
