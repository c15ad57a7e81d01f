"""A backtest as one page: charts, tables and the calls behind each number, without anything from elsewhere.

The rule kept: everything that was recorded is escaped; a page opened from a mail can load and run nothing.
"""

from html import escape

from tillgate.guards.money import currency
from tillgate.server.backtest_charts import load_chart, outcomes_chart
from tillgate.server.backtest_counts import Backtest, Shown

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1b19; --soft: #6b675f; --line: #dad5cb; --was: #8d97a5; --now: #2f6f5e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece9e2; --soft: #a49f95; --line: #3d3a35; --was: #75808f; --now: #5fb39b; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p.note, caption, .soft { color: var(--soft); } caption { text-align: left; padding-bottom: .3rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem 1.5rem; }
.figures div { display: flex; flex-direction: column; } .figures b { font-size: 1.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; } details td:first-child { white-space: nowrap; }
figure { margin: 0 0 1rem; } .wide, figure { overflow-x: auto; } svg { min-width: 36rem; }
svg text { font-size: 12px; fill: var(--soft); } svg text.value { fill: var(--ink); } svg line { stroke: var(--line); }
rect.was { fill: var(--was); } rect.now { fill: var(--now); }
.legend { display: flex; gap: 1.5rem; margin: .2rem 0 .6rem; font-size: .9rem; }
.legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; margin-right: .45em; }
.legend .was::before { background: var(--was); } .legend .now::before { background: var(--now); }
summary { cursor: pointer; margin: .4rem 0; } svg { width: 100%; height: auto; } code { overflow-wrap: anywhere; }
@media print { details:not([open]) { display: none; } body { margin: 0; } }
"""
_HEAD = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
)


_HOW = (
    "Money is counted once for each plan: where it moved then, and where it would move now. What a record says of a "
    "budget is believed, so a budget that now has another window, other tools or another account needs another name to "
    "be counted anew. A budget that was not recorded is filled by what this policy lets through, and by what waits for "
    "people until the record says how it ended, or nobody could answer any more; a call that was taken back still "
    "counts. Whether people would have approved what only now comes to them is not guessed."
)


def page(made: Backtest, source: str) -> str:
    """The whole page. `source` names the policy file."""
    money = currency(made.currency)
    figures = [
        (f"{made.flips:,}", f"of {made.decided:,} calls would have ended otherwise"),
        (f"{_grouped(money.format(made.moved()))} {made.currency}", "would move now and did not then"),
        (f"{_grouped(money.format(made.held()))} {made.currency}", "moved then and would not now"),
        (f"{made.a_day(made.new_load):.1f}", f"requests a day for people; {made.a_day(made.old_load):.1f} as recorded"),
    ]
    shown = "".join(f"<div><b>{escape(number)}</b><span>{escape(words)}</span></div>" for number, words in figures)
    title = f"Backtest of {escape(source)}"
    parts = [
        f"{_HEAD}<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>",
        f'<p class="soft">Policy <code>{escape(made.policy)}</code>, {_span(made)}</p>',
        f'<div class="figures">{shown}</div>',
        f"<h2>Outcomes</h2>{outcomes_chart(made)}{_outcomes(made)}",
        f"<h2>Work for people</h2>{load_chart(made)}{_queues(made)}",
        f"<h2>Tools</h2>{_tools(made)}",
        f"<h2>The calls behind the numbers</h2>{_calls(made)}",
        f"<h2>Not decided</h2>{_not_decided(made)}",
        f"<h2>How it was counted</h2><p>{_HOW}</p>",
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _span(made: Backtest) -> str:
    if not made.days:
        return "no calls"
    if len(made.days) == 1:
        return f"1 day, {escape(min(made.days))}"
    return f"{_counted(len(made.days), 'day')} from {escape(min(made.days))} to {escape(max(made.days))}"


def _table(caption: str, heads: list[str], rows: list[list[str]], numbers: int) -> str:
    """A table whose last columns are numbers."""
    first = len(heads) - numbers

    def cells(tag: str, row: list[str]) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        side = [' class="n"' if at >= first else "" for at in range(len(row))]
        return "".join(f"<{tag}{scope}{side[at]}>{escape(cell)}</{tag}>" for at, cell in enumerate(row))

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    head = f"<thead><tr>{cells('th', heads)}</tr></thead>"
    table = f"<table><caption>{escape(caption)}</caption>{head}<tbody>{body}</tbody></table>"
    return f'<div class="wide">{table}</div>'


def _outcomes(made: Backtest) -> str:
    money = currency(made.currency)
    rows = [
        [
            _words(old),
            _now(old, new),
            f"{count:,}",
            f"{_grouped(money.format(made.money[old, new]))} {made.currency}",
        ]
        for (old, new), count in sorted(made.calls.items(), key=lambda each: (each[0][0] == each[0][1], -each[1], each))
    ]
    return _table(
        "What ends otherwise (≠) first, then what stays",
        ["As recorded", "Under this policy", "Calls", "Amount"],
        rows,
        2,
    )


def _queues(made: Backtest) -> str:
    def row(queue: str) -> list[str]:
        return [queue, f"{made.old_load.queues().get(queue, 0):,}", f"{made.new_load.queues().get(queue, 0):,}"]

    names = sorted({*made.old_load.queues(), *made.new_load.queues()})
    peak = ["most in a day", f"{made.old_load.peak():,}", f"{made.new_load.peak():,}"]
    return _table("Requests by queue", ["Queue", "As recorded", "Under this policy"], [*map(row, names), peak], 2)


def _tools(made: Backtest) -> str:
    rows = [
        [tool, _words(old), _now(old, new), f"{count:,}"]
        for tool, flips in made.by_tool.items()
        for (old, new), count in flips.items()
    ]
    return _table("Every outcome by tool", ["Tool", "As recorded", "Under this policy", "Calls"], rows, 1)


def _calls(made: Backtest) -> str:
    if not made.shown:
        return "<p>No call would have ended otherwise.</p>"
    parts: list[str] = []
    for (old, new), shown in made.examples():
        more = made.calls[old, new] - len(shown)
        rest = f'<p class="soft">and {more:,} more</p>' if more else ""
        title = f"{_words(old)} → {_words(new)}: {_counted(made.calls[old, new], 'call')}"
        parts.append(f"<details><summary>{escape(title)}</summary>{_examples(made, shown)}{rest}</details>")
    return "".join(parts)


def _examples(made: Backtest, shown: list[Shown]) -> str:
    money = currency(made.currency)
    rows: list[list[str]] = []
    for each in shown:
        rules = [" ".join(each.old_rules), " ".join(each.new_rules)]
        rows.append([each.at, each.call_id, each.tool, *rules, _grouped(money.format(each.amount))])
    return _table("Calls", ["When", "Call", "Tool", "Rules then", "Rules now", f"Amount ({made.currency})"], rows, 1)


def _not_decided(made: Backtest) -> str:
    lines = [
        (made.undecided[""], "calls lack a fact this policy reads"),
        (made.kept, "calls never came to a policy, or were answered from an earlier one"),
        (made.outside, "calls are outside the days that were asked for"),
        (made.others, "records are no calls"),
        (made.damaged, "lines are unreadable"),
    ]
    told = "".join(f"<li>{count:,} {escape(words)}</li>" for count, words in lines if count)
    facts = [[name, f"{count:,}"] for name, count in sorted(made.undecided.items()) if name]
    table = _table("Facts that are missing", ["Fact", "Calls"], facts, 1) if facts else ""
    damage = [[f"{each.line:,}", each.reason] for each in made.damage]
    if damage:
        listed = _table("The first of them" if made.damaged > len(damage) else "All", ["Line", "Why"], damage, 0)
        table += f"<details><summary>Unreadable lines</summary>{listed}</details>"
    return (f"<ul>{told}</ul>" if told else "<p>Everything was decided.</p>") + table


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _grouped(amount: str) -> str:
    """`1234567.89` as `1,234,567.89`."""
    whole, dot, rest = amount.partition(".")
    return f"{int(whole):,}{dot}{rest}"


def _now(old: str, new: str) -> str:
    """How a call ends now, marked where that is not how it ended."""
    return f"≠\u00a0{_words(new)}" if old != new else _words(new)


def _words(status: str) -> str:
    return status.replace("_", " ")
