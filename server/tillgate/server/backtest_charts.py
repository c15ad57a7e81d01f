"""The charts of a backtest's page, as SVG in the page itself; each says in words what it shows.

The rule kept: a chart is a second look at numbers that stand in a table, and everything recorded in it is escaped.
"""

from collections import Counter
from collections.abc import Mapping
from html import escape

from tillgate.server.backtest_counts import Backtest

DAYS_SHOWN = 90
_WIDTH, _LEFT, _TOP, _HIGH = 900, 44, 8, 150
_LEGEND = '<p class="legend"><span class="was">as recorded</span><span class="now">under this policy</span></p>'


def outcomes_chart(made: Backtest) -> str:
    """How many calls end in each way, as recorded and now, as pairs of bars."""
    was, now = Counter[str](), Counter[str]()
    for (old, new), count in made.calls.items():
        was[old] += count
        now[new] += count
    most = max([*was.values(), *now.values()], default=1)
    parts: list[str] = []
    for at, status in enumerate(sorted({*was, *now})):
        top = 34 * at
        parts.append(f'<text x="170" y="{top + 17}" text-anchor="end">{escape(status.replace("_", " "))}</text>')
        for below, side, count in ((0, "was", was[status]), (13, "now", now[status])):
            wide = 620 * count / most
            parts.append(f'<rect class="{side}" x="180" y="{top + below}" width="{wide:.1f}" height="11"/>')
            parts.append(f'<text class="value" x="{186 + wide:.1f}" y="{top + below + 10}">{count:,}</text>')
    return _figure("".join(parts), 34 * len({*was, *now}), "Calls by how they end, as recorded and under this policy")


def load_chart(made: Backtest) -> str:
    """Requests for people by day, as recorded and now, as pairs of bars over a scale."""
    days = sorted(made.days)[-DAYS_SHOWN:]
    was, now = made.old_load.by_day(), made.new_load.by_day()
    most = max([1, *(load.get(day, 0) for load in (was, now) for day in days)])
    parts = [_line(most, most), *([_line(most // 2, most)] if most > 1 else []), _line(0, most)]
    width = (_WIDTH - _LEFT) / max(1, len(days))
    for at, day in enumerate(days):
        parts += _pair(
            day, _LEFT + at * width, min(width, 60.0), {"was": was.get(day, 0), "now": now.get(day, 0)}, most
        )
    every = max(1, -(-len(days) // 6))
    for at, day in list(enumerate(days))[::every]:
        parts.append(f'<text x="{_LEFT + at * width:.1f}" y="{_TOP + _HIGH + 16}">{escape(day)}</text>')
    cut = f", the last {DAYS_SHOWN} days" if len(made.days) > DAYS_SHOWN else ""
    return _figure("".join(parts), _TOP + _HIGH + 22, f"Requests for people by day{cut}, {most:,} at most")


def _pair(day: str, left: float, width: float, counts: Mapping[str, int], most: int) -> list[str]:
    bars: list[str] = []
    for at, (side, count) in enumerate(counts.items()):
        high = _HIGH * count / most
        bars.append(
            f'<rect class="{side}" x="{left + at * width * 0.42:.1f}" y="{_TOP + _HIGH - high:.1f}" '
            f'width="{max(1.0, width * 0.4):.1f}" height="{high:.1f}"><title>{escape(day)}: {count:,}</title></rect>'
        )
    return bars


def _line(count: int, most: int) -> str:
    """A line of the scale, with its number."""
    y = _TOP + _HIGH - _HIGH * count / most
    return (
        f'<line x1="{_LEFT - 4}" y1="{y:.1f}" x2="{_WIDTH}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{count:,}</text>'
    )


def _figure(inside: str, height: int, label: str) -> str:
    svg = f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(label)}">{inside}</svg>'
    return f'<figure>{_LEGEND}{svg}<figcaption class="soft">{escape(label)}.</figcaption></figure>'
