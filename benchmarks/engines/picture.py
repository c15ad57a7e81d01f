"""Draws the medians by number of rules: both axes logarithmic, one line a form, each named at its end."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.engines.results import Row

WIDTH, HEIGHT = 1040, 560
LEFT, RIGHT, TOP, BOTTOM = 70, 440, 60, 50
COLOURS = {
    "Tillgate": "#c2410c", "cel-expr-python": "#1d4ed8", "zen-engine": "#15803d",
    "common-expression-language": "#7e22ce", "gordon-to-regorus": "#0e7490", "cedarpy": "#a16207",
    "cel-python": "#6b7280",
}  # fmt: skip
LINE_HEIGHT = 15
FONT = 'font-family="sans-serif" font-size="12"'


def picture(rows: Sequence[Row], machine: str) -> str:
    """The drawing as SVG."""
    known = [row for row in rows if row.p50 is not None]
    sizes = sorted({row.rules for row in known})
    highest = math.ceil(math.log10(max(row.p50 or 1 for row in known)))
    lowest = math.floor(2 * math.log10(min(row.p50 or 1 for row in known))) / 2

    def x(rules: float) -> float:
        low, high = math.log10(sizes[0]), math.log10(sizes[-1])
        return LEFT + (math.log10(rules) - low) / max(high - low, 1) * (WIDTH - LEFT - RIGHT)

    def y(micros: float) -> float:
        return TOP + (highest - math.log10(micros)) / (highest - lowest) * (HEIGHT - TOP - BOTTOM)

    lines: dict[str, list[Row]] = {}
    for row in known:
        lines.setdefault(row.name, []).append(row)
    ends = _spread({name: y(line[-1].p50 or 1) for name, line in lines.items()})
    about = f"{machine}; both axes logarithmic; dashed: facts one by one"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="26" font-size="16" font-weight="bold">Median time of one decision</text>',
        f'<text x="{LEFT}" y="44" fill="#555">{escape(about)}</text>',
        *(_rung(10.0**power, y(10.0**power)) for power in range(math.ceil(lowest), highest + 1)),
        *(_column(size, x(size)) for size in sizes),
    ]
    for name, line in lines.items():
        parts += _line(name, [(x(row.rules), y(row.p50 or 1)) for row in line], line[0], ends[name])
    return "\n".join([*parts, "</svg>", ""])


def _rung(micros: float, y: float) -> str:
    label = f"{micros:g} µs" if micros < 1000 else f"{micros / 1000:g} ms"
    return (
        f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
    )


def _column(rules: int, x: float) -> str:
    bottom = HEIGHT - BOTTOM
    return (
        f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#eee"/>'
        f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{rules:,} rules</text>'
    )


def _line(name: str, points: Sequence[tuple[float, float]], row: Row, label: float) -> Iterator[str]:
    ours = row.engine == "Tillgate"
    colour = COLOURS[row.engine]
    look = f'fill="none" stroke="{colour}" stroke-width="{3.5 if ours else 1.5}"'
    dash = ' stroke-dasharray="5 3"' if row.flat else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{path}" {look}{dash}/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{4 if ours else 2.5}" fill="{colour}"/>' for x, y in points)
    (end_x, end_y), edge = points[-1], WIDTH - RIGHT
    lead = f'x1="{end_x:.1f}" y1="{end_y:.1f}" x2="{edge + 12}" y2="{label:.1f}"'
    yield f'<line {lead} stroke="{colour}" stroke-width=".5"/>'
    weight = ' font-weight="bold"' if ours else ""
    yield f'<text x="{edge + 16}" y="{label + 4:.1f}" fill="{colour}"{weight}>{escape(name)}</text>'


def _spread(wanted: dict[str, float]) -> dict[str, float]:
    """Where the names go: as near to the ends of their lines as they can stand one above the other."""
    found: dict[str, float] = {}
    lowest = -math.inf
    for name, place in sorted(wanted.items(), key=lambda each: each[1]):
        lowest = found[name] = max(place, lowest + LINE_HEIGHT)
    return found
