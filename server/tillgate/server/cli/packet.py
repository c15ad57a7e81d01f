"""A reviewer's packet in a terminal: what is asked, why it stopped, what approval would change, and what is known.

Everything that came from outside is escaped; money reads as money.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tillgate.guards.facts import CATALOGUE, Kind
from tillgate.guards.model import Json
from tillgate.guards.money import Currency, currency

_SHOWN = ("customer", "order", "method", "cart", "offer", "conversation")
_MONEY_FIELDS = frozenset({"amount", "balance"})


def print_packet(console: Console, row: Mapping[str, Any]) -> None:
    """Print one request with its packet. `row` is the summary with `packet`, as `requests show --json` prints it."""
    packet, money = row["packet"], currency(row["currency"])
    _head(console, row, packet)
    _reasons(console, packet, money)
    console.print(_changes(packet, money))
    console.print(_facts(packet, money))
    console.print("[bold]Calls of this conversation[/bold]")
    for call in packet["conversation"]:
        why = f" ({', '.join(call['reasons'])})" if call["reasons"] else ""
        console.print(escape(f"  {call['at']}  {call['tool']}: {call['status']}{why}"))
    console.print(f"\n[bold]On approval[/bold]  {escape(packet['on_approval'])}")
    console.print(f"[bold]Afterwards[/bold]  {escape(packet['undo'])}")


def _head(console: Console, row: Mapping[str, Any], packet: Mapping[str, Any]) -> None:
    console.print(f"[bold]{escape(row['summary'])}[/bold]")
    console.print(escape(f"{row['handle']}: {row['status']}, queue {row['queue']}, expires {row['expires_at']}"))
    proof = packet["verification"]
    who = f"Customer {row['customer_id'] or 'unknown'} ({_words(proof['assurance'])}), agent {row['agent']}"
    console.print(escape(f"{who}, consent: {_words(proof['consent'])}"))
    approved = ", ".join(row["approved_by"]) or "nobody yet"
    console.print(escape(f"Needs {row['approvals']} approval(s); approved by {approved}"))
    if packet["words"]:
        console.print(f"In the customer's words (not checked): “{escape(packet['words'])}”")


def _reasons(console: Console, packet: Mapping[str, Any], money: Currency) -> None:
    console.print("\n[bold]Why it stopped[/bold]")
    for demand in packet["decision"]["unmet"]:
        reason = demand["reason"]
        console.print(escape(f"  {reason['rule'] or reason['code']}: {reason['message']}"))
    for budget in packet["budgets"]:
        console.print(escape(f"  {_budget(budget, money)}"))
    fired = [hit["rule"] for hit in packet["decision"]["hits"]]
    console.print(escape(f"  rules that fired: {', '.join(fired)}"))
    if packet["nearly"]:
        console.print(escape(f"  one condition away: {', '.join(packet['nearly'])}"))
    risk: Mapping[str, Any] = packet["risk"] or {"score": 0, "tier": "LOW", "contributions": []}
    console.print(f"\n[bold]Risk[/bold]  {risk['score']} ({_words(risk['tier'])})")
    for part in risk["contributions"]:
        console.print(escape(f"  +{part['points']}  {part['because']}"))
    console.print()


def _changes(packet: Mapping[str, Any], money: Currency) -> Table:
    table = Table("record", "field", "before", "after", title="What approval changes", title_justify="left")
    for change in packet["plan"]["changes"]:
        is_money = change["field"] in _MONEY_FIELDS
        cells = (_cell(change[side], money if is_money else None) for side in ("before", "after"))
        table.add_row(escape(change["entity"]), escape(change["field"]), *cells)
    return table


def _facts(packet: Mapping[str, Any], money: Currency) -> Table:
    table = Table("fact", "value", title="Facts of the record", title_justify="left")
    for group in _SHOWN:
        for name, value, is_money in _group(group, packet["facts"].get(group)):
            table.add_row(escape(f"{group}.{name}"), _cell(value, money if is_money else None))
    return table


def _group(group: str, values: Json) -> Iterator[tuple[str, Json, bool]]:
    if not isinstance(values, dict):
        return
    known = CATALOGUE[group].facts
    for name, value in sorted(cast("dict[str, Json]", values).items()):
        if name != "present":
            yield name, value, name in known and known[name].kind is Kind.MONEY


def _budget(budget: Mapping[str, Any], money: Currency) -> str:
    used: list[str] = []
    if budget["limit_amount"] is not None:
        used.append(f"{money.format(budget['amount'])} of {money.format(budget['limit_amount'])} {money.code}")
    if budget["limit_count"] is not None:
        used.append(f"{budget['count']} of {budget['limit_count']} calls")
    over = "; that is more than it holds" if budget["exceeded"] else ""
    return f"budget {budget['id']}, this call included: {', '.join(used)}{over}"


def _cell(value: Json, money: Currency | None) -> str:
    if value is None:
        return "–"
    if money is not None and isinstance(value, int):
        return f"{money.format(value)} {money.code}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(str(value))


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
