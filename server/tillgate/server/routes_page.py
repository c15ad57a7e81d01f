"""The routes of a policy as one page to print, without anything from elsewhere."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from tillgate.guards.money import Currency
from tillgate.guards.routes import Route, place

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; text-transform: capitalize; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1.6rem; font-variant-numeric: tabular-nums; }
caption { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
h3 { font-size: 1rem; margin: 1.4rem 0 .2rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #8886; }
td:last-child { width: 55%; } ul { margin: 0; padding-left: 1.1rem; }
@media print { body { margin: 0; } table { break-inside: avoid; } }
"""


def page(found: Sequence[Route], money: Currency, title: str) -> str:
    """The whole page; `title` names the policy."""
    head = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    )
    parts = [f"{head}<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>"]
    parts.append(f"<h1>Where each call leads: {escape(title)}</h1>")
    for intent, tools in groupby(found, key=lambda route: route.intent):
        parts.append(f"<h2>{escape(intent.replace('_', ' '))}</h2>")
        parts += [_table(route, money) for route in tools]
    return "\n".join([*parts, "</main>\n</body>\n</html>\n"])


def _table(route: Route, money: Currency) -> str:
    rows = ""
    for row in route.rows:
        cells = "".join(f"<td>{escape(text)}</td>" for text in place(row, money))
        rows += f"<tr>{cells}<td>{_list(route.only(row))}</td></tr>"
    names = (f"Amount ({money.code})", "Assurance", "Risk", "Leads to")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    always = f"<p>Everywhere:</p>{_list(route.everywhere)}" if route.everywhere else ""
    table = (
        f"<table><caption>{escape(route.tool)}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )
    return f"<h3>{escape(route.tool)}</h3>{always}{table}"


def _list(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else "only what holds everywhere"
