"""The page that says what was measured: Markdown, with a table for each size."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.engines.results import Row, next_best, ours

HEAD = """# Tillgate beside other policy engines

Written by `python benchmarks/policy_engines.py` on {date}; {machine}; one run, the better of two rounds counts.

![Median time of one decision by number of rules](policy_engines.svg)

**The work.** Policies of 10 to 10,000 rules over 2 to 40 tools, made from ten templates (thresholds, sums, levels,
closed lists, optional facts, lists), and 400 different calls. Every engine runs the same rules: they are translated
from the conditions Tillgate has checked. It gets the facts as a dict and has to say permit, deny, verify, confirm or
escalate; what it needs to turn the dict into something of its own is counted. A call counts with its fastest of up to
25 passes, so the spread is between calls and not between moments; p50 and p99 are in microseconds. Each engine runs in
a process of its own, on one core.

**What is not equal.** Tillgate also checks presence, type and range of every fact it reads, tells every rule that
matched and every requirement that is open, and asks by itself whether a demand is met; the others hold facts to no type
(but for CEL's typed form), stop where they can and say one word. Tillgate remembers the decisions that followed from
the same matched rules. Its load time includes reading YAML and checking types.

**Forms.** *One expression a tool* puts all rules of a tool into one expression that yields the verdict; which rules
matched is lost. *Facts one by one* gives the engine only the facts that the rules of this tool read, one variable each,
taken out of their groups by code written for it: the least an engine can be given, and one more thing to keep right.
Cedar has no quantifiers, so a list's `exists` is a set's `contains`; it permits and forbids only, so every rule permits
and the names of those that do make the verdict. In Rego `or` is a second body. Money is minor units, a level its rank.

**Left out.** Servers (Cerbos, OPA), which are asked over a socket and answer in hundreds of microseconds.
"""


def page(rows: Sequence[Row], machine: str) -> str:
    """The whole page."""
    sizes = sorted({row.rules for row in rows})
    parts = [HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=machine), *_verdict(rows, sizes)]
    for size in sizes:
        parts += ["", f"## {size:,} rules", "", *_table([row for row in rows if row.rules == size], ours(rows, size))]
    return "\n".join(parts)


def _verdict(rows: Sequence[Row], sizes: Sequence[int]) -> Iterator[str]:
    wrong = sum(row.wrong for row in rows)
    yield f"**Wrong verdicts: {wrong}**, of all engines, forms, sizes and calls, with Tillgate's own as the measure."
    yield ""
    yield "| rules | next engine, facts as they come | × Tillgate | next engine, facts one by one | × Tillgate |"
    yield "|---:|---|---:|---|---:|"
    for size in sizes:
        row, times = next_best(rows, size, flat=False)
        flat, flat_times = next_best(rows, size, flat=True)
        yield f"| {size:,} | {row.engine} | {times:.1f} | {flat.engine} | {flat_times:.1f} |"


def _table(rows: Sequence[Row], fastest: float) -> Iterator[str]:
    yield "| engine | form | p50 | p99 | load s | × Tillgate |"
    yield "|---|---|---:|---:|---:|---:|"
    for row in sorted(rows, key=lambda row: row.p50 or float("inf")):
        engine = f"{row.engine} {row.version}".strip()
        if row.p50 is None or row.p99 is None or row.load is None:
            yield f"| {engine} | {row.form} | {row.note} | | | |"
            continue
        figures = f"{row.p50:.2f} | {row.p99:.2f} | {row.load:.2f} | {row.p50 / fastest:.1f}"
        yield f"| {engine} | {row.form} | {figures} |"
        if row.wrong:
            yield f"| {engine} | {row.form} | **{row.wrong} wrong verdicts** | | | |"
