"""Shows a replay: as stable JSON for programs, as tables for people; totals are counted here and nowhere else."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tillgate.guards.context import clean
from tillgate.guards.model import Json
from tillgate.guards.money import Currency, currency
from tillgate.server.decided_again import Row
from tillgate.server.replay import Replay
from tillgate.server.transcript import Side

_MARKS: Mapping[str, str] = {"status": "≠", "verdict": "≠", "rules": "~", "none": " "}
_UNKNOWN = "not recorded"


@dataclass(frozen=True, slots=True)
class Totals:
    """Calls by status as recorded and now, and the money of their plans in minor units: it moves where they complete.

    An approved request stands under `escalated`, where it was held, and under `completed`, where it moved.
    """

    calls: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    recorded: Counter[str] = field(default_factory=Counter[str])
    replayed: Counter[str] = field(default_factory=Counter[str])

    @property
    def statuses(self) -> list[str]:
        """Every status that occurs, sorted."""
        return sorted({status for pair in self.calls for status in pair})


def totals(replay: Replay) -> Totals:
    """Count a replay. A call that was not decided stays as it was."""
    counted = Totals()
    for row in replay.rows:
        old, new = _statuses(row)
        counted.calls[old, new] += 1
        counted.recorded[old] += row.entry.amount
        counted.replayed[new] += row.entry.amount if row.moves else 0
    return counted


def as_json(replay: Replay) -> dict[str, Json]:
    """The whole replay as JSON with sorted keys; the same replay always gives the same bytes."""
    counted, money = totals(replay), currency(replay.currency)
    return _sorted(
        {
            "policy": replay.policy,
            "currency": replay.currency,
            "differs": replay.differs,
            "calls": len(replay.rows),
            "changed": sum(row.change != "none" for row in replay.rows),
            "not_decided": sum(row.new is None for row in replay.rows),
            "other_records": replay.others,
            "unreadable": [{"line": bad.line, "reason": bad.reason} for bad in replay.unreadable],
            "statuses": _matrix(counted),
            "money": {
                status: {
                    "recorded": _amount(money, counted.recorded[status]),
                    "replayed": _amount(money, counted.replayed[status]),
                    "difference": _amount(money, counted.replayed[status] - counted.recorded[status]),
                }
                for status in counted.statuses
            },
            "rows": [_row_json(row, money) for row in replay.rows],
        }
    )


def render(replay: Replay, console: Console, *, every: bool = False) -> None:
    """The calls that end otherwise (`every`: all), then the counts; a changed row has a mark, not only a colour."""
    money = currency(replay.currency)
    table = Table(title="Calls decided again", title_justify="left", caption_justify="left")
    for heading in ("", "time", "tool", "was → now", "rules", f"money ({money.code})", "why"):
        table.add_column(heading, justify="right" if heading.startswith("money") else "left", overflow="fold")
    rows = [row for row in replay.rows if every or row.change != "none"]
    for row in rows:
        table.add_row(*_cells(row, money), style="bold yellow" if row.change != "none" else None)
    if rows:
        table.caption = "≠ ends otherwise   ~ same end, other rules   ? not decided again"
        console.print(table)
    for bad in replay.unreadable:
        console.print(Text(f"line {bad.line} is unreadable: {clean(bad.reason)}", style="red"))
    console.print(_summary(replay, money))
    console.print(Text(_headline(replay)))


def _statuses(row: Row) -> tuple[str, str]:
    old = row.entry.old.status or _UNKNOWN
    return old, (row.new.status if row.new else None) or old


def _matrix(counted: Totals) -> dict[str, dict[str, int]]:
    matrix: dict[str, dict[str, int]] = {}
    for (old, new), calls in counted.calls.items():
        matrix.setdefault(old, {})[new] = calls
    return matrix


def _amount(money: Currency, minor: int) -> dict[str, Json]:
    return {"minor": minor, "amount": money.format(minor)}


def _side_json(side: Side | None) -> Json:
    if side is None:
        return None
    return {"status": side.status, "verdict": side.verdict, "rules": list(side.rules), "shadow": side.shadow}


def _row_json(row: Row, money: Currency) -> dict[str, Json]:
    return {
        "line": row.entry.line,
        "kind": row.entry.kind,
        "at": row.entry.at,
        "conversation": row.entry.conversation,
        "call_id": row.entry.call_id,
        "tool": row.entry.tool,
        "old": _side_json(row.entry.old),
        "new": _side_json(row.new),
        "change": row.change,
        "why": [{"code": reason.code, "message": reason.message, "rule": reason.rule} for reason in row.why],
        "money": _amount(money, row.entry.amount),
        "moves": row.moves,
        "risk_score": row.end.score if row.end else None,
        "note": row.note,
    }


def _sorted(report: dict[str, Json]) -> dict[str, Json]:
    in_order: dict[str, Json] = orjson.loads(orjson.dumps(report, option=orjson.OPT_SORT_KEYS))
    return in_order


def _rules(row: Row) -> str:
    """The rules that matched; `+` and `-` mark those that did not, or no longer, match."""
    if row.new is None or row.entry.old.verdict is None:
        return ", ".join((row.new or row.entry.old).rules)
    old, new = set(row.entry.old.rules), set(row.new.rules)
    signs = {rule: "" if rule in old & new else "+" if rule in new else "-" for rule in old | new}
    return ", ".join(sign + rule for rule, sign in sorted(signs.items()))


def _cells(row: Row, money: Currency) -> list[Text]:
    old, new = _statuses(row)
    texts = (
        "?" if row.new is None else _MARKS[row.change],
        row.entry.at,
        row.entry.tool if row.entry.kind == "call" else f"{row.entry.tool} ({row.entry.kind})",
        old if old == new else f"{old} → {new}",
        _rules(row),
        money.format(row.entry.amount) if row.entry.amount else "",
        _why(row),
    )
    return [Text(clean(text)) for text in texts]


def _why(row: Row) -> str:
    said = [f"{reason.rule or reason.code}: {reason.message}" for reason in row.why]
    if row.new is not None and row.new.shadow is not None:
        said.append(f"only watching; would be: {row.new.shadow}")
    return "; ".join([*said, row.note] if row.note else said)


def _summary(replay: Replay, money: Currency) -> Table:
    counted = totals(replay)
    was, now = Counter[str](), Counter[str]()
    for (old, new), calls in counted.calls.items():
        was[old] += calls
        now[new] += calls
    table = Table(title="In all", title_justify="left")
    for heading in ("status", "calls was", "calls now", "money was", "money now", "difference"):
        table.add_column(heading, justify="left" if heading == "status" else "right")
    for status in counted.statuses:
        before, after = counted.recorded[status], counted.replayed[status]
        texts = (str(was[status]), str(now[status]), *map(money.format, (before, after, after - before)))
        table.add_row(Text(clean(status)), *texts)
    return table


def _headline(replay: Replay) -> str:
    changed = sum(row.change != "none" for row in replay.rows)
    kept = sum(row.new is None for row in replay.rows)
    parts = [f"{len(replay.rows)} calls, {changed} changed, {kept} not decided again"]
    if replay.unreadable:
        parts.append(f"{len(replay.unreadable)} lines unreadable")
    return ", ".join(parts) + f"; policy {replay.policy}"
