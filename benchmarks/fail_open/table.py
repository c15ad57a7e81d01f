"""The results as tables: how often each engine opens, in which cases, and every case beside every engine."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.fail_open.cases import cases
from benchmarks.fail_open.measure import Result


@dataclass(frozen=True, slots=True)
class Column:
    """One engine's results."""

    name: str
    title: str
    version: str
    cases: tuple[Result, ...]
    controls: tuple[Result, ...]

    @property
    def opens(self) -> tuple[str, ...]:
        """The cases in which the call went through."""
        return tuple(result.case for result in self.cases if result.outcome == "open")

    def as_json(self) -> dict[str, Any]:
        """Everything, for other programs."""
        return {
            "name": self.name,
            "title": self.title,
            "version": self.version,
            "opens": len(self.opens),
            "cases": [asdict(result) for result in self.cases],
            "controls": [asdict(result) for result in self.controls],
        }


def summary(columns: Sequence[Column]) -> str:
    """One line an engine."""
    lines = ["| engine | opens | refused at load | closed | cannot express |", "|---|---|---|---|---|"]
    for column in columns:
        count = Counter(result.outcome for result in column.cases)
        counted = count["open"] + count["refused"] + count["closed"]
        lines.append(
            f"| {column.title} | **{count['open']}** of {counted} | {count['refused']} | {count['closed']} "
            f"| {count['n/a']} |"
        )
    return "\n".join(lines)


def markdown(columns: Sequence[Column], date: str) -> str:
    """The whole page."""
    return "\n".join(_page(columns, date)) + "\n"


def _page(columns: Sequence[Column], date: str) -> Iterator[str]:
    yield "# Results\n"
    yield f"Of {date}, written by `run.py`. What the words mean is in [README.md](README.md).\n"
    yield summary(columns)
    yield "\n## Versions\n"
    for version in dict.fromkeys(column.version for column in columns):
        yield f"- {version}"
    yield "\n## Where each engine opens\n"
    for column in columns:
        yield f"- **{column.title}**: {', '.join(column.opens) or 'nowhere'}"
    yield "\n## Every case\n"
    yield f"| case | what is wrong | {' | '.join(column.title for column in columns)} |"
    yield f"|---|---|{'---|' * len(columns)}"
    outcomes = [{result.case: result.outcome for result in column.cases} for column in columns]
    for case in cases():
        cells = ["**OPEN**" if each[case.id] == "open" else each[case.id] for each in outcomes]
        yield f"| {case.id} | {case.wrong} | {' | '.join(cells)} |"
