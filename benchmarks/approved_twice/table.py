"""The rounds as tables: what became of the money, what was said of it, and where the two differ."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from benchmarks.approved_twice.story import APPROVED, SCENARIOS, TITLES

KEYS: Mapping[str, str] = {"honours": "honours keys", "ignores": "ignores keys"}
Wrong: TypeAlias = Literal["twice", "never approved", "untold", "lost"]
"""More than one refund; one of an amount nobody approved; a refund was made, and the system neither says so nor lists
it as in doubt; an approved refund was not made, and it neither waits nor is listed as in doubt."""
Row: TypeAlias = Mapping[str, Any]
"""One round, with its scenario and how the provider takes keys."""


@dataclass(frozen=True, slots=True)
class Column:
    """One engine's rounds."""

    name: str
    title: str
    version: str
    rows: tuple[Row, ...]

    def at(self, keys: str, scenario: str) -> list[Row]:
        """The rounds of one scenario with one provider."""
        return [row for row in self.rows if (row["keys"], row["scenario"]) == (keys, scenario)]


def wrong(row: Row) -> Wrong | None:
    """What is wrong with how a round ended; that something is in doubt and listed is not."""
    refunds, says = list(row["refunds"]), row["says"]
    if any(amount != APPROVED for amount in refunds):
        return "never approved"
    if len(refunds) > 1:
        return "twice"
    if says == "in doubt" and row["doubt"] == "listed":
        return None
    if refunds:
        return None if says == "done" else "untold"
    return None if says == "waiting" or (row["scenario"] == "f" and says != "done") else "lost"


def shortcomings(column: Column) -> list[str]:
    """Where Tillgate does not keep what it promises, or any engine does not tell the story when nothing goes wrong."""
    found = [f"{row['order']}: {ended(row)}" for row in column.rows if column.name == "tillgate" and wrong(row)]
    if column.name == "tillgate":
        found += [
            f"{row['order']}: {ended(row)}" for row in column.rows if row["keys"] == "honours" and row["says"] != "done"
        ]
    return found + [
        f"{row['order']}: {ended(row)}, although nothing went wrong"
        for row in column.rows
        if row["scenario"] == "a" and (len(row["refunds"]), row["says"]) != (1, "done")
    ]


def ended(row: Row) -> str:
    """How a round ended, in a few words: what was refunded, and what the system says."""
    refunds = list(row["refunds"])
    times = {0: "none", 1: "once", 2: "twice"}.get(len(refunds), f"{len(refunds)} times")
    other = [amount for amount in refunds if amount != APPROVED]
    made = f"{other[0]} refunded" if other else times
    where = f" ({row['doubt']})" if row["doubt"] != "nowhere" else ""
    return f"{made}, {row['says']}{where}"


def summary(columns: Sequence[Column]) -> str:
    """One line an engine."""
    lines = [
        "| engine | rounds | refunded twice | another amount refunded | refunded, untold | lost | in doubt, listed |",
        "|---|---|---|---|---|---|---|",
    ]
    for column in columns:
        count = Counter(wrong(row) for row in column.rows)
        listed = sum(row["says"] == "in doubt" for row in column.rows)
        found = [f"**{count[kind]}**" for kind in ("twice", "never approved", "untold", "lost")]
        lines.append(f"| {column.title} | {len(column.rows)} | {' | '.join(found)} | {listed} |")
    return "\n".join(lines)


def markdown(columns: Sequence[Column], date: str) -> str:
    """The whole page."""
    return "\n".join(_page(columns, date)) + "\n"


def grouped(column: Column) -> list[dict[str, Any]]:
    """The rounds for other programs: how often each end came, with the workers' words of the first such round."""
    found: dict[tuple[str, str, str], list[Row]] = {}
    for row in column.rows:
        found.setdefault((row["keys"], row["scenario"], ended(row)), []).append(row)
    return [
        {
            **{name: rows[0][name] for name in ("keys", "scenario", "refunds", "says", "doubt")},
            "rounds": len(rows),
            "wrong": wrong(rows[0]),
            "words": rows[0]["answers"],
        }
        for rows in found.values()
    ]


def _page(columns: Sequence[Column], date: str) -> Iterator[str]:
    yield "# Results\n"
    yield f"Of {date}, written by `run.py`. What the words mean is in [README.md](README.md).\n"
    yield summary(columns)
    yield "\n## Versions\n"
    for version in dict.fromkeys(column.version for column in columns):
        yield f"- {version}"
    for keys, words in KEYS.items():
        yield f"\n## With a provider that {words}\n"
        yield f"| | what happens | {' | '.join(column.title for column in columns)} |"
        yield f"|---|---|{'---|' * len(columns)}"
        for scenario in SCENARIOS:
            cells = [_cell(column.at(keys, scenario)) for column in columns]
            yield f"| {scenario} | {TITLES[scenario]} | {' | '.join(cells)} |"


def _cell(rows: Sequence[Row]) -> str:
    """How the rounds ended, bold where it is wrong; with their number where they ended differently."""
    count = Counter(f"**{ended(row)}**" if wrong(row) else ended(row) for row in rows)
    if len(count) == 1:
        return next(iter(count))
    return "; ".join(f"{number} × {words}" for words, number in count.most_common())
