"""What was measured of one engine in one form at one size, and how it stands beside Tillgate."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """Microseconds of the median call and of the slowest but one in a hundred; seconds to load; wrong verdicts.

    `flat` forms were given the facts one by one. A row without figures says why in `note`.
    """

    engine: str
    version: str
    form: str
    flat: bool
    rules: int
    p50: float | None = None
    p99: float | None = None
    load: float | None = None
    wrong: int = 0
    note: str = ""

    @property
    def name(self) -> str:
        """Engine and form, as the table and the picture call them."""
        return self.engine if self.engine == "Tillgate" else f"{self.engine}: {self.form}"


def ours(rows: Sequence[Row], rules: int) -> float:
    """Tillgate's median at a size."""
    [found] = [row.p50 for row in rows if row.engine == "Tillgate" and row.rules == rules]
    if found is None:
        raise ValueError(f"Tillgate was not measured at {rules} rules")
    return found


def next_best(rows: Sequence[Row], rules: int, *, flat: bool) -> tuple[Row, float]:
    """The fastest other row of that kind at a size, and how many times as long as Tillgate it takes."""
    others = [
        (row.p50, row)
        for row in rows
        if (row.rules, row.flat) == (rules, flat) and row.engine != "Tillgate" and row.p50 is not None
    ]
    p50, row = min(others, key=lambda each: each[0])
    return row, p50 / ours(rows, rules)
