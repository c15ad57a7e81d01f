"""`tillgate undo`: one call, or everything one policy let through."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from tillgate.guards.money import Currency, currency
from tillgate.server.cli.common import out, print_json, talk
from tillgate.server.cli.opening import opened
from tillgate.server.undoing import Undoing, undo_call, undo_policy


def undo_one(
    call_id: str, name: str, reason: str, *, db: str | None, shop: str | None, policy: Path | None, as_json: bool
) -> bool:
    """Take one call back and say how it ended; whether it was taken back."""
    with opened(db=db, shop=shop, policy=policy) as built:
        outcome = undo_call(built, call_id, name, reason)
    if as_json:
        print_json(outcome.as_json())
    else:
        words = " ".join(reason.message for reason in outcome.reasons) or "Taken back."
        out().print(f"{outcome.status}: {words}", markup=False)
    return outcome.status == "completed"


def undo_all(
    digest: str,
    name: str,
    reason: str,
    *,
    yes: bool,
    db: str | None,
    shop: str | None,
    policy: Path | None,
    as_json: bool,
) -> bool:
    """Show, and with `yes` carry out, what taking back everything of one policy does; whether all of it can be."""
    with opened(db=db, shop=shop, policy=policy) as built:
        found = undo_policy(built, digest, name, reason, rehearse=not yes)
        money = currency(built.gate.policy.currency)
    if as_json:
        print_json({"rehearsed": not yes, "actions": [_row(each, money) for each in found]})
    elif not found:
        out().print("Nothing that this policy let through is left to take back.")
    else:
        out().print(_table(found, money, yes=yes))
        talk().print(_sum(found, yes=yes))
    return all(each.why_not is None for each in found)


def _row(each: Undoing, money: Currency) -> dict[str, object]:
    return {**asdict(each), "amount": money.format(each.amount)}


def _table(found: Sequence[Undoing], money: Currency, *, yes: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("call", "customer", "what it did", "moved", "taken back" if yes else "would be taken back"):
        table.add_column(title, justify="right" if title == "moved" else "left", overflow="fold")
    for each in found:
        ends = "yes" if each.why_not is None else f"no: {each.why_not}"
        cells = (each.call_id, each.customer_id or "-", each.summary, money.format(each.amount), ends)
        table.add_row(*map(escape, cells))
    return table


def _sum(found: Sequence[Undoing], *, yes: bool) -> str:
    done = sum(each.why_not is None for each in found)
    if yes:
        return f"{done} of {len(found)} taken back."
    return f"{done} of {len(found)} can be taken back. Nothing has been done yet; give --yes to do it."
