"""Measures one decision: facts in, verdict and reasons out, validation included.

Run `python benchmarks/decide.py`. A policy is loaded from text, then 400 different calls are decided many times; each
call counts with its fastest pass, so the spread is between calls and not between moments. A policy remembers what
follows from rules it has seen match together; `unseen` is what a call costs when it remembers nothing.
"""

import gc
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.workload import calls, policy_of, tools_for

from tillgate.guards.decide import decide
from tillgate.guards.policy.types import Policy

SIZES = (100, 1_000, 10_000)
PASSES = 25
ROUNDS = 2


def measure(policy: Policy, rules: int, *, unseen: bool) -> tuple[float, float]:
    """Microseconds of the median call and of the slowest but one in a hundred, each call by its fastest pass."""
    asked = calls(rules)
    best = [float("inf")] * len(asked)
    clock = time.perf_counter_ns
    gc.disable()
    for _ in range(PASSES):
        for index, (tool, facts) in enumerate(asked):
            if unseen:
                policy.ready[tool].settled.clear()
            began = clock()
            decide(policy, tool, facts)
            best[index] = min(best[index], (clock() - began) / 1000)
    gc.enable()
    best.sort()
    return best[len(best) // 2], best[int(len(best) * 0.99)]


def main() -> None:
    """Prints one line for each size."""
    for rules in SIZES:
        policy, seconds = policy_of(rules)
        p50, p99 = min(measure(policy, rules, unseen=False) for _ in range(ROUNDS))
        new50, new99 = min(measure(policy, rules, unseen=True) for _ in range(ROUNDS))
        print(
            f"{rules:>6} rules, {tools_for(rules)} tools: p50 {p50:.2f} µs, p99 {p99:.2f} µs; "
            f"unseen p50 {new50:.2f} µs, p99 {new99:.2f} µs; loaded in {seconds:.2f} s"
        )


if __name__ == "__main__":
    main()
