"""Draws the table of a results page as bars, calls a second, and writes it beside the page as SVG.

python benchmarks/over_http/picture.py benchmarks/results/over_http.md
"""

import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

COLOURS = {"tillgate": "#c2410c", "default": "#9ca3af", "fast": "#1d4ed8"}
MEANT = {"tillgate": "Tillgate, everything on", "default": "the SDK, bare", "fast": "the SDK, bare, JSON and uvloop"}
LEFT, BAR, GAP, WIDTH, TOP = 230, 18, 14, 860, 64


def picture(page: str) -> str:
    """The drawing of the rows of a page."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    rows = [(f"{call.replace('`', '')}, {clients} clients", server, float(rate.replace(",", "")))
            for call, clients, server, rate, *_ in cells]  # fmt: skip
    return "\n".join(_drawn(rows))


def _drawn(rows: Sequence[tuple[str, str, float]]) -> Iterator[str]:
    groups = list(dict.fromkeys(group for group, _, _ in rows))
    height = TOP + len(rows) * BAR + len(groups) * GAP + 10
    most = max(rate for _, _, rate in rows)
    font = 'font-family="sans-serif" font-size="12"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {font}>'
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    yield '<text x="16" y="26" font-size="16" font-weight="bold">Calls a second over Streamable HTTP</text>'
    for at, (server, colour) in enumerate(COLOURS.items()):
        yield f'<rect x="{16 + at * 230}" y="38" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{34 + at * 230}" y="48">{escape(MEANT[server])}</text>'
    for at, (group, server, rate) in enumerate(rows):
        y = TOP + at * BAR + groups.index(group) * GAP
        long = (WIDTH - LEFT - 70) * rate / most
        if at == 0 or rows[at - 1][0] != group:
            yield f'<text x="{LEFT - 10}" y="{y + 1.5 * BAR + 4:.0f}" text-anchor="end">{escape(group)}</text>'
        yield f'<rect x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR - 3}" fill="{COLOURS[server]}"/>'
        yield f'<text x="{LEFT + long + 6:.1f}" y="{y + 12}">{rate:,.0f}</text>'
    yield "</svg>\n"


def draw(page: Path) -> None:
    """Write the drawing beside the page."""
    page.with_suffix(".svg").write_text(picture(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
