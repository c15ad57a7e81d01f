"""Measures one form of one engine in its own environment: a job as JSON on stdin, what came of it as JSON on stdout.

Each call counts with its fastest pass. The verdicts go back too, to be held against Tillgate's.
"""

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.engines.forms import FORMS, Ask

PASSES, FEWEST = 25, 5
PATIENCE = 20.0
"""Seconds: an engine that is not through by then does as many passes as it has, but the fewest at least."""

LONGEST = 60.0
"""Seconds: an engine whose first pass takes longer is cut off."""

Job = dict[str, Any]


def prepared(job: Job) -> tuple[Ask, Callable[[Any], str]]:
    """The engine ready to be asked, and how a verdict is read from its answer when the clock has stopped."""
    if job["form"] is not None:
        return FORMS[job["form"]].built(job["rules"]), str
    load = importlib.import_module("tillgate.guards.policy.load").load_policy
    decide = importlib.import_module("tillgate.guards.decide").decide
    surfaces = importlib.import_module("benchmarks.workload").surfaces(job["size"])
    return partial(decide, load(job["text"], "bench.yaml", surfaces)), lambda decision: str(decision.verdict.value)


def measured(ask: Ask, calls: Sequence[tuple[str, Any]]) -> tuple[list[float], int]:
    """Microseconds of each call, fastest of all passes, and how many passes there were."""
    best = [float("inf")] * len(calls)
    clock, began = time.perf_counter_ns, time.perf_counter()
    done = 0
    while done < PASSES and (done < FEWEST or time.perf_counter() - began < PATIENCE):
        for index, (tool, facts) in enumerate(calls):
            start = clock()
            ask(tool, facts)
            best[index] = min(best[index], (clock() - start) / 1000)
        done += 1
        if done == 1 and time.perf_counter() - began > LONGEST:
            break
    return best, done


def main() -> None:
    """Does the job."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    job: Job = json.load(sys.stdin)
    began = time.perf_counter()
    ask, read = prepared(job)
    loaded = time.perf_counter() - began
    verdicts = [read(ask(tool, facts)) for tool, facts in job["calls"]]
    gc.collect()
    gc.freeze()
    gc.disable()
    times, passes = measured(ask, job["calls"])
    json.dump({"load": loaded, "times": times, "passes": passes, "verdicts": verdicts}, sys.stdout)


if __name__ == "__main__":
    main()
