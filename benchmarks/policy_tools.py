"""How long it takes to check, prove and compare a large policy: `python benchmarks/policy_tools.py [--rules 1000]`

The rules are those of `decide.py`; the changed policy has every threshold one higher. Needs the extra
`prove`.
"""

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.workload import policy_text, surfaces

from tillgate.guards import prove
from tillgate.guards.difference import difference
from tillgate.guards.monotone import monotone
from tillgate.guards.needless import needless
from tillgate.guards.openings import openings
from tillgate.guards.policy.load import load_policy
from tillgate.guards.policy_lint.lint import lint
from tillgate.guards.proof import looks
from tillgate.server.world import SystemClock

CLAIM = """invariants:
  - {tools: "*", when_outcome: completed, then: "impact.amount <= money('100000.00') || approval.granted"}
"""


def timed(name: str, work: Callable[[], Iterable[object]]) -> None:
    """Print how long something takes, and how much came of it."""
    began = time.perf_counter()
    found = list(work())
    print(f"{name:<28} {time.perf_counter() - began:6.2f} s   {len(found)} found")


def main() -> None:
    """Measure each once, in one process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=1000)
    options = parser.parse_args()
    text, tools = policy_text(options.rules) + "\n" + CLAIM, surfaces(options.rules)
    changed = re.sub(r"\b([2-9][0-9]{2})\b", lambda found: str(int(found[1]) + 1), text)
    policy, other = (load_policy(each, "bench.yaml", tools) for each in (text, changed))
    timed("load", lambda: [load_policy(text, "bench.yaml", tools)])
    timed("warnings", lambda: lint(policy, text, tools, SystemClock().now()))
    found = looks(policy, tools)
    timed("write it for the solver", lambda: looks(policy, tools))
    timed("prove the invariant", lambda: prove.invariants(found))
    timed("prove that identity is shown", lambda: prove.verification(found))
    timed("prove what is monotone", lambda: monotone(found))
    timed("prove that limits are for all", lambda: openings(found))
    timed("prove that each rule matters", lambda: needless(found))
    timed("compare two policies", lambda: difference(policy, other, tools))


if __name__ == "__main__":
    main()
