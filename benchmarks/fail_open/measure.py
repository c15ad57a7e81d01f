"""Puts every case to one engine. Also a program: `python -m benchmarks.fail_open.measure ENGINE` prints the results."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from benchmarks.fail_open.cases import Case, cases, controls
from benchmarks.fail_open.engines.base import Engine, Refused
from benchmarks.fail_open.engines.catalogue import contender

Outcome: TypeAlias = Literal["open", "closed", "refused", "n/a"]
"""The call goes through, it does not, the policy is not taken, or the engine cannot express what is meant."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one engine made of one case, and why in the engine's own words."""

    case: str
    outcome: Outcome
    why: str


def measured(engine: Engine, among: Iterable[Case], language: str) -> Iterator[Result]:
    """The engine's results, case by case."""
    for case in among:
        yield _one(engine, case, language)
    engine.close()


def _one(engine: Engine, case: Case, language: str) -> Result:
    written = case.written[language]
    if written.form == "missing":
        return Result(case.id, "n/a", written.text)
    try:
        engine.load(written)
    except Refused as refusal:
        return Result(case.id, "refused", str(refusal))
    *_, last = [engine.decide(case.call) for _ in range(case.repeat)]
    return Result(case.id, "open" if last.open else "closed", last.why)


def wrong_controls(results: Iterable[Result]) -> list[str]:
    """The controls that did not end as they must; those an engine cannot express say nothing."""
    goes = {case.id: "open" if case.goes == "through" else "closed" for case in controls()}
    return [
        f"{result.case}: {result.outcome}, {result.why}"
        for result in results
        if result.outcome not in ("n/a", goes[result.case])
    ]


def main() -> None:
    """Measure one engine in this process and print JSON."""
    chosen = contender(sys.argv[1])
    found = {
        "version": chosen.versions(),
        "cases": [asdict(result) for result in measured(chosen.engine(), cases(), chosen.module)],
        "controls": [asdict(result) for result in measured(chosen.engine(), controls(), chosen.module)],
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
